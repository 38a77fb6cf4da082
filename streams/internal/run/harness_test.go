package run

import (
	"encoding/binary"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// counting is a topology by hand: it counts the records of topic "in" by key, in a store
// on disk, and sends each count to "out".
func counting() *plan.Topology {
	store := &plan.Store{Name: "counts", Persistent: true, Logged: true, Kind: "key-value", New: newCounts, Restored: restoreCounts}
	source := &plan.Node{Name: "source", Kind: plan.SourceNode, Topics: []plan.Topic{{Name: "in"}}}
	count := &plan.Node{Name: "count", Kind: plan.ProcessorNode, Stores: []*plan.Store{store}}
	sink := &plan.Node{Name: "sink", Kind: plan.SinkNode, Topics: []plan.Topic{{Name: "out"}}}
	source.Children, count.Parents = []*plan.Node{count}, []*plan.Node{source}
	count.Children, sink.Parents = []*plan.Node{sink}, []*plan.Node{count}
	type receiver = func(*kgo.Record) error
	source.New = func(_ plan.Context, children []any) (plan.Instance, error) {
		return plan.Instance{Head: func(string, int32) (plan.Head, error) { return &head{to: children[0].(receiver)}, nil }}, nil
	}
	count.New = func(c plan.Context, children []any) (plan.Instance, error) {
		s, err := c.Store("counts")
		if err != nil {
			return plan.Instance{}, err
		}
		counts, next := s.(*counts), children[0].(receiver)
		return plan.Instance{Receiver: receiver(func(r *kgo.Record) error {
			if string(r.Value) == "slow" {
				time.Sleep(20 * time.Millisecond)
			}
			if string(r.Value) == "poison" {
				if err := c.Failed("count", errPoison); err != nil {
					return err
				}
				return nil
			}
			n := counts.increment(string(r.Key))
			return next(&kgo.Record{Key: slices.Clone(r.Key), Value: binary.BigEndian.AppendUint64(nil, uint64(n)), Timestamp: r.Timestamp})
		})}, nil
	}
	sink.New = func(c plan.Context, _ []any) (plan.Instance, error) {
		return plan.Instance{Receiver: receiver(func(r *kgo.Record) error {
			r.Topic, r.Partition = c.Topic(plan.Topic{Name: "out"}), -1
			c.Produce("sink", r)
			return nil
		})}, nil
	}
	return &plan.Topology{Subs: []*plan.Sub{{Nodes: []*plan.Node{source, count, sink}, Stores: []*plan.Store{store}}}}
}

type poison struct{}

func (poison) Error() string { return "this record is poison" }

var errPoison = poison{}

type head struct {
	rec *kgo.Record
	to  func(*kgo.Record) error
}

func (h *head) Load(rec *kgo.Record, _ int64) (int64, error) {
	h.rec = rec
	return rec.Timestamp.UnixMilli(), nil
}

func (h *head) Process() error { return h.to(h.rec) }

// counts is a store over a space.
type counts struct {
	c     plan.StoreContext
	dirty map[string]int64
}

func newCounts(c plan.StoreContext) (plan.StateStore, error) {
	return &counts{c, map[string]int64{}}, nil
}

func (s *counts) increment(key string) int64 {
	n, ok := s.dirty[key]
	if !ok {
		if b, found, err := s.c.Space.Get([]byte(key), nil); err != nil {
			panic(err)
		} else if found {
			n = int64(binary.BigEndian.Uint64(b))
		}
	}
	s.dirty[key] = n + 1
	return n + 1
}

func (s *counts) Flush() error { return nil }

func (s *counts) Log() error {
	for _, k := range slices.Sorted(maps.Keys(s.dirty)) {
		s.c.Log([]byte(k), binary.BigEndian.AppendUint64(nil, uint64(s.dirty[k])), 0, nil)
	}
	return nil
}

func (s *counts) Apply(b local.Batch) error {
	for k, n := range s.dirty {
		b.Set(s.c.Space, []byte(k), binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
	s.Discard()
	return nil
}

func (s *counts) Discard()     { clear(s.dirty) }
func (s *counts) Dirty() int64 { return int64(64 * len(s.dirty)) }
func (s *counts) Close()       {}

func restoreCounts(b local.Batch, s local.Space, recs []*kgo.Record) error {
	for _, r := range recs {
		b.Set(s, r.Key, r.Value)
	}
	return nil
}

// configure is what package streams would make of an empty Config, in a folder for the test.
func configure(t testing.TB, k kafka.Config) Config {
	level := slog.LevelError
	if os.Getenv("PABAL_TEST_LOG") != "" {
		level = slog.LevelInfo
	}
	cfg := baseConfig(k)
	cfg.StateDir = t.TempDir()
	cfg.Logger = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: level}))
	return cfg
}

// unhurried is configure for who counts what happens: on a slow machine, too, nobody is missed, and
// no transaction is given up.
func unhurried(t testing.TB, k kafka.Config) Config {
	cfg := configure(t, k)
	cfg.SessionTimeout, cfg.TransactionTimeout = time.Minute, time.Minute
	return cfg
}

func baseConfig(k kafka.Config) Config {
	return Config{
		Topology: counting(), ApplicationID: "app", Kafka: k, ExactlyOnce: true,
		CommitInterval: 20 * time.Millisecond, Workers: 1, AcceptableLag: 10_000, MaxWarmups: 2, ProbeInterval: 10 * time.Minute, CleanupDelay: 10 * time.Minute,
		MemoryBytes: 64 << 20, SessionTimeout: 6 * time.Second, HeartbeatInterval: 200 * time.Millisecond,
		TransactionTimeout: 10 * time.Second, DeadLetterTopic: k.Prefix + "app-dead-letters", Clock: time.Now,
	}
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}
