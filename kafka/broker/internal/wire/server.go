package wire

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Server serves the connections of one listener.
type Server struct {
	config   Config
	limits   Limits
	apis     map[int16]API
	listener net.Listener
	buffers  *Budget
	large    *Budget
	decoded  *Budget // of requests that are being handled; who has of it waits for no other
	logger   *complaints
	counts   counts
	cutAfter atomic.Int64 // answers until all connections are cut; negative: never

	ctx     context.Context // ends when handlers should not wait any more
	stop    context.CancelFunc
	mu      sync.Mutex
	open    map[*Conn]struct{}
	closing bool
	all     sync.WaitGroup
}

// Serve begins to serve a listener, which becomes the server's.
func Serve(l net.Listener, c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		config: c, limits: c.Limits.withDefaults(), apis: byKey(c.APIs), listener: l,
		open: map[*Conn]struct{}{}, logger: &complaints{to: c.Logger, now: c.Now},
	}
	s.buffers, s.large = NewBudget(s.limits.BufferBytes), NewBudget(s.limits.BufferBytes/2)
	s.decoded = NewBudget(max(s.limits.BufferBytes/4, mostDecoded))
	s.cutAfter.Store(-1)
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.all.Go(s.accept)
	return s
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// accept goes on after what passes, such as no file descriptors left.
func (s *Server) accept() {
	wait := time.Duration(0)
	for {
		conn, err := s.listener.Accept()
		if err == nil {
			wait = 0
			s.admit(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) || s.ctx.Err() != nil {
			return
		}
		s.logger.error("cannot accept connections", "error", err)
		wait = min(max(2*wait, 5*time.Millisecond), time.Second)
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Server) admit(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		nc.Close()
		return
	}
	if len(s.open) >= s.limits.Connections {
		s.counts.refused.Add(1)
		s.logger.warn("connection closed: too many are open", "client", nc.RemoteAddr().String(), "limit", s.limits.Connections)
		nc.Close()
		return
	}
	s.counts.accepted.Add(1)
	c := newConn(s, nc)
	s.open[c] = struct{}{}
	s.all.Go(c.serve)
}

func (s *Server) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) each(do func(*Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		do(c)
	}
}

// Close accepts and reads no more, lets requests under way be answered until ctx ends,
// and closes all connections. It returns when everything has ended.
func (s *Server) Close(ctx context.Context) error {
	s.shut()
	s.each((*Conn).drain)
	s.stop()
	ended := make(chan struct{})
	go func() {
		s.all.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		s.CutConnections()
		<-ended
		return ctx.Err()
	}
}

// Kill closes all connections at once, and returns when everything has ended.
func (s *Server) Kill() {
	s.shut()
	s.CutConnections()
	s.stop()
	s.all.Wait()
}

func (s *Server) shut() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.listener.Close()
}

// CutConnections closes those that are open now, whatever they are at.
func (s *Server) CutConnections() { s.each(func(c *Conn) { c.end(net.ErrClosed) }) }

// CutAfter has all connections closed in place of the answer that would come after n
// more; a negative n calls that off.
func (s *Server) CutAfter(n int) { s.cutAfter.Store(int64(max(n, -1))) }

// cutNow says whether it is time to cut, before an answer is sent.
func (s *Server) cutNow() bool {
	for {
		n := s.cutAfter.Load()
		if n < 0 {
			return false
		}
		if s.cutAfter.CompareAndSwap(n, n-1) {
			return n == 0
		}
	}
}

// Stats are counts since the start, and of now.
type Stats struct {
	Connections       int
	Accepted, Refused uint64 // connections; refused are also those closed for what they sent
	BytesIn, BytesOut uint64
	BufferBytes       int64            // of requests being read or handled
	Requests          map[int16]uint64 // by API key
}

// apiKeys is more than there are.
const apiKeys = 128

type counts struct {
	accepted, refused, in, out atomic.Uint64
	requests                   [apiKeys]atomic.Uint64
}

// Stats returns them.
func (s *Server) Stats() Stats {
	st := Stats{
		Accepted: s.counts.accepted.Load(), Refused: s.counts.refused.Load(), BytesIn: s.counts.in.Load(),
		BytesOut: s.counts.out.Load(), BufferBytes: s.buffers.Used(), Requests: map[int16]uint64{},
	}
	for key := range s.counts.requests {
		if n := s.counts.requests[key].Load(); n > 0 {
			st.Requests[int16(key)] = n
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Connections = len(s.open)
	return st
}

func (s *Server) count(h head) {
	s.counts.in.Add(uint64(headLength + h.size))
	if h.key >= 0 && h.key < apiKeys {
		s.counts.requests[h.key].Add(1)
	}
}

func isProduce(h head) bool { return h.key == int16(kmsg.Produce) }
