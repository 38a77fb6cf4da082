package saga

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// fireTimers fires what is due, one transaction after the other, and sleeps while
// nothing is. Other processes do the same: each transaction passes over the sagas
// that another one has locked.
func (m *Manager[T, S]) fireTimers(soft, hard context.Context) {
	batch := newTimerBatch(m.cfg.TimerBatch)
	for soft.Err() == nil {
		wait, err := m.untilDue(hard)
		for full := wait == 0; full && err == nil && soft.Err() == nil; {
			full, err = m.fireBatch(hard, batch)
		}
		switch {
		case hard.Err() != nil:
		case err != nil:
			sleep(soft, m.cfg.Backoff.After(m.health.Report(firing, err)))
		default:
			m.health.Solve(firing)
			sleep(soft, max(leastSleep, wait))
		}
	}
}

// leastSleep is the pause where something is due that another process has locked.
const leastSleep = 5 * time.Millisecond

// untilDue is how long nothing is due, at most PollInterval: other processes, and the
// transactions of callers, bring timers, too. The look is cheaper than a transaction.
func (m *Manager[T, S]) untilDue(ctx context.Context) (time.Duration, error) {
	next, err := m.store.NextDue(ctx, m.name)
	switch {
	case err != nil:
		return 0, fmt.Errorf("look for the next timer of sagas %s: %w", m.name, err)
	case next.IsZero():
		return m.cfg.PollInterval, nil
	}
	return min(m.cfg.PollInterval, max(0, next.Sub(m.now()))), nil
}

// fired is what a transaction of timers did.
type fired[S any] struct {
	records  []Record // that were due
	outcomes []outcome[S]
	late     []time.Duration
	worked   []string
	failed   []failedTimer
}

type failedTimer struct {
	record Record
	err    error
}

// fireBatch fires the timers of as many sagas as one transaction takes; full says
// that there may be more. Its error is the database's.
func (m *Manager[T, S]) fireBatch(ctx context.Context, batch *timerBatch) (full bool, err error) {
	limit := batch.limit
	var done fired[S]
	err = m.store.Update(ctx, func(tx T) error {
		done = fired[S]{}
		u := m.newUnit(ctx)
		var err error
		if done.records, err = tx.DueSagas(ctx, m.name, u.now, limit); err != nil {
			return fmt.Errorf("load due sagas %s: %w", m.name, err)
		}
		return m.fireAll(ctx, tx, u, &done)
	})
	if err == nil {
		m.settleTimers(done)
		batch.learn(done.records)
		return len(done.records) == limit, nil
	}
	if ctx.Err() != nil || m.store.Transient(err) || len(done.records) == 0 { // no saga's fault
		batch.limit = max(1, limit/2)
		return false, err
	}
	return true, m.fireEach(ctx, done.records)
}

// fireAll fires the due timers of locked sagas. One whose decision fails is left as
// it is, and due again after a pause.
func (m *Manager[T, S]) fireAll(ctx context.Context, tx T, u *unit, done *fired[S]) error {
	var records []Record
	for _, r := range done.records {
		replaced, outcomes, late, err := m.fireSaga(u, r)
		if err != nil {
			done.failed = append(done.failed, failedTimer{r, err})
			replaced = m.postponed(r, err, u.now)
		} else {
			done.worked = append(done.worked, r.ID)
			done.outcomes = append(done.outcomes, outcomes...)
			done.late = append(done.late, late...)
		}
		records = append(records, replaced)
	}
	if err := m.save(ctx, tx, records); err != nil {
		return err
	}
	return m.publish(ctx, tx, done.outcomes)
}

// maxTimersAtOnce bounds the timers of one saga in one transaction; more are fired
// in the next.
const maxTimersAtOnce = 100

// fireSaga fires all due timers of one saga, the earliest first, also those that
// become due by it.
func (m *Manager[T, S]) fireSaga(u *unit, r Record) (replaced Record, outcomes []outcome[S], late []time.Duration, err error) {
	h := m.hold(r)
	if h.err != nil {
		return r, nil, nil, h.err
	}
	for range maxTimersAtOnce {
		timer, ok := dueTimer(h.instance.Timers, u.now)
		if !ok {
			break
		}
		out, err := m.decide(u, h, Input[S]{Timer: &timer})
		if err != nil {
			return r, nil, nil, fmt.Errorf("%s timer of step %q: %w", timer.Kind, timer.Step, err)
		}
		if !out.changed { // it says nothing to the saga any more
			h.instance.Timers = slices.DeleteFunc(slices.Clone(h.instance.Timers), func(t Timer) bool { return t == timer })
			h.instance.Revision = h.base + 1
			continue
		}
		outcomes = append(outcomes, out)
		late = append(late, u.now.Sub(timer.Due))
	}
	h.instance.Revision = h.base + 1 // also where nothing was due: the stored Due may be wrong
	replaced, err = m.encode(h)
	return replaced, outcomes, late, err
}

// dueTimer is the earliest that is due.
func dueTimer(timers []Timer, now time.Time) (Timer, bool) {
	var due []Timer
	for _, t := range timers {
		if !t.Due.After(now) {
			due = append(due, t)
		}
	}
	if len(due) == 0 {
		return Timer{}, false
	}
	return slices.MinFunc(due, func(a, b Timer) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Step, b.Step))
	}), true
}

// settleTimers counts what has committed.
func (m *Manager[T, S]) settleTimers(done fired[S]) {
	m.counts.add(tallyOf(done.outcomes))
	m.counts.fired(done.late)
	m.counts.postponed.Add(len(done.failed))
	for _, id := range done.worked {
		m.health.sagaWorks(id)
	}
}

// timerBatch adapts the number of sagas in a transaction to their size.
type timerBatch struct{ most, limit int }

// firstBatch begins small, while nothing is known of the sizes: it doubles from there.
const firstBatch = 16

func newTimerBatch(most int) *timerBatch {
	return &timerBatch{most: most, limit: min(most, firstBatch)}
}

// maxTimerBytes is about how much one transaction of timers has in memory.
const maxTimerBytes = 16 << 20

func (b *timerBatch) learn(records []Record) {
	if len(records) == 0 {
		return
	}
	bytes := 0
	for _, r := range records {
		bytes += len(r.State) + len(r.Progress)
	}
	fits := maxTimerBytes / max(1, bytes/len(records))
	b.limit = min(b.most, max(1, fits), b.limit*2)
}
