package broker

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Bounds on what clients may hold.
const (
	// largeRequest and above are read by few connections at a time: their
	// memory is taken before their bytes come.
	largeRequest = 256 << 10
	// plainRequest bounds requests that carry no records.
	plainRequest = 1 << 20
	// maxFetchBytes bounds an answer with records, though one batch always
	// fits. (Apache Kafka's fetch.max.bytes, smaller.)
	maxFetchBytes = 16 << 20
	// answerChunk is what the other side must read within limits.answer.
	answerChunk = 1 << 20
)

// limits on how many and how long. Clients are on this machine.
type limits struct {
	connections int           // at a time; each costs goroutines and buffers
	large       int           // large requests at a time
	idle        time.Duration // between requests
	request     time.Duration // for one request, once it began
	answer      time.Duration // for each answerChunk
}

var defaultLimits = limits{
	connections: 1024,
	large:       8,
	idle:        15 * time.Minute,
	request:     10 * time.Second,
	answer:      30 * time.Second,
}

// guard stands between clients and kfake: it lets whole, known, bounded
// requests through and ends the connections of others, as Apache Kafka does.
type guard struct {
	net.Listener
	limits     limits
	maxRequest int
	log        *slog.Logger
	large      chan struct{} // holds one for each large request being read
	ended      chan struct{} // closed by closeConnections

	mu     sync.Mutex
	open   map[*guardedConn]struct{}
	closed bool
}

func newGuard(l net.Listener, c Config, limits limits) *guard {
	return &guard{
		Listener:   l,
		limits:     limits,
		maxRequest: c.MaxRequestBytes,
		log:        c.Logger,
		large:      make(chan struct{}, limits.large),
		ended:      make(chan struct{}),
		open:       map[*guardedConn]struct{}{},
	}
}

// Accept is called by kfake, which takes any error for the end. So it goes on
// after a connection it refuses, and after what passes (no file descriptors
// left).
func (g *guard) Accept() (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		conn, err := g.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil, err
			}
			g.log.Error("cannot accept a connection", "error", err)
			select {
			case <-time.After(wait):
			case <-g.ended:
			}
			continue
		}
		if guarded := g.admit(conn); guarded != nil {
			return guarded, nil
		}
		wait = time.Millisecond
	}
}

func (g *guard) admit(conn net.Conn) *guardedConn {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || len(g.open) >= g.limits.connections {
		if !g.closed {
			g.log.Warn("connection closed: too many are open", "client", conn.RemoteAddr().String(), "limit", g.limits.connections)
		}
		conn.Close()
		return nil
	}
	guarded := &guardedConn{Conn: conn, guard: g}
	g.open[guarded] = struct{}{}
	return guarded
}

// closeConnections ends those that are left, so that no client waits for a
// broker that is gone.
func (g *guard) closeConnections() {
	g.mu.Lock()
	if !g.closed {
		close(g.ended)
	}
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
