package console

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

const (
	eventStream = "text/event-stream"
	keepAlive   = 15 * time.Second
	// slow is how long a client may take for one event before it is given up.
	slow = 20 * time.Second
	// maxStreams are open at the same time, of either kind.
	maxStreams = 256
)

// streams counts those open, and ends them all.
type streams struct {
	open atomic.Int64
	// ended is closed when the console stops.
	ended chan struct{}
	end   sync.Once
}

func (s *streams) stop() { s.end.Do(func() { close(s.ended) }) }

// stream is one answer of server-sent events. Its methods may be called at the same
// time.
type stream struct {
	mu  sync.Mutex
	w   http.ResponseWriter
	out *http.ResponseController
}

// begin opens a stream; the caller calls done when it is through. ctx ends when the
// client goes, the user may no longer read, or the console stops.
func (c *Console) beginStream(w http.ResponseWriter, r *http.Request) (s *stream, ctx context.Context, done func(), err error) {
	if c.streams.open.Add(1) > maxStreams {
		c.streams.open.Add(-1)
		return nil, nil, nil, fmt.Errorf("%w: %d streams are open, no more are allowed", api.ErrBusy, maxStreams)
	}
	s = &stream{w: w, out: http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", eventStream)
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	ctx, cancel := context.WithCancel(r.Context())
	var kept sync.WaitGroup
	kept.Go(func() {
		defer cancel()
		c.keep(ctx, s, r)
	})
	return s, ctx, func() {
		cancel()
		kept.Wait()
		c.streams.open.Add(-1)
	}, nil
}

// keep sends keep-alives until ctx ends, or ends it.
func (c *Console) keep(ctx context.Context, s *stream, r *http.Request) {
	every := time.NewTicker(c.keepAlive)
	defer every.Stop()
	if s.write([]byte("retry: 2000\n: keep-alive\n\n")) != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.streams.ended:
			return
		case <-every.C:
			if !c.still(r) || s.write([]byte(": keep-alive\n\n")) != nil {
				return
			}
		}
	}
}

// frame is an event as it is sent. Data is JSON, which has no line breaks.
func frame(event, id string, data []byte) []byte {
	return fmt.Appendf(nil, "event: %s\nid: %s\ndata: %s\n\n", event, id, bytes.TrimSpace(data))
}

// write sends a frame, and fails when the client does not take it in time.
func (s *stream) write(frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.out.SetWriteDeadline(time.Now().Add(slow)) // recorders of tests have none
	if _, err := s.w.Write(frame); err != nil {
		return err
	}
	return s.out.Flush()
}
