package server_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// served is a server in memory that a test talks to over loopback.
type served struct {
	t    testing.TB
	node *node.Node
	addr string
	wire *wire.Server
}

type options struct {
	server server.Config
	node   node.Options
	wire   wire.Config
}

func serve(t testing.TB, change ...func(*options)) *served {
	t.Helper()
	o := options{node: node.Options{FS: vfs.NewMemory(), Dir: "d", Durability: commit.Memory, Partitions: 1}}
	for _, c := range change {
		c(&o)
	}
	n, err := node.Open(t.Context(), o.node)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.server.Node, o.server.Host, o.server.Port = n, "127.0.0.1", int32(l.Addr().(*net.TCPAddr).Port)
	o.server.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := server.New(o.server)
	if err != nil {
		t.Fatal(err)
	}
	o.wire.APIs, o.wire.Features, o.wire.Handler, o.wire.Logger = s.APIs(), s.Features(), s, o.server.Logger
	w := wire.Serve(l, o.wire)
	t.Cleanup(func() { s.Drain(); w.Kill(); s.Stop() })
	return &served{t, n, l.Addr().String(), w}
}

// create makes a topic.
func (s *served) create(name string, partitions int, settings map[string]string) *node.Topic {
	s.t.Helper()
	topics, errs := s.node.Create([]node.NewTopic{{Name: name, Partitions: partitions, Settings: settings}}, false)
	if errs[0] != nil {
		s.t.Fatal(errs[0])
	}
	return topics[0]
}

func (s *served) client(opts ...kgo.Opt) *kgo.Client {
	s.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.addr)}, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

// rawConn sends requests as a test writes them.
type rawConn struct {
	net.Conn
	t    testing.TB
	next int32
}

func (s *served) dial() *rawConn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return &rawConn{Conn: conn, t: s.t}
}

func (c *rawConn) send(req kmsg.Request) {
	c.t.Helper()
	c.next++
	b := binary.BigEndian.AppendUint16(make([]byte, 4), uint16(req.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(req.GetVersion()))
	b = binary.BigEndian.AppendUint32(b, uint32(c.next))
	b = append(b, 0xff, 0xff)
	if req.IsFlexible() {
		b = append(b, 0)
	}
	b = req.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawConn) receive(resp kmsg.Response) error {
	c.SetReadDeadline(time.Now().Add(time.Minute))
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return err
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	b = b[4:]
	if resp.IsFlexible() {
		b = b[1:]
	}
	return resp.ReadFrom(b)
}

func (c *rawConn) ask(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	c.send(req)
	resp := req.ResponseKind()
	if err := c.receive(resp); err != nil {
		c.t.Fatalf("%s version %d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	return resp
}

var unsequenced = batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}

// records are a batch of n records of now.
func recordsOf(n int) []byte {
	var rs []batch.Record
	for range n {
		rs = append(rs, batch.Record{Timestamp: time.Now().UnixMilli(), Key: []byte("k"), Value: []byte("v")})
	}
	return batch.Build(unsequenced, rs...)
}

// produceTo is a request with records for partitions from 0 on of a topic.
func produceTo(version int16, topic string, records ...[]byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = version, -1
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	for i, b := range records {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = int32(i), b
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	return req
}

func (c *rawConn) produce(req *kmsg.ProduceRequest) kmsg.ProduceResponseTopicPartition {
	c.t.Helper()
	return c.ask(req).(*kmsg.ProduceResponse).Topics[0].Partitions[0]
}

func wantError(t testing.TB, what string, code int16, want *kerr.Error) {
	t.Helper()
	wanted := int16(0)
	if want != nil {
		wanted = want.Code
	}
	if code != wanted {
		t.Errorf("%s: %v, want %v", what, kerr.ErrorForCode(code), kerr.ErrorForCode(wanted))
	}
}

// soon is a context for a while.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
