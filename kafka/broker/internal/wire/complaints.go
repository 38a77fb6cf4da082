package wire

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Of lines of one kind so many are written in so long.
const (
	complaintsAtOnce = 10
	complaintsEvery  = 10 * time.Second
)

// complaints writes to the log, but not a line for each of a flood of connections.
type complaints struct {
	to  *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	since   time.Time
	written int
	left    int // out
}

func (c *complaints) warn(message string, args ...any)  { c.log(slog.LevelWarn, message, args) }
func (c *complaints) error(message string, args ...any) { c.log(slog.LevelError, message, args) }

func (c *complaints) log(level slog.Level, message string, args []any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if age := now.Sub(c.since); age >= complaintsEvery || age < 0 {
		if c.left > 0 {
			args = append(args, "more_like_it", c.left)
		}
		c.since, c.written, c.left = now, 0, 0
	}
	if c.written >= complaintsAtOnce {
		c.left++
		return
	}
	c.written++
	c.to.Log(context.Background(), level, message, args...)
}
