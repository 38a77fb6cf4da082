// Package semantics says what topologies make of their input, record by record, as Kafka
// Streams does: tables for the test driver, the in-process broker and Apache Kafka alike.
package semantics

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams"
)

// Runner starts topologies: on the test driver, or as an App with a broker.
type Runner interface {
	// Start runs the topology until the test ends. Its topics (local names) have one
	// partition and are empty.
	Start(t testing.TB, topology *streams.Topology, topics []string) App
}

// App is a topology that runs, without a record cache.
type App interface {
	// Pipe produces a record, whose Topic is a local name, and returns when it is processed
	// wholly, through internal topics, and committed.
	Pipe(t testing.TB, r *kgo.Record)
	// Read returns what was committed to a topic since the last Read, in order.
	Read(t testing.TB, topic string) []*kgo.Record
}

// Case is a topology with its input. It writes strings to the topic "out".
type Case struct {
	Name  string
	Build func(b *streams.Builder)
	// Script has a line for each record: its topic, "key=value@time", and after "->" what
	// comes out of it. A value ∅ is a tombstone, a key - none.
	Script string
}

// Cases are all of them.
func Cases() []Case {
	return slices.Concat(joinsOfTables(), joinsOfStreams(), stateless(), aggregates(), windows(), foreign(), versioned())
}

// Run runs all cases as subtests.
func Run(t *testing.T, r Runner) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.run(t, r) })
	}
}

func (c Case) run(t *testing.T, r Runner) {
	steps, err := parse(c.Script)
	if err != nil {
		t.Fatal(err)
	}
	topology, err := c.Topology()
	if err != nil {
		t.Fatal(err)
	}
	app := r.Start(t, topology, topicsOf(steps))
	for i, s := range steps {
		app.Pipe(t, s.record())
		var got []string
		for _, rec := range app.Read(t, "out") {
			got = append(got, show(rec))
		}
		if !slices.Equal(got, s.want) {
			t.Fatalf("step %d, %s:\n got %s\nwant %s", i+1, s.text, strings.Join(got, " "), strings.Join(s.want, " "))
		}
	}
}

// Topology is what Build makes.
func (c Case) Topology() (*streams.Topology, error) {
	b := streams.NewBuilder()
	c.Build(b)
	return b.Build()
}

// Inputs are the topics that the script writes to.
func (c Case) Inputs() ([]string, error) {
	steps, err := parse(c.Script)
	return topicsOf(steps)[1:], err
}

// topicsOf the steps, the output first.
func topicsOf(steps []step) []string {
	topics := []string{"out"}
	for _, s := range steps {
		if !slices.Contains(topics, s.topic) {
			topics = append(topics, s.topic)
		}
	}
	return topics
}

// step is a record and what comes out of it.
type step struct {
	text, topic string
	key, value  []byte
	time        int64
	want        []string
}

func (s step) record() *kgo.Record {
	return &kgo.Record{Topic: s.topic, Key: s.key, Value: s.value, Timestamp: time.UnixMilli(s.time)}
}

func show(r *kgo.Record) string {
	key, value := string(r.Key), string(r.Value)
	if r.Key == nil {
		key = "-"
	}
	if r.Value == nil {
		value = "∅"
	}
	return fmt.Sprintf("%s=%s@%d", key, value, r.Timestamp.UnixMilli())
}

// parse reads a script.
func parse(script string) ([]step, error) {
	var steps []step
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		in, out, _ := strings.Cut(line, "->")
		s := step{text: line, want: strings.Fields(out)}
		var key, value string
		fields := strings.Fields(in)
		ok := len(fields) == 2
		if ok {
			s.topic = fields[0]
			key, value, ok = strings.Cut(fields[1], "=")
		}
		value, at, timed := strings.Cut(value, "@")
		if _, err := fmt.Sscan(at, &s.time); err != nil || !ok || !timed {
			return nil, fmt.Errorf("line %q is not: topic key=value@time -> key=value@time ...", line)
		}
		if key != "-" {
			s.key = []byte(key)
		}
		if value != "∅" {
			s.value = []byte(value)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// oneKey is a script of records of one key k to the topics L and R: the inputs as "LA@3", and
// for each the outputs as "Aa@4", with commas between several and · for none.
func oneKey(inputs, outputs string) string {
	var script strings.Builder
	in, out := strings.Fields(inputs), strings.Fields(outputs)
	for i, r := range in {
		fmt.Fprintf(&script, "%s k=%s ->", r[:1], r[1:])
		if i < len(out) && out[i] != "·" {
			for _, o := range strings.Split(out[i], ",") {
				fmt.Fprintf(&script, " k=%s", o)
			}
		}
		script.WriteString("\n")
	}
	return script.String()
}
