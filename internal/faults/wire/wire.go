// Package wire stands between a process and its Kafka or PostgreSQL and tells
// a test of every request before it is passed on and of every answer after it
// was given, so that the test can kill the process, stop it or cut the line at
// exactly that point.
//
// A proxy leads to one server: a Kafka of one node is shown to its clients at
// the proxy's address. Connections are not encrypted.
package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Point is a place in the traffic.
type Point struct {
	// Server is "kafka" or "postgres".
	Server string
	// Op is the request: its name in Kafka's protocol (EndTxn), or for
	// PostgreSQL "commit", another first word of a simple query, "batch" for
	// what ends with a Sync, or "start".
	Op string
	// Answered: the server has carried it out, and the client does not know
	// yet. Otherwise the server has not seen it.
	Answered bool
}

func (p Point) String() string {
	if p.Answered {
		return p.Server + " answered " + p.Op
	}
	return p.Server + " before " + p.Op
}

// Watch is told of each point, from the goroutine that passes it on: as long as
// it does not return, what it was told of is held back. It returns false to cut
// the connection instead. It is called from many goroutines.
type Watch func(Point) (pass bool)

// Protocol is how to read one server's traffic.
type Protocol interface {
	// serve passes on what client and server say until one of them ends.
	serve(client, server net.Conn, watch Watch)
}

// Proxy listens until Close.
type Proxy struct {
	listener net.Listener
	protocol func(self string) Protocol
	target   string
	watch    Watch

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
	work   sync.WaitGroup
}

// Listen starts a proxy to target on a free port of 127.0.0.1.
func Listen(target string, protocol func(self string) Protocol, watch Watch) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proxy to %s: %w", target, err)
	}
	p := &Proxy{listener: l, protocol: protocol, target: target, watch: watch, conns: map[net.Conn]bool{}}
	p.work.Go(p.accept)
	return p, nil
}

// Addr is the proxy's own host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut closes all connections; new ones are taken.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// Close ends the proxy and waits for its goroutines, and so for Watch.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.work.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.connect(client) })
	}
}

func (p *Proxy) connect(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.drop(server)
	p.protocol(p.Addr()).serve(client, server, p.watch)
}

func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return false
	}
	p.conns[conn] = true
	return true
}

func (p *Proxy) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = conn.Close()
	delete(p.conns, conn)
}

// both runs the two directions of a connection; the end of one ends the other.
func both(client, server net.Conn, ask, answer func() error) {
	var pair sync.WaitGroup
	run := func(direction func() error) {
		_ = direction() // a connection that ends is no error here
		_ = client.Close()
		_ = server.Close()
	}
	pair.Go(func() { run(ask) })
	pair.Go(func() { run(answer) })
	pair.Wait()
}

var (
	errCut       = errors.New("the test cut the connection")
	errMalformed = errors.New("malformed")
)

// maxFrame bounds what a length may say.
const maxFrame = 128 << 20

// readBody reads n bytes behind a header into one slice.
func readBody(r io.Reader, header []byte, n int) ([]byte, error) {
	if n < 0 || n > maxFrame {
		return nil, fmt.Errorf("%w: a frame of %d bytes", errMalformed, n)
	}
	frame := make([]byte, len(header)+n)
	copy(frame, header)
	_, err := io.ReadFull(r, frame[len(header):])
	return frame, err
}
