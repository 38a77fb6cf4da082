package wire_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTooManyConnections(t *testing.T) {
	w := start(t, answerEmpty, limits(func(l *wire.Limits) { l.Connections = 3 }))
	var open []*client
	for range 3 {
		c := w.dial()
		c.ask(heartbeat())
		open = append(open, c)
	}
	w.dial().wantEnd()
	w.wantLogged("too many are open")
	open[0].Close()
	until(t, "there is room again", func() bool { return w.Stats().Connections == 2 })
	w.dial().ask(heartbeat())
}

func TestIdleConnectionsEnd(t *testing.T) {
	var asked atomic.Bool
	release := make(chan struct{})
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		asked.Store(true)
		<-release
		reply(req.ResponseKind())
	}, limits(func(l *wire.Limits) { l.Idle = time.Second }))
	waiting := w.dial()
	id := waiting.send(heartbeat())
	until(t, "it waits for its answer", asked.Load)
	w.dial().wantEnd()
	close(release) // who waits for an answer is not idle, however long
	waiting.want(id, heartbeat().ResponseKind())
}

func TestStalledRequestsEnd(t *testing.T) {
	w := start(t, answerEmpty, limits(func(l *wire.Limits) { l.Request = 30 * time.Millisecond }))
	for _, n := range []int{2, 4, 9, 13, 100} {
		c := w.dial()
		c.write(frame(1, produceOf(1000))[:n])
		c.wantEnd()
	}
	w.wantLogged("did not come to its end")
}

// TestNeverReads: who does not read its answers is given up, and holds bounded memory
// until then.
func TestNeverReads(t *testing.T) {
	var released atomic.Int32
	part := make([]byte, 1<<20)
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if _, ok := req.(*kmsg.HeartbeatRequest); ok {
			reply(req.ResponseKind())
			return
		}
		reply(&wire.Spliced{Parts: net.Buffers{part, part, part, part}, Release: func() { released.Add(1) }})
	}, limits(func(l *wire.Limits) { l.Answer = 100 * time.Millisecond }))
	c := w.dial()
	go func() {
		for range 1000 { // until the connection ends
			if _, err := c.Write(frame(1, produceOf(100))); err != nil {
				return
			}
		}
	}()
	until(t, "it is given up", func() bool { return w.closedConns() == 1 })
	w.wantLogged("does not read its answers")
	if n := w.Stats().Requests[int16(kmsg.Produce)]; n == 0 || n > 70 || int32(n) != released.Load() {
		t.Errorf("%d requests were handled, %d answers released", n, released.Load())
	}
	w.dial().ask(heartbeat())
}

// TestRequestsShareMemory: they wait for it, all come through, and those that need none
// do not wait.
func TestRequestsShareMemory(t *testing.T) {
	gate := make(chan struct{})
	var most, now atomic.Int64
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if r, ok := req.(*kmsg.ProduceRequest); ok {
			n := int64(len(r.Topics[0].Partitions[0].Records))
			for sum := now.Add(n); ; {
				if old := most.Load(); sum <= old || most.CompareAndSwap(old, sum) {
					break
				}
			}
			<-gate
			now.Add(-n)
		}
		reply(req.ResponseKind())
	}, limits(func(l *wire.Limits) { l.RequestBytes, l.PlainBytes, l.BufferBytes = 1<<20, 1<<16, 4<<20 }))
	var clients []*client
	for range 12 {
		c := w.dial()
		go c.Write(frame(1, produceOf(1<<20-100)))
		clients = append(clients, c)
	}
	until(t, "the memory is used", func() bool { return w.Stats().BufferBytes > 3<<20 })
	w.dial().ask(heartbeat())
	close(gate)
	for _, c := range clients {
		c.want(1, produceOf(1).ResponseKind())
	}
	if most.Load() > 4<<20 {
		t.Errorf("%d bytes at a time", most.Load())
	}
	until(t, "all is given back", func() bool { return w.Stats().BufferBytes == 0 })
}

// TestWhoLeavesWhileWaitingForMemory does not keep it.
func TestWhoLeavesWhileWaitingForMemory(t *testing.T) {
	gate := make(chan struct{})
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		<-gate
		reply(req.ResponseKind())
	}, limits(func(l *wire.Limits) { l.RequestBytes, l.PlainBytes, l.BufferBytes = 1<<20, 1<<16, 2<<20 }))
	var clients []*client
	for range 6 {
		c := w.dial()
		go c.Write(frame(1, produceOf(1<<20-100)))
		clients = append(clients, c)
	}
	until(t, "the memory is used", func() bool { s := w.Stats(); return s.BufferBytes > 1<<20-1000 && s.Connections == 6 })
	w.CutConnections()
	close(gate)
	for _, c := range clients {
		c.wantEnd()
	}
	until(t, "all is given back", func() bool { return w.Stats().BufferBytes == 0 && w.Stats().Connections == 0 })
}

func authenticate(c *wire.Config) { c.Authenticate = true }

// TestUnknownSendLittle: small requests are all that who has not authenticated may send.
func TestUnknownSendLittle(t *testing.T) {
	w := start(t, answerEmpty, authenticate)
	large := w.dial()
	large.write(frame(1, produceOf(5<<10))[:100])
	large.wantEnd()
	w.wantLogged("at most 4096 are served")
}

// TestAuthentication: who does not in time is closed, whatever it sends.
func TestAuthentication(t *testing.T) {
	w := start(t, func(_ context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if r, ok := req.(*kmsg.HeartbeatRequest); ok && r.Generation == 7 {
			c.Authenticated()
		}
		reply(req.ResponseKind())
	}, authenticate, limits(func(l *wire.Limits) { l.Unknown = 300 * time.Millisecond }))
	var known *client
	login := heartbeat()
	login.Generation = 7
	until(t, "one is in time", func() bool { // on a slow machine not the first
		known = w.dial()
		known.Write(frame(1, login))
		_, _, err := known.receive()
		return err == nil
	})
	known.ask(produceOf(100 << 10))
	silent := w.dial()
	silent.Write(frame(1, heartbeat()))
	silent.wantEnd()
	w.wantLogged("it has not authenticated")
	known.ask(heartbeat())

	ahead := w.dial() // always has begun its next request
	one := frame(1, heartbeat())
	ahead.Write(one[:1])
	began := time.Now()
	for time.Since(began) < 30*time.Second {
		if _, err := ahead.Write(append(bytes.Clone(one[1:]), one[0])); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, ahead, 14); err != nil {
			return
		}
	}
	t.Error("who has always begun a request need not authenticate")
}

// TestManyConnections: thousands that are idle cost little, and are served.
func TestManyConnections(t *testing.T) {
	w := start(t, answerEmpty)
	const count = 2000
	open := make([]net.Conn, 0, count)
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	before := memory()
	for range count {
		c, err := net.Dial("tcp", w.Addr().String())
		if err != nil {
			t.Skipf("after %d connections: %v", len(open), err)
		}
		open = append(open, c)
		c.Write(frame(1, produceOf(10<<10)))
	}
	var all sync.WaitGroup
	for _, c := range open {
		all.Go(func() {
			if _, err := io.CopyN(io.Discard, c, 12); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	each := (memory() - before) / count
	t.Logf("%d bytes for each connection, with the client's side", each)
	if each > 40<<10 {
		t.Errorf("%d bytes for each connection", each)
	}
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func TestClosedServersAnswerWhatIsUnderWay(t *testing.T) {
	began := make(chan struct{})
	w := start(t, func(ctx context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		if req.(*kmsg.HeartbeatRequest).Generation == 1 {
			close(began)
			<-ctx.Done() // as a fetch waits
		}
		reply(req.ResponseKind())
	})
	busy, idle := w.dial(), w.dial()
	idle.ask(heartbeat())
	slow := heartbeat()
	slow.Generation = 1
	id := busy.send(slow)
	<-began
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	busy.want(id, slow.ResponseKind())
	busy.wantEnd()
	idle.wantEnd()
	if c, err := net.Dial("tcp", w.Addr().String()); err == nil {
		c.Close()
		t.Error("connected after Close")
	}
}

func TestCloseEndsInTime(t *testing.T) {
	began := make(chan struct{})
	replies := make(chan func(wire.Answer), 1)
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		replies <- reply
		close(began)
	})
	c := w.dial()
	c.send(heartbeat())
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := w.Close(ctx); err == nil {
		t.Error("a request was not answered, and nothing said")
	}
	c.wantEnd()
	released := false
	(<-replies)(&wire.Spliced{Release: func() { released = true }})
	if !released {
		t.Error("an answer after the end was not released")
	}
}

func TestCutAfter(t *testing.T) {
	w := start(t, answerEmpty)
	c, other := w.dial(), w.dial()
	other.ask(heartbeat())
	w.CutAfter(2)
	c.ask(heartbeat())
	c.ask(heartbeat())
	c.send(heartbeat())
	c.wantEnd()
	other.wantEnd()
	until(t, "the request was handled though", func() bool { return w.Stats().Requests[int16(kmsg.Heartbeat)] == 4 })
	w.dial().ask(heartbeat())
}

func TestBudgetIsFairAndWhole(t *testing.T) {
	b := wire.NewBudget(10)
	ctx, cancel := context.WithCancel(t.Context())
	if b.Take(ctx, 8) != nil {
		t.Fatal("none left")
	}
	first, second := make(chan error), make(chan error)
	go func() { first <- b.Take(ctx, 9) }()
	until(t, "one waits", func() bool { return b.Free() == 0 })
	go func() { second <- b.Take(t.Context(), 1) }()
	select {
	case <-second:
		t.Error("it did not wait in line")
	case <-time.After(10 * time.Millisecond):
	}
	cancel()
	if err := <-first; err == nil {
		t.Error("ctx has ended")
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
	b.Give(9)
	if b.Used() != 0 || b.Free() != 10 {
		t.Errorf("%d used, %d free", b.Used(), b.Free())
	}
}

// TestFragments: requests are read however they are cut.
func TestFragments(t *testing.T) {
	w := start(t, answerEmpty)
	c := w.dial()
	var sent bytes.Buffer
	for i := range int32(40) {
		sent.Write(frame(i, produceOf(int(i)*97)))
		sent.Write(frame(i, heartbeat()))
	}
	go func() {
		for n := 1; sent.Len() > 0; n = n*3%1511 + 1 {
			c.Write(sent.Next(n))
		}
	}()
	for i := range int32(40) {
		c.want(i, produceOf(0).ResponseKind())
		c.want(i, heartbeat().ResponseKind())
	}
}

// without is a listener that has no file descriptors left at first.
type without struct {
	net.Listener
	times atomic.Int32
}

func (l *without) Accept() (net.Conn, error) {
	if l.times.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestNoFileDescriptorsLeft(t *testing.T) {
	noneLeft(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, log: &logged{}}
	short := &without{Listener: l}
	short.times.Store(4)
	w.Server = wire.Serve(short, wire.Config{APIs: apis, Handler: handling{w, answerEmpty}, Logger: slog.New(slog.NewTextHandler(w.log, nil))})
	t.Cleanup(w.Kill)
	w.dial().ask(heartbeat())
	w.wantLogged("cannot accept connections")
}
