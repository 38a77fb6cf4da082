package cluster_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// frost holds back requests of one kind, or all ("*"), from freeze on: connections
// stay open and nothing comes, as from a broker that was stopped.
type frost struct {
	op     atomic.Value
	thawed chan struct{}

	mu     sync.Mutex
	counts map[string]int
}

func (f *frost) watch(p wire.Point) bool {
	if !p.Answered {
		f.mu.Lock()
		f.counts[p.Op]++
		f.mu.Unlock()
	}
	if op := f.op.Load(); op == p.Op || op == "*" {
		<-f.thawed
		return false
	}
	return true
}

func (f *frost) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[op]
}

// behind returns the address of a proxy to a broker of this test's own.
func behind(t *testing.T) (*frost, *kafkatest.Cluster, string) {
	real := kafkatest.Start(t)
	f := &frost{thawed: make(chan struct{}), counts: map[string]int{}}
	p, err := wire.Listen(real.Addr(), wire.Kafka, f.watch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	t.Cleanup(func() { close(f.thawed) })
	return f, real, p.Addr()
}

// whole is enough for all requests of a question but the one that is held back.
const whole = 3 * time.Second

// TestABrokerFreezes stops answering at each kind of request in turn.
func TestABrokerFreezes(t *testing.T) {
	for op, ask := range map[string]func(context.Context, *quickly) error{
		"Metadata":        func(ctx context.Context, c *quickly) error { _, err := c.Topics(ctx, api.TopicQuery{}); return err },
		"ListOffsets":     func(ctx context.Context, c *quickly) error { _, err := c.Topics(ctx, api.TopicQuery{}); return err },
		"DescribeConfigs": func(ctx context.Context, c *quickly) error { _, err := c.Topic(ctx, "t"); return err },
		"CreateTopics":    func(ctx context.Context, c *quickly) error { return c.CreateTopic(ctx, api.NewTopic{Name: "new"}) },
		"Fetch": func(ctx context.Context, c *quickly) error {
			_, err := c.Messages(ctx, api.MessageQuery{Topic: "t"})
			return err
		},
		"Produce": func(ctx context.Context, c *quickly) error {
			_, err := c.Produce(ctx, api.ProduceRequest{Topic: "t", Value: "x"})
			return err
		},
		"InitProducerID": func(ctx context.Context, c *quickly) error {
			_, err := c.Produce(ctx, api.ProduceRequest{Topic: "t", Value: "x"})
			return err
		},
		"ListGroups": func(ctx context.Context, c *quickly) error { _, err := c.Groups(ctx, api.PageQuery{}); return err },
		"OffsetCommit": func(ctx context.Context, c *quickly) error {
			_, err := c.Reset(ctx, api.ResetRequest{Group: "g", Topic: "t", To: "latest"})
			return err
		},
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			f, real, addr := behind(t)
			real.Topics(t, "t")
			e := newEnv(t, real.Config, noServices)
			e.put("t", 0, 0, "x")
			e.commit("g", "t", 0)
			c := &quickly{waiting(t, addr, whole)}
			if op != "CreateTopics" && op != "OffsetCommit" && op != "Metadata" && op != "ListOffsets" && op != "ListGroups" {
				testenv.Wait(t, "it to work", patience, func() bool { return ask(t.Context(), c) == nil })
			}
			f.op.Store(op)
			begun := time.Now()
			if err := ask(t.Context(), c); !errors.Is(err, api.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(begun); took > inTime {
				t.Errorf("took %s", took)
			}
			if f.count(op) == 0 {
				t.Errorf("it did not ask for %s: %v", op, f.counts)
			}
		})
	}
}

// TestATailNoticesAFrozenBroker although no answer ever comes.
func TestATailNoticesAFrozenBroker(t *testing.T) {
	f, real, addr := behind(t)
	real.Topics(t, "t")
	c := waiting(t, addr, whole)
	e := newEnv(t, real.Config, noServices)
	e.put("t", 0, 0, "x")
	testenv.Wait(t, "it to work", patience, func() bool {
		_, err := c.Messages(t.Context(), api.MessageQuery{Topic: "t"})
		return err == nil
	})
	seen, done := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		done <- c.Tail(t.Context(), api.MessageQuery{Topic: "t", From: "earliest"}, func(api.Message) error {
			seen <- struct{}{}
			return nil
		})
	}()
	select {
	case <-seen:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	f.op.Store("*")
	select {
	case err := <-done:
		if !errors.Is(err, api.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Error("the tail waits for ever")
	}
}
