package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Limiter lets a line per second through to a log, ten at first. The zero Limiter is
// ready to use, by many goroutines.
type Limiter struct {
	mu         sync.Mutex
	spare      float64
	last       time.Time
	suppressed int
}

const burst = 10

// Log writes the line, with how many were left out before it, or leaves it out.
func (l *Limiter) Log(to *slog.Logger, level slog.Level, msg string, args ...any) {
	l.mu.Lock()
	now := time.Now()
	l.spare = min(burst, l.spare+now.Sub(l.last).Seconds())
	l.last = now
	if l.spare < 1 {
		l.suppressed++
		l.mu.Unlock()
		return
	}
	l.spare--
	if l.suppressed > 0 {
		args = append(args, "like_this_not_logged", l.suppressed)
		l.suppressed = 0
	}
	l.mu.Unlock()
	to.Log(context.Background(), level, msg, args...)
}
