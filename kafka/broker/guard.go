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
	// mostConnections at a time; each costs goroutines and buffers.
	mostConnections = 1024
	// largeRequest and above are read by at most largeAtOnce connections at a
	// time: their memory is taken before their bytes come.
	largeRequest = 256 << 10
	largeAtOnce  = 8
	// plainRequest bounds requests that carry no records.
	plainRequest = 1 << 20
	// maxFetchBytes bounds an answer with records, though one batch always
	// fits. (Apache Kafka's fetch.max.bytes, smaller.)
	maxFetchBytes = 16 << 20
)

// How long the other side may take. Clients are on this machine.
const (
	idleTime    = 15 * time.Minute // between requests
	requestTime = 10 * time.Second // for one request, once it began
	answerTime  = 30 * time.Second // for each answerChunk
	answerChunk = 1 << 20
)

// guard stands between clients and kfake: it lets whole, known, bounded
// requests through and ends the connections of others, as Apache Kafka does.
type guard struct {
	net.Listener
	maxRequest int
	log        *slog.Logger
	large      chan struct{} // holds one for each large request being read
	ended      chan struct{} // closed by closeConnections

	mu     sync.Mutex
	open   map[*guardedConn]struct{}
	closed bool
}

func newGuard(l net.Listener, c Config) *guard {
	return &guard{
		Listener:   l,
		maxRequest: c.MaxRequestBytes,
		log:        c.Logger,
		large:      make(chan struct{}, largeAtOnce),
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
	if g.closed || len(g.open) >= mostConnections {
		if !g.closed {
			g.log.Warn("connection closed: too many are open", "client", conn.RemoteAddr().String(), "limit", mostConnections)
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
