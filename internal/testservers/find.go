package testservers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

const installHint = "run scripts/install-test-servers"

// CacheDir is where scripts/install-test-servers keeps what it downloads:
// PABAL_CACHE, or pabal-test in XDG_CACHE_HOME or ~/.cache.
func CacheDir() string {
	if dir := os.Getenv("PABAL_CACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "pabal-test")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".cache", "pabal-test")
}

// FindPostgres returns the folder of PostgreSQL's server binaries. Debian keeps
// them off PATH, one folder per version.
func FindPostgres() (string, error) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		dirs = append(dirs, newestFirst(pattern)...)
	}
	for _, dir := range dirs {
		if isProgram(dir, "postgres") && isProgram(dir, "initdb") {
			return dir, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL: %w: no folder with postgres and initdb on PATH, from pg_config or in /usr/lib/postgresql; %s", ErrMissing, installHint)
}

// PostgresName returns the product and version of the binaries in bin.
func PostgresName(bin string) string {
	out, _ := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	return "PostgreSQL " + firstVersion(string(out))
}

// FindKafka returns the folder with the newest Apache Kafka's jars.
func FindKafka() (string, error) {
	pattern := filepath.Join(CacheDir(), "kafka-*", "kafka_2.13-*.jar")
	found := newestFirst(pattern)
	if len(found) == 0 {
		return "", fmt.Errorf("Apache Kafka: %w: no %s; %s", ErrMissing, pattern, installHint)
	}
	if _, err := findJava(); err != nil {
		return "", err
	}
	return filepath.Dir(found[0]), nil
}

// KafkaName returns the product and version of the jars in a folder.
func KafkaName(jars string) string {
	return "Apache Kafka " + firstVersion(filepath.Base(jars))
}

func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" && isProgram(filepath.Join(home, "bin"), "java") {
		return filepath.Join(home, "bin", "java"), nil
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("Apache Kafka: %w: it needs Java 17 or newer, and there is no java on PATH or in JAVA_HOME; %s", ErrMissing, installHint)
	}
	return java, nil
}

// FindKcat returns the path of kcat, the command line client on librdkafka.
func FindKcat() (string, error) {
	path, err := exec.LookPath("kcat")
	if err != nil {
		return "", fmt.Errorf("kcat: %w: not on PATH; %s", ErrMissing, installHint)
	}
	return path, nil
}

// KcatName returns kcat's name and version.
func KcatName(path string) string {
	out, _ := exec.Command(path, "-V").CombinedOutput()
	_, after, _ := strings.Cut(string(out), "Version ")
	return "kcat " + firstVersion(after)
}

// FindKafkaJS returns the folder whose node_modules hold kafkajs. Programs are
// run there with node.
func FindKafkaJS() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", fmt.Errorf("kafkajs: %w: no node on PATH; %s", ErrMissing, installHint)
	}
	dir := filepath.Join(CacheDir(), "kafkajs")
	if _, err := os.Stat(kafkaJSPackage(dir)); err != nil {
		return "", fmt.Errorf("kafkajs: %w: no %s; %s", ErrMissing, kafkaJSPackage(dir), installHint)
	}
	return dir, nil
}

// KafkaJSName returns the name and version of the kafkajs in a folder.
func KafkaJSName(dir string) string {
	var pkg struct{ Version string }
	data, _ := os.ReadFile(kafkaJSPackage(dir))
	_ = json.Unmarshal(data, &pkg)
	return "kafkajs " + firstVersion(pkg.Version)
}

func kafkaJSPackage(dir string) string {
	return filepath.Join(dir, "node_modules", "kafkajs", "package.json")
}

func isProgram(dir, name string) bool {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular()
}

var numbers = regexp.MustCompile(`\d+`)

// newestFirst lists what matches the pattern, compared by the numbers in it, so
// that 10 comes before 9.
func newestFirst(pattern string) []string {
	found, _ := filepath.Glob(pattern)
	version := func(path string) []int {
		var v []int
		for _, s := range numbers.FindAllString(path, -1) {
			n, _ := strconv.Atoi(s)
			v = append(v, n)
		}
		return v
	}
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(slices.Compare(version(b), version(a)), cmp.Compare(a, b))
	})
	return found
}

var dotted = regexp.MustCompile(`\d+(\.\d+)+`)

func firstVersion(s string) string {
	if v := dotted.FindString(s); v != "" {
		return v
	}
	return "of unknown version"
}
