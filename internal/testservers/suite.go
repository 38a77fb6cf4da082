package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// The environment variables by which tests find what they run against. Each is
// exported by Suite.Env, and one that is set beforehand is used as it stands,
// so that servers of the user's own (deploy/compose.yaml) can be named.
const (
	EnvKafka         = "PABAL_TEST_KAFKA"          // host:port, or several with commas
	EnvKafkaTools    = "PABAL_TEST_KAFKA_TOOLS"    // folder with jars
	EnvPostgres      = "PABAL_TEST_POSTGRES"       // URL of a superuser
	EnvPostgres18    = "PABAL_TEST_POSTGRES18"     // folder with bin, lib and share of a PostgreSQL 18
	EnvRedis         = "PABAL_TEST_REDIS"          // redis:// URL
	EnvMongoDB       = "PABAL_TEST_MONGODB"        // mongodb:// URL of a replica set
	EnvMariaDB       = "PABAL_TEST_MARIADB"        // mysql:// URL of a superuser
	EnvDebezium      = "PABAL_TEST_DEBEZIUM"       // folder with lib and plugins
	EnvKcat          = "PABAL_TEST_KCAT"           // path of the program
	EnvKafkaJS       = "PABAL_TEST_KAFKAJS"        // folder with node_modules
	EnvPython        = "PABAL_TEST_PYTHON"         // folder with confluent_kafka
	EnvConfluentJava = "PABAL_TEST_CONFLUENT_JAVA" // folder with jars
	EnvApicurioJava  = "PABAL_TEST_APICURIO_JAVA"  // folder with jars
	EnvPekko         = "PABAL_TEST_PEKKO"          // folder with classes and lib
	EnvKStreams      = "PABAL_TEST_KSTREAMS"       // folder with classes and lib
	EnvChromium      = "PABAL_TEST_CHROMIUM"       // path of the program
	// EnvSkips names a file to which package testenv adds a line per skip.
	EnvSkips = "PABAL_TEST_SKIPS"
	// EnvRequire lists, with commas, the parts whose absence is a failure.
	EnvRequire = "PABAL_REQUIRE"
)

// part is one thing that tests can run against.
type part struct {
	name, env string
	// open finds or starts the part. It returns an error with ErrMissing where
	// the part is not installed.
	open func(context.Context) (opened, error)
}

// opened says what was found: its name with its version, the value of its
// environment variable, and the server where one was started.
type opened struct {
	title, value string
	server       *Server
}

var parts = []part{
	{"kafka", EnvKafka, func(ctx context.Context) (opened, error) { return openServer(StartKafka(ctx, "", sharedKafka)) }},
	{"kafka-tools", EnvKafkaTools, func(context.Context) (opened, error) { return openTool(FindKafkaTools, KafkaToolsName) }},
	{"postgres", EnvPostgres, func(ctx context.Context) (opened, error) { return openServer(StartPostgres(ctx, "")) }},
	{"postgres18", EnvPostgres18, func(context.Context) (opened, error) {
		return openTool(FindPostgres18, func(dir string) string { return PostgresName(filepath.Join(dir, "bin")) })
	}},
	{"redis", EnvRedis, func(ctx context.Context) (opened, error) { return openServer(StartRedis(ctx)) }},
	{"mongodb", EnvMongoDB, func(ctx context.Context) (opened, error) { return openServer(StartMongoDB(ctx)) }},
	{"mariadb", EnvMariaDB, func(ctx context.Context) (opened, error) { return openServer(StartMariaDB(ctx)) }},
	{"debezium", EnvDebezium, func(context.Context) (opened, error) { return openTool(FindDebezium, DebeziumName) }},
	{"kcat", EnvKcat, func(context.Context) (opened, error) { return openTool(FindKcat, KcatName) }},
	{"kafkajs", EnvKafkaJS, func(context.Context) (opened, error) { return openTool(FindKafkaJS, KafkaJSName) }},
	{"confluent-python", EnvPython, func(context.Context) (opened, error) { return openTool(FindConfluentPython, ConfluentPythonName) }},
	{"confluent-java", EnvConfluentJava, func(context.Context) (opened, error) { return openTool(FindConfluentJava, ConfluentJavaName) }},
	{"apicurio-java", EnvApicurioJava, func(context.Context) (opened, error) { return openTool(FindApicurioJava, ApicurioJavaName) }},
	{"pekko", EnvPekko, func(context.Context) (opened, error) { return openTool(FindPekko, PekkoName) }},
	{"kstreams", EnvKStreams, func(context.Context) (opened, error) { return openTool(FindKStreams, KStreamsName) }},
	{"chromium", EnvChromium, func(context.Context) (opened, error) { return openTool(FindChromium, ChromiumName) }},
}

// Suite is a set of servers and tools for one run of tests.
type Suite struct {
	found   map[string]opened // by part
	missing []string          // parts
}

// StartSuite starts the servers and finds the tools named by only, or all of
// them where only is empty. What is not installed is listed by Summary; what
// PABAL_REQUIRE names and is missing, or is installed and does not start, is an
// error, and nothing is left running.
func StartSuite(ctx context.Context, only []string) (*Suite, error) {
	required, err := Required()
	if err != nil {
		return nil, err
	}
	if err := known("-only", only); err != nil {
		return nil, err
	}
	results, errs := openAll(ctx, only)
	s := &Suite{found: map[string]opened{}}
	var failed []error
	for i, p := range parts {
		switch err := errs[i]; {
		case err == nil:
			s.found[p.name] = results[i]
		case !errors.Is(err, ErrMissing):
			failed = append(failed, err)
		case slices.Contains(required, p.name):
			failed = append(failed, fmt.Errorf("%s names %s, which is missing: %w", EnvRequire, p.name, err))
		default:
			s.missing = append(s.missing, p.name)
		}
	}
	if len(failed) > 0 {
		return nil, errors.Join(append(failed, s.Close())...)
	}
	return s, nil
}

// openAll opens the parts side by side.
func openAll(ctx context.Context, only []string) ([]opened, []error) {
	results, errs := make([]opened, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() {
			switch value := os.Getenv(p.env); {
			case len(only) > 0 && !slices.Contains(only, p.name):
				errs[i] = fmt.Errorf("%s: %w: left out by -only", p.name, ErrMissing)
			case value != "":
				results[i] = opened{title: p.name + " as " + p.env + " says", value: value}
			default:
				results[i], errs[i] = p.open(ctx)
			}
		})
	}
	wg.Wait()
	return results, errs
}

// Env returns the variables for a command, as "NAME=value".
func (s *Suite) Env() []string {
	var env []string
	for _, p := range parts {
		env = append(env, p.env+"="+s.found[p.name].value)
	}
	return env
}

// Summary is one line on what the tests run against and what is missing.
func (s *Suite) Summary() string {
	titles := make([]string, 0, len(parts)+2)
	for _, p := range parts {
		if o, ok := s.found[p.name]; ok {
			titles = append(titles, o.title)
		}
	}
	titles = append(titles, "in-process broker", "SQLite")
	missing := "nothing"
	if len(s.missing) > 0 {
		missing = strings.Join(s.missing, ", ")
	}
	return "ran against: " + strings.Join(titles, ", ") + "; missing: " + missing
}

// Close stops the servers and removes their folders.
func (s *Suite) Close() error {
	var all []error
	for _, o := range s.found {
		if o.server != nil {
			all = append(all, o.server.Close())
		}
	}
	return errors.Join(all...)
}

// Required returns the parts that PABAL_REQUIRE names. A name that is no part
// is an error: a misspelt one would require nothing.
func Required() ([]string, error) {
	names := strings.FieldsFunc(os.Getenv(EnvRequire), func(r rune) bool { return r == ',' || r == ' ' })
	return names, known(EnvRequire, names)
}

func known(where string, names []string) error {
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = p.name
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return fmt.Errorf("%s names %q, which is not known; it takes %s", where, name, strings.Join(all, ", "))
		}
	}
	return nil
}

func openServer(s *Server, err error) (opened, error) {
	if err != nil {
		return opened{}, err
	}
	return opened{title: s.Name, value: s.URL, server: s}, nil
}

func openTool(find func() (string, error), name func(string) string) (opened, error) {
	path, err := find()
	if err != nil {
		return opened{}, err
	}
	return opened{title: name(path), value: path}, nil
}
