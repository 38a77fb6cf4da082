package lifecycle

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Problems are what does not work at the moment, by name: what a Health method says.
// Each is logged when it comes, while it lasts every half minute, and when it is gone.
// Safe for use by many goroutines.
type Problems struct {
	log  *slog.Logger
	who  string
	some atomic.Bool // spares the lock where all is well

	mu  sync.Mutex
	now map[string]*problem
}

type problem struct {
	err      error
	failures int
	since    time.Time
	logged   time.Time
	until    time.Time // when it is forgotten by itself; zero: when solved
}

// NewProblems is an empty list; who begins every line of the log.
func NewProblems(log *slog.Logger, who string) *Problems {
	return &Problems{log: log, who: who, now: map[string]*problem{}}
}

// Report says that what the name names does not work and is tried again. It returns
// how often that was said since it worked last.
func (ps *Problems) Report(name string, err error) (failures int) { return ps.add(name, err, 0) }

// Announce is for what has happened and cannot be mended; it is a problem for that
// long.
func (ps *Problems) Announce(name string, err error, lasting time.Duration) {
	ps.add(name, err, lasting)
}

// logEvery is how often one lasting problem is logged.
const logEvery = 30 * time.Second

func (ps *Problems) add(name string, err error, lasting time.Duration) int {
	now := time.Now()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.now[name]
	if p == nil {
		p = &problem{since: now}
		ps.now[name] = p
		ps.some.Store(true)
	}
	p.err = err
	p.failures++
	if lasting > 0 {
		p.until = now.Add(lasting)
	}
	if now.Sub(p.logged) >= logEvery {
		p.logged = now
		ps.tell(name, p)
	}
	return p.failures
}

func (ps *Problems) tell(name string, p *problem) {
	if !p.until.IsZero() {
		ps.log.Error(ps.who+": "+name, "error", p.err)
		return
	}
	ps.log.Warn(ps.who+": "+name+" fails and is repeated", "error", p.err, "since", p.since.Format(time.TimeOnly))
}

// Solve says that it works (again); what was announced stays.
func (ps *Problems) Solve(name string) {
	if !ps.some.Load() {
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.now[name]; p != nil && p.until.IsZero() {
		ps.drop(name)
		ps.log.Info(ps.who+": "+name+" works again", "after", time.Since(p.since).Round(time.Millisecond).String())
	}
}

// Forget drops problems of something that is not the service's any more.
func (ps *Problems) Forget(names ...string) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, name := range names {
		ps.drop(name)
	}
}

func (ps *Problems) drop(name string) {
	delete(ps.now, name)
	ps.some.Store(len(ps.now) > 0)
}

// Err is all of them by name, or nil.
func (ps *Problems) Err() error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	var all []error
	for _, name := range slices.Sorted(maps.Keys(ps.now)) {
		p := ps.now[name]
		if !p.until.IsZero() && time.Now().After(p.until) {
			ps.drop(name)
			continue
		}
		all = append(all, fmt.Errorf("%s: %w", name, p.err))
	}
	return errors.Join(all...)
}
