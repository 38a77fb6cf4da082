package outbox

import (
	"context"
	"fmt"
	"time"
)

// term is one relay's time as the active one, from its lease to the first
// error. What it holds in memory is only what it knows to be under way: any
// error ends it, and the next one begins from database and log.
type term struct {
	*Relay
	session *session
	settler *settler
	wake    <-chan struct{}

	batch    int64 // the last one committed in Kafka
	settled  int64 // the last one settled in the database
	underway []underway

	water     lowWater
	watered   time.Time
	sinceMark int

	next    *ahead
	changes int // what was read ahead before the last one is no good

	aside      aside
	asideRead  time.Time
	asideStale bool
	holds      holds
	letters    map[int64]fullness // of rows whose dead letter was refused
}

// underway is what was handed to the settler.
type underway struct {
	mark batchMark // N is 0 for a refusal
	ids  ranges
	keys []TopicKey // wait for it
}

// asideLimit is how many rows set aside are looked at.
const asideLimit = 2000

// goOn: there may be more to do.
const goOn = time.Duration(0)

// run publishes until stop is closed; then it finishes what is under way.
func (t *term) run(ctx context.Context, stop <-chan struct{}) error {
	go t.settler.run(ctx)
	defer func() { <-t.settler.gone }()
	open := true
	finish := func() {
		if open {
			open = false
			close(t.settler.todo)
		}
	}
	defer finish()
	defer t.dropAhead()
	for {
		if err := t.collect(); err != nil {
			return err
		}
		select {
		case <-stop:
			finish()
			<-t.settler.gone
			return t.collect()
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
		wait, err := t.step(ctx)
		if err != nil {
			return err
		}
		t.publishState()
		if wait > goOn {
			t.sleep(ctx, stop, wait)
		}
	}
}

// step does the next thing there is to do, and says how long to wait after it
// for want of another.
func (t *term) step(ctx context.Context) (wait time.Duration, err error) {
	if t.pausing.err() != nil {
		t.dropAhead()
		return t.cfg.PollInterval, nil
	}
	if t.crowded() {
		return t.cfg.PollInterval, nil
	}
	if rest := t.session.gap.left(time.Now()); rest > 0 {
		pause(ctx, rest, t.stop)
	}
	if err := t.lookAside(ctx); err != nil {
		return 0, err
	}
	if did, err := t.workAside(ctx); did || err != nil {
		return goOn, err
	}
	if t.aside.full {
		return t.untilDue(), nil
	}
	if err := t.raiseMark(ctx); err != nil {
		return 0, err
	}
	rows, err := t.pending(ctx)
	if err != nil {
		return 0, err
	}
	if len(rows) == 0 {
		return t.untilDue(), nil
	}
	t.readAhead(ctx, rows)
	return goOn, t.publishRows(ctx, rows)
}

// workAside publishes rows set aside that are due, or their dead letters.
func (t *term) workAside(ctx context.Context) (did bool, err error) {
	if len(t.aside.rows) == 0 || t.refusing() {
		return false, nil
	}
	now := time.Now()
	left := t.aside.without(t.onTheWay())
	publish, dead := left.due(now, t.cfg.MaxAttempts, func(topic string) bool { return t.holds.held(topic, now) })
	if len(dead) > 0 && !t.holds.held(t.cfg.DeadLetterTopic, now) {
		return true, t.publishDead(ctx, dead)
	}
	if len(publish) == 0 {
		return false, nil
	}
	rows, err := t.store.Load(ctx, publish[:min(len(publish), t.pace.rows)], t.cfg.BatchBytes)
	if err != nil {
		return false, fmt.Errorf("reading rows set aside: %w", err)
	}
	t.asideStale = true
	return true, t.publishRows(ctx, rows)
}

func (t *term) lookAside(ctx context.Context) error {
	if !t.asideStale && time.Since(t.asideRead) < t.cfg.PollInterval {
		return nil
	}
	rows, err := t.store.SetAside(ctx, asideLimit)
	if err != nil {
		return fmt.Errorf("reading rows set aside: %w", err)
	}
	t.aside = aside{rows: rows, full: len(rows) == asideLimit}
	t.asideRead, t.asideStale = time.Now(), false
	return nil
}

// raiseMark is done often while rows flow: every read begins at the mark.
func (t *term) raiseMark(ctx context.Context) error {
	if t.sinceMark < maxBatchRows/4 && time.Since(t.watered) < t.cfg.PollInterval {
		return nil
	}
	horizon, err := t.store.Horizon(ctx)
	if err != nil {
		return fmt.Errorf("reading the horizon: %w", err)
	}
	t.water.observe(horizon)
	oldest, ok, err := t.store.OldestPending(ctx, t.water.mark)
	if err != nil {
		return fmt.Errorf("reading the oldest pending row: %w", err)
	}
	t.water.advance(oldest, ok)
	t.watered, t.sinceMark = time.Now(), 0
	return nil
}

// exclusion is what Pending leaves out: topics held, keys with a row set aside
// (or refused just now), and rows on their way.
func (t *term) exclusion() Exclusion {
	onTheWay := t.onTheWay()
	keys := t.aside.without(onTheWay).keys()
	for _, u := range t.underway {
		keys = append(keys, u.keys...)
	}
	return Exclusion{Topics: t.holds.names(time.Now()), Keys: keys, IDs: onTheWay}
}

func (t *term) onTheWay() ranges {
	sets := make([]ranges, len(t.underway))
	for i, u := range t.underway {
		sets[i] = u.ids
	}
	return union(sets...)
}

func (t *term) crowded() bool { return len(t.underway) >= maxUnsettled }

// refusing says whether a refusal is on its way: until it is stored, nobody can
// tell which rows set aside must wait for it.
func (t *term) refusing() bool {
	for _, u := range t.underway {
		if u.mark.N == 0 {
			return true
		}
	}
	return false
}

// untilDue is how long nothing is due, at most the poll interval.
func (t *term) untilDue() time.Duration {
	now := time.Now()
	wait := t.cfg.PollInterval
	for _, at := range []time.Time{t.aside.nextDue(now), t.holds.next(now)} {
		if !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
	}
	return max(wait, time.Millisecond)
}

func (t *term) sleep(ctx context.Context, stop <-chan struct{}, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.wake:
	case <-t.pausing.changed:
	case n := <-t.settler.done:
		t.forget(n)
	case <-t.settler.gone:
	case <-stop:
	case <-ctx.Done():
	}
}
