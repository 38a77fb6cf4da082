package projection

import (
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// flush handles the batch: in one transaction, or, after a failure, in smaller
// ones until the event that fails is alone. The cursor goes with the last.
func (t *tenure) flush() error {
	for len(t.batch) > 0 {
		if err := t.proceed(); err != nil {
			return err
		}
		n := min(t.cut, len(t.batch))
		cursor := t.cursor
		if n < len(t.batch) {
			cursor = nil
		}
		out := t.apply(t.hard, t.batch[:n], 1, cursor)
		switch {
		case out.ending == committed:
			t.handled(n, cursor)
			t.cut = min(2*n, t.cfg.size())
		case out.ending == refused && n > 1:
			t.cut = n / 2
			if out.at > 0 {
				t.cut = out.at // those before it are not to blame
			} else if out.at == 0 {
				t.cut = 1
			}
		case out.ending == refused:
			if err := t.failed(out.err, cursor); err != nil {
				return err
			}
		default:
			t.cut = max(1, n/2)
			if err := t.settle(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// failed follows the failure of the batch's first event alone, its first attempt.
// It returns nil once the event is handled or skipped.
func (t *tenure) failed(err error, cursor journal.Cursor) error {
	i := t.batch[0]
	attempt := 1
	for ; t.retries() && attempt <= t.cfg.Retries; attempt++ {
		t.counts.retried.Add(1)
		t.panics.Log(t.log, slog.LevelWarn, "an event failed and is retried", "persistence_id", i.event.PersistenceID,
			"seq_nr", i.event.SeqNr, "type", typeOf(i.event.Payload), "attempt", attempt, "error", err)
		if sleep(t.drain, t.cfg.Backoff.After(attempt), nil); t.drain.Err() != nil {
			return errDrained
		}
		out, ended := t.attempt(i, attempt+1, cursor)
		if ended != nil {
			return ended
		}
		if out.ending == committed {
			t.handled(1, cursor)
			return nil
		}
		err = out.err
	}
	t.counts.failed.Add(1)
	if t.cfg.OnFailure == Skip || t.cfg.OnFailure == RetryAndSkip {
		return t.skip(i, attempt, err, cursor)
	}
	return t.stuck(i, attempt, err)
}

func (t *tenure) retries() bool {
	return t.cfg.OnFailure == RetryAndFail || t.cfg.OnFailure == RetryAndSkip
}

// attempt repeats what the database refused until it is the handler's turn.
func (t *tenure) attempt(i item, attempt int, cursor journal.Cursor) (result, error) {
	for {
		if err := t.proceed(); err != nil {
			return result{}, err
		}
		out := t.apply(t.hard, []item{i}, attempt, cursor)
		if out.ending == committed || out.ending == refused {
			return out, nil
		}
		if err := t.settle(out); err != nil {
			return result{}, err
		}
	}
}

// skip goes on after the batch's first event, which becomes a dead letter where
// there is a topic for them.
func (t *tenure) skip(i item, attempts int, reason error, cursor journal.Cursor) error {
	err := t.insist(func() result {
		if t.cfg.DeadLetterTopic == "" {
			return t.save(t.hard, []item{i}, cursor)
		}
		return t.save(t.hard, []item{i}, cursor, letter(t.cfg.DeadLetterTopic, t.cfg.Name, i, attempts, reason, t.cfg.Clock()))
	})
	if err != nil {
		return err
	}
	t.panics.Log(t.log, slog.LevelError, "an event is skipped", "persistence_id", i.event.PersistenceID, "seq_nr", i.event.SeqNr,
		"type", typeOf(i.event.Payload), "attempts", attempts, "error", reason)
	t.counts.skipped.Add(1)
	t.left(1, cursor)
	return nil
}

func (t *tenure) stuck(i item, attempts int, err error) error {
	return &EventError{
		Projection: t.claim.Projection, PersistenceID: i.event.PersistenceID, SeqNr: i.event.SeqNr, Type: typeOf(i.event.Payload),
		Attempts: attempts, Err: err,
	}
}

// handled follows the commit of the batch's first events.
func (t *tenure) handled(n int, cursor journal.Cursor) {
	t.counts.handled.Add(n)
	t.left(n, cursor)
}

// left takes the first events, which are stored, out of the batch.
func (t *tenure) left(n int, cursor journal.Cursor) {
	latest := t.batch[n-1].event.Time
	for _, i := range t.batch[:n] {
		t.bytes -= i.size()
	}
	if t.batch = t.batch[n:]; len(t.batch) == 0 {
		t.batch, t.bytes = nil, 0
	}
	t.slot.progressed(t.claim.Slices)
	t.slot.show(func(v *view) { v.latest, v.consumed, v.done = latest, t.cfg.Clock().UTC(), v.done+n })
	t.savedCursor(cursor)
}

// savedCursor follows a commit; the cursor is nil where it was not moved.
func (t *tenure) savedCursor(cursor journal.Cursor) {
	t.touch = time.Now()
	if cursor == nil {
		return
	}
	t.screen.saved, t.cursor = cursor, nil
	t.slot.show(func(v *view) { v.saved, v.done = cursor, 0 })
}

// proceed waits while the projection is paused, and says when to give up.
func (t *tenure) proceed() error {
	for t.drain.Err() == nil {
		changed, _ := t.runner.paused.wait()
		if !t.pauses.now(t.hard) {
			t.slot.show(func(v *view) { v.state = StateRunning })
			return nil
		}
		t.slot.show(func(v *view) { v.state = StatePaused })
		sleep(t.drain, t.pauseInterval(), changed)
	}
	return errDrained
}

// settle pauses after what the database refused, or says why the tenure is over.
// It is where a transaction may have been committed: a new claim waits for its end,
// and reads what is stored.
func (t *tenure) settle(out result) error {
	switch out.ending {
	case fenced:
		return ErrFenced
	case stopped:
		return errDrained
	case unknown:
		return out.err
	}
	t.slot.failures++
	t.health.Report(t.slot.problem(t.claim.Slices), out.err)
	t.slot.show(func(v *view) { v.problem = out.err.Error() })
	if sleep(t.drain, t.cfg.Backoff.After(t.slot.failures), nil); t.drain.Err() != nil {
		return errDrained
	}
	return nil
}

// insist repeats until it works.
func (t *tenure) insist(do func() result) error {
	for {
		out := do()
		if out.ending == committed {
			if t.slot.failures > 0 {
				t.slot.progressed(t.claim.Slices)
			}
			return nil
		}
		if err := t.settle(out); err != nil {
			return err
		}
	}
}
