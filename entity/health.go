package entity

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/lifecycle"
)

// Health is nil, or says what does not work at the moment: the database, or
// entities that cannot be recovered. The host goes on trying by itself.
func (h *Host[C, S, R]) Health() error {
	return errors.Join(h.health.err(), h.pace.err(h.cfg.Clock()))
}

// Names of what may not work.
const (
	reading = "reading states"
	storing = "storing"
)

// health is what is wrong at the moment.
type health struct {
	*lifecycle.Problems

	mu     sync.Mutex
	faults map[string]error // by persistence id
	some   atomic.Bool      // spares the lock where all is well
}

func (h *health) broken(pid string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.faults == nil {
		h.faults = map[string]error{}
	}
	h.faults[pid] = err
	h.some.Store(true)
}

// recovered also follows where a broken one leaves memory.
func (h *health) recovered(pid string) {
	if !h.some.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.faults, pid)
	h.some.Store(len(h.faults) > 0)
}

func (h *health) err() error {
	const shown = 3
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []error{h.Problems.Err()}
	for i, pid := range slices.Sorted(maps.Keys(h.faults)) {
		if i == shown {
			all = append(all, fmt.Errorf("and %d entities more that cannot be recovered", len(h.faults)-shown))
			break
		}
		all = append(all, h.faults[pid])
	}
	return errors.Join(all...)
}

// patience is how long nothing may be stored while commands wait for it.
const patience = 10 * time.Second

// pace notices that the database does not answer.
type pace struct {
	mu       sync.Mutex
	underway int
	last     time.Time // the last answer, or the begin of waiting for one
}

func (p *pace) begin(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.underway == 0 {
		p.last = now
	}
	p.underway++
}

func (p *pace) end(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underway--
	p.last = now
}

func (p *pace) err(now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since := now.Sub(p.last); p.underway > 0 && since > patience {
		return fmt.Errorf("%s: %d commands wait, and the database has not answered for %v", storing, p.underway, since.Round(time.Second))
	}
	return nil
}
