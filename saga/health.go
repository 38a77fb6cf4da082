package saga

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
)

// Names of what may not work.
const (
	firing   = "firing timers"
	cleaning = "deleting ended sagas"
)

// health is what is wrong at the moment: with the database, and with sagas.
type health struct {
	*lifecycle.Problems
	log     *slog.Logger
	clock   func() time.Time
	backoff outbox.Backoff

	mu    sync.Mutex
	stuck map[string]*stuck // by id
}

// stuck is a saga whose timer cannot be decided.
type stuck struct {
	err      error
	failures int
	logged   time.Time
	next     time.Time // when it is tried again
}

// logEvery is how often a stuck saga is logged.
const logEvery = 30 * time.Second

// maxStuck bounds what is remembered of stuck sagas; others are tried again all the
// same, at the least pause.
const maxStuck = 1000

func newHealth(log *slog.Logger, clock func() time.Time, backoff outbox.Backoff) *health {
	return &health{Problems: lifecycle.NewProblems(log, "sagas"), log: log, clock: clock, backoff: backoff, stuck: map[string]*stuck{}}
}

// sagaFailed says that a saga's timer cannot be decided, and returns when it is to
// be tried again.
func (h *health) sagaFailed(id string, err error, now time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.stuck[id]
	if p == nil {
		p = &stuck{}
		if len(h.stuck) < maxStuck {
			h.stuck[id] = p
		}
	}
	p.err = err
	p.failures++
	p.next = now.Add(h.backoff.After(p.failures))
	if now := time.Now(); now.Sub(p.logged) >= logEvery {
		p.logged = now
		h.log.Error("sagas: a timer cannot be decided and is tried again", "id", id, "error", err, "failures", p.failures)
	}
	return p.next
}

func (h *health) sagaWorks(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.stuck, id)
}

// shownStuck is how many of them an error names.
const shownStuck = 5

func (h *health) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []error{h.Problems.Err()}
	// What was to be tried long ago was decided, or tried, by another process.
	old := h.clock().Add(-2 * h.backoff.Max)
	maps.DeleteFunc(h.stuck, func(_ string, p *stuck) bool { return p.next.Before(old) })
	for n, id := range slices.Sorted(maps.Keys(h.stuck)) {
		if n == shownStuck {
			all = append(all, fmt.Errorf("and %d sagas more", len(h.stuck)-n))
			break
		}
		all = append(all, fmt.Errorf("saga %s: its timer cannot be decided: %w", id, h.stuck[id].err))
	}
	return errors.Join(all...)
}
