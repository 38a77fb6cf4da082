package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// logEvery is how often one lasting problem is logged.
const logEvery = 30 * time.Second

// health is the list of what is wrong at the moment. Each problem is logged
// when it comes, while it lasts every half minute, and when it is gone.
type health struct {
	log *slog.Logger
	mu  sync.Mutex
	now map[string]*problem
}

type problem struct {
	err    error
	since  time.Time
	logged time.Time
	until  time.Time // when it is forgotten by itself; zero: when solved
}

func newHealth(log *slog.Logger) *health { return &health{log: log, now: map[string]*problem{}} }

// report says that what the name names does not work at the moment.
func (h *health) report(name string, err error) { h.add(name, err, 0) }

// announce is for what has happened and cannot be mended; it is reported for
// that long.
func (h *health) announce(name string, err error, lasting time.Duration) { h.add(name, err, lasting) }

func (h *health) add(name string, err error, lasting time.Duration) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.now[name]
	if p == nil {
		p = &problem{since: now}
		h.now[name] = p
	}
	p.err = err
	if lasting > 0 {
		p.until = now.Add(lasting)
	}
	if now.Sub(p.logged) < logEvery {
		return
	}
	p.logged = now
	if lasting > 0 {
		h.log.Error("consumer: "+name, "error", err)
		return
	}
	h.log.Warn("consumer: "+name+" fails and is repeated", "error", err, "since", p.since.Format(time.TimeOnly))
}

// solve says that it works again.
func (h *health) solve(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.now[name]; p != nil && p.until.IsZero() {
		delete(h.now, name)
		h.log.Info("consumer: "+name+" works again", "after", time.Since(p.since).Round(time.Millisecond).String())
	}
}

// forget drops problems of something that is not ours any more.
func (h *health) forget(names ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range names {
		delete(h.now, name)
	}
}

func (h *health) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []error
	for _, name := range slices.Sorted(maps.Keys(h.now)) {
		p := h.now[name]
		if !p.until.IsZero() && time.Now().After(p.until) {
			delete(h.now, name)
			continue
		}
		all = append(all, fmt.Errorf("%s: %w", name, p.err))
	}
	return errors.Join(all...)
}

// limiter lets a line per second through to the log, ten at first.
type limiter struct {
	mu         sync.Mutex
	spare      float64
	last       time.Time
	suppressed int
}

const burst = 10

// log writes the line, with how many were left out before it, or leaves it out.
func (l *limiter) log(to *slog.Logger, level slog.Level, msg string, args ...any) {
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
