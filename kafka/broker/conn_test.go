package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"testing/iotest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// pair connects a client to a guarded connection, without a broker behind it.
func pair(t testing.TB, l limits) (client net.Conn, c *guardedConn, g *guard) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g = newGuard(listener, Config{MaxRequestBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler)}, l)
	t.Cleanup(func() { listener.Close(); g.closeConnections() })
	client, c = connectTo(t, g)
	return client, c, g
}

func connectTo(t testing.TB, g *guard) (net.Conn, *guardedConn) {
	t.Helper()
	client, err := net.Dial("tcp", g.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err := g.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, server.(*guardedConn)
}

func metadataRequest(topic string) []byte {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(9)
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, 3)
}

// TestReadsOfAnySize: requests come out as they went in, also where the reader
// asks for a few bytes at a time.
func TestReadsOfAnySize(t *testing.T) {
	sent := bytes.Join([][]byte{metadataRequest("a"), metadataRequest("bcd"), metadataRequest("e")}, nil)
	for _, reader := range []func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r },
		iotest.OneByteReader,
		iotest.HalfReader,
	} {
		client, c, _ := pair(t, defaultLimits)
		client.Write(sent)
		client.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(reader(c))
		if !bytes.Equal(got, sent) || err != nil {
			t.Errorf("got %d of %d bytes, %v", len(got), len(sent), err)
		}
	}
}

func TestStalledRequestsEnd(t *testing.T) {
	l := defaultLimits
	l.request, l.large = 100*time.Millisecond, 1
	client, c, g := pair(t, l)
	head := binary.BigEndian.AppendUint32(nil, largeRequest)
	client.Write(append(head, 0, 0, 0, 9, 0, 0, 0, 1, 'x')) // the beginning of a Produce request
	if _, err := io.ReadAll(c); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a stalled request: got %v", err)
	}
	// Its place among the large requests is free again.
	second, c2 := connectTo(t, g)
	second.Write(append(head, 0, 0, 0, 9, 0, 0, 0, 1, 'x'))
	var size [4]byte
	if _, err := io.ReadFull(c2, size[:]); err != nil || len(g.large) != 1 {
		t.Errorf("the next large request: %v, %d are being read", err, len(g.large))
	}
	c2.Close()
	if len(g.large) != 0 {
		t.Error("closing did not free the place")
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	l := defaultLimits
	l.idle = 50 * time.Millisecond
	_, c, _ := pair(t, l)
	if _, err := io.ReadAll(c); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersNobodyReadsEnd(t *testing.T) {
	l := defaultLimits
	l.answer = 50 * time.Millisecond
	_, c, _ := pair(t, l)
	if _, err := c.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	l := defaultLimits
	l.connections = 2
	_, first, g := pair(t, l)
	connectTo(t, g)
	third, err := net.Dial("tcp", g.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	accepted := make(chan error, 1)
	go func() {
		_, err := g.Accept()
		accepted <- err
	}()
	third.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := third.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one connection too many was not closed: %v", err)
	}
	first.Close()
	fourth, err := net.Dial("tcp", g.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer fourth.Close()
	if err := <-accepted; err != nil {
		t.Error(err)
	}
}

// FuzzGuard sends any bytes. What the guard lets through are whole requests
// that kfake can decode.
func FuzzGuard(f *testing.F) {
	f.Add(metadataRequest("seed"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	for key := range int16(kmsg.MaxKey + 1) {
		if req := kmsg.RequestForKey(key); req != nil && served(key) {
			for v := range req.MaxVersion() + 1 {
				req.SetVersion(v)
				f.Add(kmsg.NewRequestFormatter().AppendRequest(nil, req, int32(key)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		if hasLargeVarint(sent) {
			t.Skip("kmsg counts tags in a body to any number, which takes its time")
		}
		c := &guardedConn{Conn: &fixedConn{Reader: bytes.NewReader(sent)}, guard: newGuard(nil,
			Config{MaxRequestBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler)}, defaultLimits)}
		for {
			var size [4]byte
			if _, err := io.ReadFull(c, size[:]); err != nil {
				return
			}
			request := make([]byte, binary.BigEndian.Uint32(size[:]))
			if _, err := io.ReadFull(c, request); err != nil {
				return
			}
			req := kmsg.RequestForKey(int16(binary.BigEndian.Uint16(request)))
			req.SetVersion(int16(binary.BigEndian.Uint16(request[2:])))
			body, ok := afterHeader(request, req.IsFlexible())
			if err := req.ReadFrom(body); err != nil || !ok {
				t.Errorf("let through: %x: %v", request, err)
			}
		}
	})
}

func hasLargeVarint(b []byte) bool {
	run := 0
	for _, c := range b {
		if c < 0x80 {
			run = 0
		} else if run++; run == 3 {
			return true
		}
	}
	return false
}

// fixedConn has received everything it ever will.
type fixedConn struct {
	net.Conn
	io.Reader
}

func (c *fixedConn) Read(p []byte) (int, error)      { return c.Reader.Read(p) }
func (c *fixedConn) SetReadDeadline(time.Time) error { return nil }
func (c *fixedConn) RemoteAddr() net.Addr            { return &net.TCPAddr{} }
