package clients_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

var rewrite = flag.Bool("rewrite", false, "write what Apache Kafka answers into testdata/tools")

// tools are the commands of scripts: Apache Kafka's kafka-*.sh by their names, each a class, and the
// programs of its system tests.
var tools = map[string]string{
	"kafka-acls":                      "org.apache.kafka.tools.AclCommand",
	"kafka-broker-api-versions":       "org.apache.kafka.tools.BrokerApiVersionsCommand",
	"kafka-client-metrics":            "org.apache.kafka.tools.ClientMetricsCommand",
	"kafka-cluster":                   "org.apache.kafka.tools.ClusterTool",
	"kafka-configs":                   "kafka.admin.ConfigCommand",
	"kafka-console-consumer":          "org.apache.kafka.tools.consumer.ConsoleConsumer",
	"kafka-console-producer":          "org.apache.kafka.tools.ConsoleProducer",
	"kafka-consumer-groups":           "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
	"kafka-consumer-perf-test":        "org.apache.kafka.tools.ConsumerPerformance",
	"kafka-delegation-tokens":         "org.apache.kafka.tools.DelegationTokenCommand",
	"kafka-delete-records":            "org.apache.kafka.tools.DeleteRecordsCommand",
	"kafka-e2e-latency":               "org.apache.kafka.tools.EndToEndLatency",
	"kafka-features":                  "org.apache.kafka.tools.FeatureCommand",
	"kafka-get-offsets":               "org.apache.kafka.tools.GetOffsetShell",
	"kafka-groups":                    "org.apache.kafka.tools.GroupsCommand",
	"kafka-leader-election":           "org.apache.kafka.tools.LeaderElectionCommand",
	"kafka-log-dirs":                  "org.apache.kafka.tools.LogDirsCommand",
	"kafka-metadata-quorum":           "org.apache.kafka.tools.MetadataQuorumCommand",
	"kafka-producer-perf-test":        "org.apache.kafka.tools.ProducerPerformance",
	"kafka-reassign-partitions":       "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
	"kafka-share-groups":              "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
	"kafka-streams-application-reset": "org.apache.kafka.tools.StreamsResetter",
	"kafka-topics":                    "org.apache.kafka.tools.TopicCommand",
	"kafka-transactions":              "org.apache.kafka.tools.TransactionsCommand",
	"transactional-message-copier":    "org.apache.kafka.tools.TransactionalMessageCopier",
	"verifiable-consumer":             "org.apache.kafka.tools.VerifiableConsumer",
	"verifiable-producer":             "org.apache.kafka.tools.VerifiableProducer",
}

// at are the arguments that tell a tool the broker.
func at(tool, addr string, args []string) []string {
	switch tool {
	case "transactional-message-copier":
		return append([]string{"--broker-list", addr}, args...)
	case "kafka-cluster":
		return append(slices.Clone(args), "--bootstrap-server", addr)
	}
	return append([]string{"--bootstrap-server", addr}, args...)
}

// toolbox is a running Tools.java.
type toolbox struct {
	java *testenv.JavaPeer
	cluster
	login []string // arguments
}

func startTools(t testing.TB, c cluster) *toolbox {
	t.Helper()
	b := &toolbox{java: testenv.StartJavaSource(t, []string{testenv.KafkaTools(t)}, "testdata/Tools.java"), cluster: c}
	if c.ca != "" {
		file := filepath.Join(t.TempDir(), "login.properties")
		login := fmt.Sprintf("security.protocol=SASL_SSL\nssl.truststore.type=PEM\nssl.truststore.location=%s\nsasl.mechanism=SCRAM-SHA-256\n"+
			"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=%q password=%q;\n", c.ca, admin, password)
		if err := os.WriteFile(file, []byte(login), 0o600); err != nil {
			t.Fatal(err)
		}
		b.login = []string{"--command-config", file}
	}
	return b
}

// answer of a tool.
type answer struct {
	Code     int
	Out, Err string
}

// run runs a tool, of which the first word is the name and @ stands for the prefix of names.
func (b *toolbox) run(t testing.TB, stdin string, command ...string) answer {
	t.Helper()
	main := tools[command[0]]
	if main == "" {
		t.Fatalf("there is no tool %s", command[0])
	}
	args := at(command[0], b.addr, append(slices.Clone(command[1:]), b.login...))
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "@", b.prefix)
	}
	line, err := json.Marshal(map[string]any{"main": main, "args": args, "in": stdin})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.java.Ask(line)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	return a
}

// step of a script: a command, what it reads, a file it is given as FILE, and what it prints.
type step struct {
	command          string
	stdin, file, out string
}

// parse reads a script. Lines of commands begin with "> ", those of their input with "< ", those of
// FILE with "| ", those of comments with "# "; all others are what is printed.
func parse(script string) (steps []step, comments []string) {
	for line := range strings.Lines(script) {
		mark, rest := line[:min(2, len(line))], line[min(2, len(line)):]
		switch {
		case mark == "> ":
			steps = append(steps, step{command: strings.TrimSpace(rest)})
		case mark == "# ":
			comments = append(comments, line)
		case len(steps) == 0:
		case mark == "< ":
			steps[len(steps)-1].stdin += rest
		case mark == "| ":
			steps[len(steps)-1].file += rest
		default:
			steps[len(steps)-1].out += line
		}
	}
	return steps, comments
}

func (s step) String() string {
	text := "> " + s.command + "\n"
	for line := range strings.Lines(s.stdin) {
		text += "< " + line
	}
	for line := range strings.Lines(s.file) {
		text += "| " + line
	}
	return text + s.out
}

// script plays a script and compares what is printed.
func (b *toolbox) script(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	steps, comments := parse(string(data))
	if len(steps) == 0 {
		t.Fatalf("%s has no steps", path)
	}
	text := strings.Join(comments, "") + "\n"
	for i, s := range steps {
		want := strings.TrimSpace(s.out)
		steps[i].out = b.play(t, s) + "\n\n"
		text += steps[i].String()
		if got := strings.TrimSpace(steps[i].out); withoutWords(got) != withoutWords(want) && !*rewrite {
			t.Errorf("%s: > %s\ngot\n%s\nwant\n%s", path, s.command, got, want)
		}
	}
	if *rewrite && b.kafka {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// play runs a step and returns what it prints, without what differs from run to run.
func (b *toolbox) play(t *testing.T, s step) string {
	t.Helper()
	command := s.command
	if s.file != "" {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(s.file, "@", b.prefix)), 0o644); err != nil {
			t.Fatal(err)
		}
		command = strings.ReplaceAll(command, "FILE", file)
	}
	words := strings.Fields(command)
	a := b.run(t, strings.ReplaceAll(s.stdin, "@", b.prefix), words...)
	out := steadyOf(words[0], b.steady(a.Out))
	if a.Code == 0 {
		return out
	}
	return strings.TrimSpace(fmt.Sprintf("%s\nexit code %d\n%s", out, a.Code, reason(b.steady(a.Err))))
}

// reason is the first exception, or else line, on the standard error output: the rest are mostly places in
// Java's sources.
func reason(complaint string) string {
	if e := exception.FindString(complaint); e != "" {
		return e
	}
	first, _, _ := strings.Cut(strings.TrimSpace(complaint), "\n")
	if first == "the tool ended" { // as Tools.java has it
		return ""
	}
	return first
}

// steady replaces what differs from run to run.
func (b *toolbox) steady(out string) string {
	out = strings.ReplaceAll(out, b.prefix, "@")
	out = strings.ReplaceAll(out, b.addr, "BROKER")
	for _, r := range varying {
		out = r.what.ReplaceAllString(out, r.by)
	}
	return strings.TrimSpace(out)
}

// steadyOf is steady of what a tool prints: tables have an order by hashes, and some tools tell times.
func steadyOf(tool, out string) string {
	others := func(line string) bool { return !strings.Contains(line, "@") }
	switch tool {
	case "kafka-consumer-groups", "kafka-groups", "kafka-get-offsets":
		out = sorted(out, others)
	case "kafka-acls":
		out = sorted("\n"+indent.ReplaceAllString(out, ""), func(line string) bool { return line == "" })
	case "kafka-features":
		out = epoch.ReplaceAllString(sorted("\n"+out, func(line string) bool { return !strings.Contains(line, "transaction.version") }), "")
	case "transactional-message-copier": // which tells once more of a poll that brought nothing
		out = strings.Join(slices.Compact(strings.Split(out, "\n")), "\n")
	case "kafka-transactions", "kafka-producer-perf-test", "kafka-consumer-perf-test", "kafka-e2e-latency":
		out = number.ReplaceAllString(out, "N")
	}
	return strings.TrimSpace(out)
}

// sorted has the lines behind the first one sorted, but for those that are left out.
func sorted(out string, leftOut func(string) bool) string {
	head, rows, _ := strings.Cut(out, "\n")
	lines := slices.DeleteFunc(strings.Split(rows, "\n"), leftOut)
	slices.Sort(lines)
	return head + "\n" + strings.Join(lines, "\n")
}

var (
	indent    = regexp.MustCompile(`(?m)^\s+`)
	epoch     = regexp.MustCompile(`\s+Epoch: \d+`)
	exception = regexp.MustCompile(`(?m)^[a-z.]+\.[A-Z]\w+Exception.*$`)
	number    = regexp.MustCompile(`\b[0-9]+([.,][0-9]+)*\b`)
)

var varying = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`(TopicId: )\S+`), "${1}ID"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`(Leader|Replicas|Isr): \d+`), "$1: N"},
	{regexp.MustCompile(`, DEFAULT_CONFIG:log\.retention\.ms=604800000`), ""}, // Apache Kafka has it in hours
	{regexp.MustCompile(`min\.insync\.replicas=1,?`), ""},                     // Apache Kafka shows where it has a setting of its own
	{regexp.MustCompile(`\(\d+\)`), "(N)"},
	{regexp.MustCompile(`/127\.0\.0\.1`), "/HOST"},
	{regexp.MustCompile(`"logDir":"[^"]*"`), `"logDir":"FOLDER"`},
	{regexp.MustCompile(`("broker":|brokers |"size":)\d+`), "${1}N"},
	{regexp.MustCompile(`(Cluster ID: )\S+`), "${1}N"},
	{regexp.MustCompile(`\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d[:.,]\d+`), "TIME"},
	{regexp.MustCompile(` +`), " "},
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},
}

// free are the words of errors, which are the broker's own: what kind it is counts.
var free = []*regexp.Regexp{
	regexp.MustCompile(`(Error while executing topic command :).*`),
	regexp.MustCompile(`(errors\.\w+Exception:).*`),
}

func withoutWords(out string) string {
	for _, r := range free {
		out = r.ReplaceAllString(out, "$1")
	}
	return out
}
