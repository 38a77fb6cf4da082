package wire_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// world is a server with a handler that a test decides on.
type world struct {
	*wire.Server
	t   testing.TB
	log *logged

	mu     sync.Mutex
	closed int
}

type handler func(ctx context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer))

type handling struct {
	w  *world
	do handler
}

func (h handling) Handle(ctx context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
	h.do(ctx, c, req, reply)
}

func (h handling) Closed(*wire.Conn) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	h.w.closed++
}

func (w *world) closedConns() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// logged is a log that is read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// apis are those that tests send.
var apis = []wire.API{
	{Key: int16(kmsg.Produce), Min: 3, Max: 13}, {Key: int16(kmsg.Fetch), Min: 4, Max: 17}, {Key: int16(kmsg.Metadata), Min: 0, Max: 12},
	{Key: int16(kmsg.Heartbeat), Min: 0, Max: 4}, {Key: int16(kmsg.JoinGroup), Min: 0, Max: 9}, {Key: int16(kmsg.SyncGroup), Min: 0, Max: 5},
}

// answerEmpty answers every request at once, with nothing.
func answerEmpty(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
	reply(req.ResponseKind())
}

// start serves a handler on loopback, until the test ends, when no goroutine is left.
func start(t testing.TB, do handler, options ...func(*wire.Config)) *world {
	t.Helper()
	noneLeft(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, log: &logged{}}
	config := wire.Config{APIs: apis, Handler: handling{w, do}, Logger: slog.New(slog.NewTextHandler(w.log, nil))}
	for _, o := range options {
		o(&config)
	}
	w.Server = wire.Serve(l, config)
	t.Cleanup(w.Kill)
	return w
}

// noneLeft fails the test if goroutines of the package are left at its end.
func noneLeft(t testing.TB) {
	t.Cleanup(func() {
		stacks := make([]byte, 1<<20)
		for range 200 {
			n := runtime.Stack(stacks, true)
			if !strings.Contains(string(stacks[:n]), "internal/wire.(") {
				return
			}
			time.Sleep(5 * time.Millisecond) // the last one may be at its return
		}
		t.Errorf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
	})
}

func limits(change func(*wire.Limits)) func(*wire.Config) {
	return func(c *wire.Config) { change(&c.Limits) }
}

// client is a connection that a test drives byte by byte.
type client struct {
	net.Conn
	t    testing.TB
	next int32
}

func (w *world) dial() *client { return w.dialIn(w.t) }

// dialIn is dial in a test within the world's.
func (w *world) dialIn(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return &client{Conn: conn, t: t}
}

// frame is a request as it is sent.
func frame(correlation int32, req kmsg.Request) []byte {
	b := make([]byte, 4)
	b = binary.BigEndian.AppendUint16(b, uint16(req.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(req.GetVersion()))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = append(b, 0, 4, 't', 'e', 's', 't')
	if req.IsFlexible() {
		b = append(b, 0)
	}
	b = req.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// send sends a request and returns its correlation id.
func (c *client) send(req kmsg.Request) int32 {
	c.t.Helper()
	c.next++
	c.write(frame(c.next, req))
	return c.next
}

// receive reads an answer: its correlation id and what follows.
func (c *client) receive() (int32, []byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return 0, nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:])-4)
	_, err := io.ReadFull(c, body)
	return int32(binary.BigEndian.Uint32(head[4:])), body, err
}

// want reads the answer to a request.
func (c *client) want(correlation int32, resp kmsg.Response) {
	c.t.Helper()
	got, body, err := c.receive()
	if err != nil {
		c.t.Fatal(err)
	}
	if got != correlation {
		c.t.Fatalf("answer to %d, want that to %d", got, correlation)
	}
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a request and waits for its answer.
func (c *client) ask(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	resp := req.ResponseKind()
	c.want(c.send(req), resp)
	return resp
}

// wantEnd waits for the server to close the connection.
func (c *client) wantEnd() {
	c.t.Helper()
	for {
		_, _, err := c.receive()
		if e, ok := err.(net.Error); ok && e.Timeout() {
			c.t.Fatal("the connection was not closed")
		}
		if err != nil {
			return
		}
	}
}

// until waits for a state.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (w *world) wantLogged(s string) {
	w.t.Helper()
	until(w.t, "logged "+s, func() bool { return strings.Contains(w.log.String(), s) })
}

func heartbeat() *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Version, req.Group, req.MemberID = 4, "g", "m"
	return req
}

func produceOf(n int) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = 9, -1
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = make([]byte, n)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = "t", append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	return req
}
