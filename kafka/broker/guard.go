package broker

import (
	"fmt"
	"log/slog"
	"net"
	"sync"
)

// guard stands between clients and kfake: it lets whole, known, bounded
// requests through and ends the connections of others, as Apache Kafka does.
type guard struct {
	net.Listener
	maxRequest int
	log        *slog.Logger

	mu     sync.Mutex
	open   map[*guardedConn]struct{}
	closed bool
}

func newGuard(l net.Listener, c Config) *guard {
	return &guard{Listener: l, maxRequest: c.MaxRequestBytes, log: c.Logger, open: map[*guardedConn]struct{}{}}
}

// Accept is called by kfake.
func (g *guard) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	guarded := &guardedConn{Conn: conn, guard: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	g.open[guarded] = struct{}{}
	return guarded, nil
}

// closeConnections ends those that are left, so that no client waits for a
// broker that is gone.
func (g *guard) closeConnections() {
	g.mu.Lock()
	g.closed = true
	left := g.open
	g.open = map[*guardedConn]struct{}{}
	g.mu.Unlock()
	for conn := range left {
		conn.Conn.Close()
	}
}

func (g *guard) forget(c *guardedConn) {
	g.mu.Lock()
	delete(g.open, c)
	g.mu.Unlock()
}

// guardedConn checks each request's first bytes before kfake reads them; the
// rest passes without a copy. Only one goroutine reads.
type guardedConn struct {
	net.Conn
	guard *guard

	head   [headLength]byte
	unread []byte // of head, checked, not yet handed on
	body   int    // bytes of the request still to come from the connection
}

func (c *guardedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.unread) == 0 && c.body == 0 {
		if err := c.nextRequest(); err != nil {
			return 0, err
		}
	}
	if len(c.unread) > 0 {
		n := copy(p, c.unread)
		c.unread = c.unread[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.body)])
	c.body -= n
	return n, err
}

func (c *guardedConn) nextRequest() error {
	h, err := readHead(c.Conn, &c.head, c.guard.maxRequest)
	if err != nil {
		if r, ok := err.(refusal); ok {
			c.guard.log.Warn("connection closed: "+string(r), "client", c.RemoteAddr().String())
		}
		return fmt.Errorf("broker guard: %w", err)
	}
	c.unread, c.body = c.head[:], h.size-(headLength-4)
	return nil
}

func (c *guardedConn) Close() error {
	c.guard.forget(c)
	return c.Conn.Close()
}
