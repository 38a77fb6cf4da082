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

// FindPostgres18 returns the folder (bin, lib, share) of a PostgreSQL 18 that scripts/install-test-servers
// has fetched.
func FindPostgres18() (string, error) {
	if dir := os.Getenv(EnvPostgres18); dir != "" {
		return dir, nil
	}
	pattern := filepath.Join(CacheDir(), "postgres18-*", "bin", "postgres")
	found := newestFirst(pattern)
	if len(found) == 0 {
		return "", fmt.Errorf("PostgreSQL 18: %w: no %s; %s", ErrMissing, pattern, installHint)
	}
	return filepath.Dir(filepath.Dir(found[0])), nil
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
	if _, err := FindJava(); err != nil {
		return "", err
	}
	return filepath.Dir(found[0]), nil
}

// KafkaName returns the product and version of the jars in a folder.
func KafkaName(jars string) string {
	return "Apache Kafka " + firstVersion(filepath.Base(jars))
}

// FindKafkaTools returns the folder with the jars of Apache Kafka's command-line tools, and of the
// programs that its own system tests run.
func FindKafkaTools() (string, error) {
	if _, err := FindJava(); err != nil {
		return "", err
	}
	pattern := filepath.Join(CacheDir(), "apache-tools-*", "kafka-tools-*.jar")
	found := newestFirst(pattern)
	if len(found) == 0 {
		return "", fmt.Errorf("kafka-tools: %w: no %s; %s", ErrMissing, pattern, installHint)
	}
	return filepath.Dir(found[0]), nil
}

// KafkaToolsName returns the product and version of the jars in a folder.
func KafkaToolsName(dir string) string {
	return "Apache Kafka's tools " + jarVersion(dir, "kafka-tools-")
}

// FindJava returns the path of java.
func FindJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" && isProgram(filepath.Join(home, "bin"), "java") {
		return filepath.Join(home, "bin", "java"), nil
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("Java: %w: Apache Kafka, Kafka Connect, Kafka Streams and Pekko need Java 17 or newer, and there is no java on PATH or in JAVA_HOME; %s", ErrMissing, installHint)
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

// FindConfluentPython returns the folder with Confluent's client for Python, confluent_kafka, and
// what its serializers need; python3 finds it with PYTHONPATH.
func FindConfluentPython() (string, error) {
	if _, err := exec.LookPath("python3"); err != nil {
		return "", fmt.Errorf("confluent-python: %w: no python3 on PATH; %s", ErrMissing, installHint)
	}
	pattern := filepath.Join(CacheDir(), "confluent-python-*", "confluent_kafka")
	found := newestFirst(pattern)
	if len(found) == 0 {
		return "", fmt.Errorf("confluent-python: %w: no %s; %s", ErrMissing, pattern, installHint)
	}
	return filepath.Dir(found[0]), nil
}

// ConfluentPythonName returns the name and version of the client in a folder.
func ConfluentPythonName(dir string) string {
	return "confluent-kafka (Python) " + firstVersion(filepath.Base(dir))
}

// FindConfluentJava returns the folder with the jars of Confluent's client of schema registries for
// Java, which a JDK runs programs with.
func FindConfluentJava() (string, error) {
	if _, err := FindJava(); err != nil {
		return "", err
	}
	pattern := filepath.Join(CacheDir(), "confluent-java-*", "flink-sql-avro-confluent-registry-*.jar")
	found := newestFirst(pattern)
	if len(found) == 0 {
		return "", fmt.Errorf("confluent-java: %w: no %s; %s", ErrMissing, pattern, installHint)
	}
	return filepath.Dir(found[0]), nil
}

// ConfluentJavaName names the client in a folder by the jar that has it.
func ConfluentJavaName(dir string) string {
	jars, _ := filepath.Glob(filepath.Join(dir, "flink-sql-avro-confluent-registry-*.jar"))
	return "Confluent's client for Java (in Flink " + firstVersion(strings.Join(jars, " ")) + ")"
}

// FindApicurioJava returns the folder with the jars of Apicurio's Avro converter, which a JDK runs
// programs with.
func FindApicurioJava() (string, error) {
	if _, err := FindJava(); err != nil {
		return "", err
	}
	pattern := filepath.Join(CacheDir(), "apicurio-java-*", "apicurio-registry-utils-converter-*.jar")
	found := newestFirst(pattern)
	if len(found) == 0 {
		return "", fmt.Errorf("apicurio-java: %w: no %s; %s", ErrMissing, pattern, installHint)
	}
	return filepath.Dir(found[0]), nil
}

// ApicurioJavaName names the converter in a folder by the jar that has it.
func ApicurioJavaName(dir string) string {
	jars, _ := filepath.Glob(filepath.Join(dir, "apicurio-registry-utils-converter-*.jar"))
	return "Apicurio's converter " + firstVersion(strings.Join(jars, " "))
}

// FindChromium returns the path of Chromium, or of Chrome, the browser that the
// console's pages are tested in.
func FindChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("Chromium: %w: no chromium, chromium-browser or google-chrome on PATH; %s", ErrMissing, installHint)
}

// ChromiumName returns the browser's name and version.
func ChromiumName(path string) string {
	out, _ := exec.Command(path, "--version").Output()
	name, _, _ := strings.Cut(string(out), " ")
	return cmp.Or(name, "Chromium") + " " + firstVersion(string(out))
}

// FindPekko returns the folder (classes, lib) of the Pekko application that package
// pekko talks to.
func FindPekko() (string, error) { return findFolder("a Pekko application", "pekko", "classes") }

// FindKStreams returns the folder (classes, lib) of the application on Kafka Streams that
// package kstreams runs.
func FindKStreams() (string, error) { return findFolder("Kafka Streams", "kstreams", "classes") }

// KStreamsName returns the product and version of the jars in an application's folder.
func KStreamsName(dir string) string {
	return "Kafka Streams " + jarVersion(filepath.Join(dir, "lib"), "kafka-streams-")
}

// jarVersion returns the version behind the start of a jar's name.
func jarVersion(folder, start string) string {
	found, _ := filepath.Glob(filepath.Join(folder, start+"[0-9]*.jar"))
	if len(found) == 0 {
		return firstVersion("")
	}
	return firstVersion(strings.TrimPrefix(filepath.Base(found[0]), start))
}

// findFolder returns the newest folder of a Java program, which has the given part: what is
// behind its name changes with its sources.
func findFolder(what, name, part string) (string, error) {
	pattern := filepath.Join(CacheDir(), name+"-*", part)
	found, _ := filepath.Glob(pattern)
	if len(found) == 0 {
		return "", fmt.Errorf("%s: %w: no %s; %s", what, ErrMissing, pattern, installHint)
	}
	if _, err := FindJava(); err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(modified(b), modified(a)) })
	return filepath.Dir(found[0]), nil
}

func modified(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.ModTime().UnixNano()
}

// PekkoName tells on what the application in a folder was built.
func PekkoName(dir string) string {
	for _, plugin := range []string{"pekko-persistence-r2dbc", "akka-persistence-r2dbc"} {
		if found, _ := filepath.Glob(filepath.Join(dir, "lib", plugin+"_2.13-*.jar")); len(found) > 0 {
			return plugin + " " + firstVersion(strings.TrimPrefix(filepath.Base(found[0]), plugin+"_2.13-"))
		}
	}
	return "a Pekko application"
}

// FindRedis returns the path of Redis's server.
func FindRedis() (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", fmt.Errorf("Redis: %w: no redis-server on PATH; %s", ErrMissing, installHint)
	}
	return path, nil
}

// RedisName returns the product and version of a server's program.
func RedisName(path string) string {
	out, _ := exec.Command(path, "--version").Output()
	_, after, _ := strings.Cut(string(out), "v=")
	return "Redis " + firstVersion(after)
}

// FindMongoDB returns the path of MongoDB's server: the machine's, or the one
// that was downloaded.
func FindMongoDB() (string, error) {
	if path, err := exec.LookPath("mongod"); err == nil {
		return path, nil
	}
	dir := filepath.Join(CacheDir(), "mongodb")
	if !isProgram(dir, "mongod") {
		return "", fmt.Errorf("MongoDB: %w: no mongod on PATH or in %s; %s", ErrMissing, dir, installHint)
	}
	return filepath.Join(dir, "mongod"), nil
}

// MongoDBName returns the product and version of a server's program.
func MongoDBName(path string) string {
	out, _ := exec.Command(path, "--version").Output()
	return "MongoDB " + firstVersion(string(out))
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
