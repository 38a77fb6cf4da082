package server

import (
	"log/slog"
	"sync"
	"time"
)

// rarely logs what clients cause to be found again and again, as they repeat a request
// that fails: once in a while for each partition.
type rarely struct {
	mu   sync.Mutex
	told map[occasion]time.Time
}

type occasion struct {
	what, topic string
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

func (r *rarely) error(logger *slog.Logger, now time.Time, o occasion, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := now.Sub(r.told[o])
	if _, ok := r.told[o]; ok && since >= 0 && since < againAfter {
		return
	}
	if r.told == nil || len(r.told) >= mostOccasions {
		r.told = map[occasion]time.Time{}
	}
	r.told[o] = now
	logger.Error(o.what, append([]any{"topic", o.topic, "partition", o.partition}, args...)...)
}
