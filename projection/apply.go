package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

// applier runs the transactions of one claim. It keeps no state: what a
// transaction did is known once it has committed.
type applier struct {
	*runner
	claim  Claim
	suffix string // of the tables
}

// ending is how a transaction ended.
type ending int

const (
	committed ending = iota
	// refused: the handler returned an error, or what it did cannot be committed.
	refused
	// transient: the database's, to be repeated; it costs no attempt.
	transient
	// unknown: the answer to the commit was lost. What is stored tells.
	unknown
	// fenced: the slices were claimed by somebody else.
	fenced
	// stopped: the projection gives the work up.
	stopped
)

// result of a transaction; err is why it did not commit, at the item it is about,
// -1 where that is not known.
type result struct {
	ending ending
	err    error
	at     int
}

// apply handles items and stores their offsets, and the cursor unless it is nil.
func (a *applier) apply(ctx context.Context, items []item, attempt int, cursor journal.Cursor) result {
	if a.cfg.Outside != nil {
		if at, err := a.handle(ctx, nil, items, attempt); err != nil {
			return a.result(ctx, err, at, true)
		}
		return a.save(ctx, items, cursor)
	}
	at, handler, done := -1, false, false
	err := a.store.Update(ctx, func(tx Tx) (err error) {
		at, handler, done = -1, false, false
		if err := tx.SaveOffsets(ctx, a.claim, a.offsets(items), cursor); err != nil {
			return fmt.Errorf("save offsets: %w", err)
		}
		handler = true // also of a commit that fails
		at, err = a.handle(ctx, tx, items, attempt)
		done = err == nil
		return err
	})
	return a.result(ctx, err, at, handler).after(done)
}

// save stores offsets, and the cursor unless it is nil, without handling, and
// enqueues letters.
func (a *applier) save(ctx context.Context, items []item, cursor journal.Cursor, letters ...outbox.Message) result {
	done := false
	err := a.store.Update(ctx, func(tx Tx) (err error) {
		done = false
		if err := tx.SaveOffsets(ctx, a.claim, a.offsets(items), cursor); err != nil {
			return fmt.Errorf("save offsets: %w", err)
		}
		if len(letters) > 0 {
			err = outbox.EnqueueMessages(ctx, tx, letters...)
		}
		done = err == nil
		return err
	})
	return a.result(ctx, err, -1, false).after(done)
}

// after says whether all but the commit had been done.
func (r result) after(done bool) result {
	if done && r.ending == transient {
		r.ending = unknown
	}
	return r
}

// result sorts an error out; handler says that it may be the handler's.
func (a *applier) result(ctx context.Context, err error, at int, handler bool) result {
	switch {
	case err == nil:
		return result{}
	case ctx.Err() != nil:
		return result{ending: stopped, err: err}
	case handler && !errors.Is(err, ErrUnavailable) && !a.store.Transient(err):
		return result{ending: refused, err: err, at: at}
	case !handler && errors.Is(err, ErrFenced):
		return result{ending: fenced, err: err}
	}
	a.counts.repeated.Add(1)
	return result{ending: transient, err: err}
}

// handle calls the handler and says at which item it failed, -1 where that cannot
// be told.
func (a *applier) handle(ctx context.Context, tx Tx, items []item, attempt int) (at int, err error) {
	if a.cfg.Handler == nil {
		var all []Envelope
		for _, i := range items {
			all = append(all, i.envelopes(attempt, a.suffix)...)
		}
		if len(all) == 0 {
			return -1, nil
		}
		return -1, a.call(func() error {
			if a.cfg.Outside != nil {
				return a.cfg.Outside(ctx, all)
			}
			return a.cfg.Grouped(ctx, tx, all)
		})
	}
	for n, i := range items {
		for _, e := range i.envelopes(attempt, a.suffix) {
			if err := a.call(func() error { return a.cfg.Handler(ctx, tx, e) }); err != nil {
				return n, err
			}
		}
	}
	return -1, nil
}

func (a *applier) call(handler func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			a.panics.Log(a.log, slog.LevelError, "handler panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return handler()
}

// offsets are those of the last event of each entity.
func (a *applier) offsets(items []item) []Offset {
	now := a.cfg.Clock().UTC()
	at := make(map[string]int, len(items))
	all := make([]Offset, 0, len(items))
	for _, i := range items {
		o := i.offset()
		o.Consumed = now
		if n, there := at[o.PersistenceID]; there {
			all[n] = o
			continue
		}
		at[o.PersistenceID] = len(all)
		all = append(all, o)
	}
	return all
}
