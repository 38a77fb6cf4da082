package server

import (
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
)

// rarely logs what clients cause to be found again and again, as they repeat a request
// that fails: once in a while for each partition, or client.
type rarely struct {
	mu   sync.Mutex
	told map[occasion]time.Time
}

type occasion struct {
	what, topic string // or the client's host
	partition   int32
}

const (
	againAfter    = 10 * time.Second
	mostOccasions = 1000
)

// complain tells the operator, rarely.
func (s *Server) complain(o occasion, args ...any) {
	s.rarely.error(s.config.Logger, s.config.Now(), o, args...)
}

// warn tells the operator what a client is to blame for, rarely.
func (s *Server) warn(c *wire.Conn, what string, args ...any) {
	if s.rarely.due(s.config.Now(), occasion{what, c.Host, -1}) {
		s.config.Logger.Warn(what, append([]any{"client", c.Remote.String()}, args...)...)
	}
}

func (r *rarely) error(logger *slog.Logger, now time.Time, o occasion, args ...any) {
	if r.due(now, o) {
		logger.Error(o.what, append([]any{"topic", o.topic, "partition", o.partition}, args...)...)
	}
}

// due says whether it is time to log something, and counts it as logged.
func (r *rarely) due(now time.Time, o occasion) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := now.Sub(r.told[o])
	if _, ok := r.told[o]; ok && since >= 0 && since < againAfter {
		return false
	}
	if r.told == nil || len(r.told) >= mostOccasions {
		r.told = map[occasion]time.Time{}
	}
	r.told[o] = now
	return true
}
