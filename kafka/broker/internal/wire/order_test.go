package wire_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestAnswers(t *testing.T) {
	w := start(t, func(_ context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if c.ClientID != "test" || c.Host != "127.0.0.1" || c.Principal != "User:ANONYMOUS" {
			t.Errorf("client %q from %q, %q", c.ClientID, c.Host, c.Principal)
		}
		r := req.(*kmsg.HeartbeatRequest)
		resp := r.ResponseKind().(*kmsg.HeartbeatResponse)
		resp.ThrottleMillis = r.Generation
		reply(resp)
	})
	c := w.dial()
	for i := range int32(20) {
		req := heartbeat()
		req.Version, req.Generation = int16(i%4)+1, i
		if got := c.ask(req).(*kmsg.HeartbeatResponse).ThrottleMillis; got != i {
			t.Fatalf("answer %d, want %d", got, i)
		}
	}
	if s := w.Stats(); s.Connections != 1 || s.Requests[int16(kmsg.Heartbeat)] != 20 || s.BytesIn == 0 || s.BytesOut == 0 {
		t.Errorf("%+v", s)
	}
	c.Close()
	until(t, "the handler knows that the connection is gone", func() bool { return w.closedConns() == 1 })
}

// TestProduceIsPipelined: requests are handled before earlier ones are answered, and
// answered in order, whatever the order in which the handler has answers.
func TestProduceIsPipelined(t *testing.T) {
	var mu sync.Mutex
	var replies []func(wire.Answer)
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if _, ok := req.(*kmsg.ProduceRequest); !ok {
			reply(req.ResponseKind())
			return
		}
		resp := req.ResponseKind()
		mu.Lock()
		defer mu.Unlock()
		replies = append(replies, func(wire.Answer) { reply(resp) })
	})
	c := w.dial()
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(replies) }
	var ids []int32
	for range 10 {
		ids = append(ids, c.send(produceOf(100)))
	}
	ids = append(ids, c.send(heartbeat()), c.send(produceOf(10)))
	until(t, "ten are handled", func() bool { return count() == 10 })
	slices.Reverse(replies)
	for _, reply := range replies {
		reply(nil)
	}
	for _, id := range ids[:10] {
		c.want(id, produceOf(1).ResponseKind())
	}
	c.want(ids[10], heartbeat().ResponseKind())
	until(t, "the one after the heartbeat is handled", func() bool { return count() == 11 })
	replies[10](nil)
	c.want(ids[11], produceOf(1).ResponseKind())
}

// TestOneAtATime: but for Produce.
func TestOneAtATime(t *testing.T) {
	var running atomic.Int32
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if running.Add(1) > 1 {
			t.Error("two requests at a time")
		}
		go func() {
			running.Add(-1)
			reply(req.ResponseKind())
		}()
	})
	c := w.dial()
	go func() {
		for range 200 {
			c.send(heartbeat())
		}
	}()
	for i := range int32(200) {
		c.want(i+1, heartbeat().ResponseKind())
	}
}

func TestPipelineIsBounded(t *testing.T) {
	for name, change := range map[string]func(*wire.Limits){
		"by count": func(l *wire.Limits) { l.Pipelined = 3 },
		"by bytes": func(l *wire.Limits) { l.PipelinedBytes = 5500 },
	} {
		t.Run(name, func(t *testing.T) {
			var handled atomic.Int32
			replies := make(chan func(), 100)
			w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
				handled.Add(1)
				resp := req.ResponseKind()
				replies <- func() { reply(resp) }
			}, limits(change))
			c := w.dial()
			for range 8 {
				c.send(produceOf(1000))
			}
			for i := range int32(8) {
				want := min(3+i, 8)
				until(t, "as many as may be", func() bool { return handled.Load() == want })
				(<-replies)()
				c.want(i+1, produceOf(1).ResponseKind())
			}
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		r, ok := req.(*kmsg.ProduceRequest)
		switch {
		case !ok:
			reply(req.ResponseKind())
		case r.Acks == 0:
			reply(wire.NoAnswer)
		default:
			reply(nil)
		}
	})
	c := w.dial()
	silent := produceOf(10)
	silent.Acks = 0
	c.send(silent)
	c.send(silent)
	c.ask(heartbeat())
	c.send(produceOf(10))
	c.wantEnd()
}

// TestSpliced: parts are sent in order, among other answers, and released once.
func TestSpliced(t *testing.T) {
	var released atomic.Int32
	large := make([]byte, 3<<20)
	for i := range large {
		large[i] = byte(i * 7)
	}
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if _, ok := req.(*kmsg.ProduceRequest); !ok {
			reply(req.ResponseKind())
			return
		}
		reply(&wire.Spliced{Parts: [][]byte{[]byte("a"), large, {}, []byte("z")}, Flexible: true, Release: func() { released.Add(1) }})
	})
	c := w.dial()
	for range 3 {
		id := c.send(produceOf(1))
		got, body, err := c.receive()
		if err != nil || got != id {
			t.Fatal(got, err)
		}
		want := slices.Concat([]byte{0, 'a'}, large, []byte("z"))
		if !slices.Equal(body, want) {
			t.Fatalf("%d bytes, want %d", len(body), len(want))
		}
		c.ask(heartbeat())
	}
	if released.Load() != 3 {
		t.Errorf("released %d times", released.Load())
	}
}
