package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kgo"
)

const patience = 20 * time.Second

// tail starts one; what it gives comes out of the channel, which holds nothing.
func tail(t *testing.T, e *env, q api.MessageQuery) (<-chan api.Message, <-chan error, context.CancelFunc) {
	ctx, cancel := context.WithCancel(admin(t))
	out, done := make(chan api.Message), make(chan error, 1)
	go func() {
		done <- e.cluster.Tail(ctx, q, func(m api.Message) error {
			select {
			case out <- m:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(cancel)
	return out, done, cancel
}

func take(t *testing.T, from <-chan api.Message, done <-chan error) api.Message {
	t.Helper()
	select {
	case m := <-from:
		return m
	case err := <-done:
		t.Fatalf("the tail ended: %v", err)
	case <-time.After(patience):
		t.Fatal("no message came")
	}
	return api.Message{}
}

func tailFollows(t *testing.T, e *env) {
	topic := e.topic("tailed", 1)
	e.put(topic, 0, 0, "old")
	from, done, _ := tail(t, e, api.MessageQuery{Topic: topic, From: "earliest"})
	if m := take(t, from, done); m.Value.Text != "old" {
		t.Errorf("got %+v", m)
	}
	e.transaction(topic, ptr(kgo.TryAbort), "aborted")
	e.put(topic, 0, 1, "new")
	if m := take(t, from, done); m.Value.Text != "new" {
		t.Errorf("got %+v", m)
	}

	// Only what is new, and what matches: the other tail shows that it has begun.
	latest, latestDone, cancel := tail(t, e, api.MessageQuery{Topic: topic, Filter: "yes"})
	stop := make(chan struct{})
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				e.client.Produce(context.Background(), &kgo.Record{Topic: topic, Value: fmt.Append(nil, "yes-no"[i%2*4:], i)}, nil)
			}
		}
	}()
	if m := take(t, latest, latestDone); !strings.HasPrefix(m.Value.Text, "yes") {
		t.Errorf("got %+v", m)
	}
	close(stop)
	cancel()
	for {
		select {
		case <-latest:
			continue
		case err := <-latestDone:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		case <-time.After(patience):
			t.Error("the tail does not end")
		}
		break
	}
	failed := errors.New("full")
	err := e.cluster.Tail(admin(t), api.MessageQuery{Topic: topic, From: "earliest"}, func(api.Message) error { return failed })
	if !errors.Is(err, failed) {
		t.Errorf("got %v, want fn's error", err)
	}
}

func tailWaits(t *testing.T, e *env) {
	topic := e.topic("slow", 1)
	const n = 300
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: topic, Value: fmt.Append(nil, i, strings.Repeat("x", 50_000))})
	}
	e.produce(records...) // 15 MB: more than a tail reads ahead
	from, done, _ := tail(t, e, api.MessageQuery{Topic: topic, From: "earliest"})
	for i := range n {
		if m := take(t, from, done); m.Offset != int64(i) {
			t.Fatalf("got offset %d, want %d", m.Offset, i)
		}
	}
}
