package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// failures are the ways in which a record can fail; each shows its stage and node.
var failures = []struct {
	name, value, stage, node string
	process                  func(b *bench) error
}{
	{"decode", "bad", "decode", "source", nil},
	{"panic in the decoder", "panic in load", "decode", "source", nil},
	{"process", "x", "process", "node", func(b *bench) error { return b.context.Failed("node", errors.New("broken")) }},
	{"panic", "x", "process", "source", func(*bench) error { panic("broken") }},
	{"panic with an error", "x", "process", "source", func(*bench) error { panic(errors.New("broken")) }},
}

func failing(t *testing.T, i int, verdict plan.Verdict) *bench {
	f := failures[i]
	b := newBench(t, "a").start()
	b.verdict = verdict
	b.process = func(m message) error {
		if m.value == "x" && f.process != nil {
			return f.process(b)
		}
		return nil
	}
	b.add("a", 5, "before@1", f.value+"@2", "after@3")
	return b
}

func TestFailureStops(t *testing.T) {
	for i, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			b := failing(t, i, plan.Stop)
			_, err := b.task.Process(10)
			var failure *plan.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("not a failure: %v", err)
			}
			if failure.Stage != f.stage || failure.Node != f.node || failure.Task != b.config.ID || failure.Record.Offset != 6 {
				t.Errorf("%+v", failure)
			}
			if !strings.Contains(err.Error(), "task 3_1") || !strings.Contains(err.Error(), "dev.a/1 at offset 6") {
				t.Errorf("the error says too little: %v", err)
			}
			if len(b.failures) != 1 {
				t.Errorf("the handler was asked %d times", len(b.failures))
			}
			if got := b.task.Offsets(); len(got) != 1 || got[0].At != 6 {
				t.Errorf("the failed record counts as processed: %v", got)
			}
			if _, again := b.task.Process(10); again == nil {
				t.Error("it goes on")
			}
		})
	}
}

func TestFailureIsSkipped(t *testing.T) {
	for i, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			b := failing(t, i, plan.Skip)
			b.run()
			if got := strings.Join(b.seen, " ") + " "; b.task.Offsets()[0].At != 8 || b.task.Stats().Skipped != 1 {
				t.Errorf("saw %s; %+v", got, b.task.Stats())
			}
			if b.context.Record() != nil {
				t.Error("there is still a record")
			}
			if b.task.Close(); b.held != 0 {
				t.Errorf("%d bytes leaked", b.held)
			}
		})
	}
}

func TestDeadLetter(t *testing.T) {
	for i, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			b := failing(t, i, plan.DeadLetter)
			b.run()
			if len(b.produced) != 1 {
				t.Fatalf("produced %v", b.produced)
			}
			r := b.produced[0]
			if r.Topic != "dev.dead" || r.Partition != -1 || string(r.Key) != "key" || string(r.Value) != f.value || r.Timestamp.UnixMilli() != 2 {
				t.Errorf("%+v", r)
			}
			headers := map[string]string{}
			for _, h := range r.Headers {
				headers[h.Key] = string(h.Value)
			}
			for name, want := range map[string]string{
				"h": "v", "pabal-topic": "a", "pabal-partition": "1", "pabal-offset": "6", "pabal-node": f.node, "pabal-consumer": "app",
				"pabal-time": "1970-01-01T00:00:01Z",
			} {
				if headers[name] != want {
					t.Errorf("header %s is %q, want %q", name, headers[name], want)
				}
			}
			if headers["pabal-error"] == "" || len(headers["pabal-error"]) > 4096 {
				t.Errorf("error %q", headers["pabal-error"])
			}
			if b.task.Offsets()[0].At != 8 || b.task.Stats().DeadLetters != 1 {
				t.Errorf("%+v", b.task.Stats())
			}
		})
	}
}

func TestNullsInDeadLetters(t *testing.T) {
	b := newBench(t, "a").start()
	b.verdict = plan.DeadLetter
	b.process = func(message) error { return b.context.Failed("node", errors.New("broken")) }
	b.task.Add("dev.a", 1, []*kgo.Record{{Topic: "dev.a", Partition: 1, Timestamp: time.UnixMilli(1)}})
	b.run()
	if r := b.produced[0]; r.Key != nil || r.Value != nil {
		t.Errorf("nulls became %v %v", r.Key, r.Value)
	}
}

func TestNoTopicForDeadLettersStops(t *testing.T) {
	b := failing(t, 2, plan.DeadLetter)
	b.config.DeadLetters = ""
	b.start()
	b.add("a", 0, "x@1")
	if _, err := b.task.Process(1); err == nil {
		t.Error("a dead letter without a topic was lost")
	}
}

func TestHandlerPanics(t *testing.T) {
	b := newBench(t, "a")
	b.config.Fail = func(*plan.Failure) plan.Verdict { panic("the handler itself") }
	b.start()
	b.add("a", 0, "bad@1")
	_, err := b.task.Process(1)
	if err == nil || !strings.Contains(err.Error(), "the handler itself") || !strings.Contains(err.Error(), "not decodable") {
		t.Errorf("%v", err)
	}
}

// TestDecidedOnce: what a child decided is not asked about again by its parents.
func TestDecidedOnce(t *testing.T) {
	b := newBench(t, "a").start()
	b.process = func(message) error {
		err := b.context.Failed("child", errors.New("broken"))
		return b.context.Failed("parent", fmt.Errorf("forwarding: %w", err))
	}
	b.add("a", 0, "x@1")
	if _, err := b.task.Process(1); err == nil || len(b.failures) != 1 || b.failures[0].Node != "child" {
		t.Errorf("%v, asked about %v", err, b.failures)
	}
}

// TestOtherErrorsAreNotAsked: they are not of user code.
func TestOtherErrorsAreNotAsked(t *testing.T) {
	b := newBench(t, "a").start()
	b.verdict = plan.Skip
	b.process = func(message) error { return errors.New("the disk") }
	b.add("a", 3, "x@1")
	_, err := b.task.Process(1)
	if err == nil || len(b.failures) != 0 || !strings.Contains(err.Error(), "at offset 3") {
		t.Errorf("%v, asked about %v", err, b.failures)
	}
}

func TestFailedProducing(t *testing.T) {
	b, _, _, _, _ := withStores(t)
	sink := &plan.Node{Name: "sink", Kind: plan.SinkNode, Topics: []plan.Topic{{Name: "out"}}}
	b.config.Sub.Nodes = append(b.config.Sub.Nodes, sink)
	tooLarge := errors.New("too large")
	out := &kgo.Record{Topic: "dev.out", Value: []byte("v")}
	b.verdict = plan.Skip
	if err := b.task.FailedProducing(out, tooLarge); err != nil || b.failures[0].Node != "sink" || b.failures[0].Produced != out {
		t.Error(err, b.failures)
	}
	b.verdict = plan.DeadLetter
	if err := b.task.FailedProducing(out, tooLarge); err != nil || len(b.produced) != 1 || string(b.produced[0].Value) != "v" {
		t.Error(err, b.produced)
	}
	for _, topic := range []string{"dev.app-logged-changelog", "dev.dead"} {
		if err := b.task.FailedProducing(&kgo.Record{Topic: topic}, tooLarge); err == nil {
			t.Errorf("%s may lack a record", topic)
		}
	}
}
