package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Writer writes many entities at a time: writes of different entities that come
// while a transaction is under way share the next one (group commit). A conflict
// fails only its own write. It is a lifecycle.Service.
//
// What the database fails for reasons of its own is written again for as long as
// the caller's context lasts. Where the commit's answer was lost, the Writer looks
// whether the write is there: it is not reported as a conflict, and never written
// twice.
type Writer struct {
	store    Store
	events   *grouped[Write]
	states   *grouped[StateWrite]
	services lifecycle.Group
	problem  error // of the configuration
}

var _ lifecycle.Service = (*Writer)(nil)

// ErrUnknown is wrapped by the error of a write that may or may not be there: the
// database or the Writer was stopped at the wrong moment, or the caller did not
// wait. Load the entity to know; go on with a new Writer UUID.
var ErrUnknown = errors.New("journal: whether it was written is not known")

// NewWriter returns a Writer. What is wrong with the configuration is told by
// Start.
func NewWriter(store Store, c WriterConfig) *Writer {
	w := &Writer{store: store, problem: c.validate()}
	c = c.withDefaults(store)
	showRepeats(c.Metrics, store)
	w.events = newGrouped(c, store, port[Write]{kind: "events", commit: store.AppendGroup, find: w.findEvents,
		id: func(w Write) string { return w.PersistenceID }, size: Write.Size})
	w.states = newGrouped(c, store, port[StateWrite]{kind: "states", commit: store.WriteStateGroup, find: w.findState,
		id: func(w StateWrite) string { return w.PersistenceID }, size: StateWrite.Size})
	w.services.Add("events", w.events.batch)
	w.services.Add("states", w.states.batch)
	return w
}

// Start accepts writes from now on. Its error wraps batch.ErrConfig.
func (w *Writer) Start(ctx context.Context) error {
	if w.problem != nil {
		return w.problem
	}
	return w.services.Start(ctx)
}

// Stop commits what was accepted; writes it has to give up fail with ErrUnknown.
func (w *Writer) Stop(ctx context.Context) error { return w.services.Stop(ctx) }

// Append writes events, and returns once they are committed. Its error wraps
// ErrConflict, ErrPersistenceID, ErrUnknown, batch.ErrTooLarge or batch.ErrStopped,
// is ctx's where nothing was written, or what the database has against it. A write
// without a Writer UUID cannot be told from another one after a lost answer.
func (w *Writer) Append(ctx context.Context, write Write) (Appended, error) {
	if err := CheckPersistenceID(write.PersistenceID); err != nil {
		return Appended{}, err
	}
	switch {
	case write.After < 0:
		return Appended{}, fmt.Errorf("journal: a write of %s comes after sequence number %d: want 0 or more", write.PersistenceID, write.After)
	case len(write.Events) == 0: // nothing would keep its messages from being sent twice
		return Appended{}, fmt.Errorf("journal: a write of %s has no events", write.PersistenceID)
	}
	return w.events.write(ctx, write)
}

// WriteState stores durable state, and returns once it is committed. Its errors
// are those of Append. The table does not tell who wrote a state: after a lost
// answer it is ErrUnknown where the stored state may be this one.
func (w *Writer) WriteState(ctx context.Context, write StateWrite) (Appended, error) {
	if err := CheckPersistenceID(write.PersistenceID); err != nil {
		return Appended{}, err
	}
	if write.Revision < 1 {
		return Appended{}, fmt.Errorf("journal: a write of %s makes revision %d: want 1 or more", write.PersistenceID, write.Revision)
	}
	return w.states.write(ctx, write)
}

// port is what events and states differ in.
type port[W any] struct {
	kind   string
	commit func(context.Context, []W) ([]Result, error)
	// find looks for a write after a lost answer, which now is a conflict.
	find func(context.Context, W) (Appended, verdict, error)
	id   func(W) string
	size func(W) int
}

// grouped is the writes of one table.
type grouped[W any] struct {
	port[W]
	batch     *batch.Batcher[W, Appended]
	transient func(error) bool
	timeout   time.Duration
	backoff   batch.Backoff
	clock     batch.Clock
	counters  *writerCounters
}

func newGrouped[W any](c WriterConfig, store Store, p port[W]) *grouped[W] {
	g := &grouped[W]{port: p, transient: store.Transient, timeout: c.Timeout, backoff: c.Backoff, clock: c.Clock, counters: newWriterCounters(c.Metrics, p.kind)}
	g.batch = batch.New(batch.Config[W]{
		Name: "journal " + p.kind, MaxItems: c.MaxWrites, MaxBytes: c.MaxBytes, Linger: c.Linger, Size: p.size,
		Key: p.id, OnePerKey: true, MaxPendingBytes: c.MaxPendingBytes, Flushes: c.Groups,
		Attempts: 1, InCaller: true, Backoff: c.Backoff, Clock: c.Clock, Logger: c.Logger,
	}, g.commitGroup)
	return g
}

// groupError is of a whole transaction.
type groupError struct {
	cause error
	// transient may go away; both it and ended leave open whether it committed.
	transient, ended bool
}

func (e *groupError) Error() string { return e.cause.Error() }
func (e *groupError) Unwrap() error { return e.cause }

func (g *grouped[W]) commitGroup(ctx context.Context, writes []W) ([]batch.Result[Appended], error) {
	g.counters.groups.add(1)
	g.counters.writes.add(len(writes))
	within, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	results, err := g.commit(within, writes)
	if err != nil {
		return nil, &groupError{cause: err, transient: within.Err() != nil || g.transient(err), ended: ctx.Err() != nil}
	}
	answers := make([]batch.Result[Appended], len(results))
	for i, r := range results {
		answers[i] = batch.Result[Appended]{Value: r.Appended, Err: r.Err}
	}
	return answers, nil
}

// write repeats until the database answers for this write.
func (g *grouped[W]) write(ctx context.Context, w W) (Appended, error) {
	done, err := g.batch.Do(ctx, w)
	failures := 0
	for ; mayRetry(err); failures++ {
		g.counters.retries.add(1)
		if ended := g.pause(ctx, failures+1); ended != nil {
			return Appended{}, g.unknown(w, errors.Join(ended, err))
		}
		done, err = g.batch.Do(ctx, w)
	}
	switch {
	case err == nil:
		return done, nil
	case errors.Is(err, ErrConflict) && failures > 0:
		return g.settle(ctx, w, err)
	case errors.Is(err, ErrConflict):
		g.counters.conflicts.add(1)
		return Appended{}, err
	case failures > 0 || leavesOpen(err):
		return Appended{}, g.unknown(w, err)
	}
	return Appended{}, fmt.Errorf("journal: writing %s: %w", g.id(w), err)
}

func mayRetry(err error) bool {
	var group *groupError
	return errors.As(err, &group) && group.transient && !group.ended
}

func leavesOpen(err error) bool {
	var group *groupError
	return errors.As(err, &group) && (group.transient || group.ended) || errors.Is(err, batch.ErrUnanswered) || errors.Is(err, batch.ErrResults)
}

func (g *grouped[W]) unknown(w W, cause error) error {
	g.counters.unknown.add(1)
	return fmt.Errorf("%w: %s: %w", ErrUnknown, g.id(w), cause)
}

// verdict is what a look into the table says of a write.
type verdict int

const (
	isThere verdict = iota
	isNot
	cannotTell
)

// settle looks whether the conflict of a repeated write is with itself.
func (g *grouped[W]) settle(ctx context.Context, w W, conflict error) (Appended, error) {
	for failures := 1; ; failures++ {
		found, v, err := g.find(ctx, w)
		switch {
		case err == nil && v == isThere:
			g.counters.found.add(1)
			return found, nil
		case err == nil && v == isNot:
			g.counters.conflicts.add(1)
			return Appended{}, conflict
		case err == nil:
			return Appended{}, g.unknown(w, conflict)
		case !g.transient(err):
			return Appended{}, g.unknown(w, err)
		}
		if ended := g.pause(ctx, failures); ended != nil {
			return Appended{}, g.unknown(w, errors.Join(ended, err))
		}
	}
}

func (g *grouped[W]) pause(ctx context.Context, failures int) error {
	over := make(chan struct{})
	cancel := g.clock(g.backoff.After(failures), func() { close(over) })
	defer cancel()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// patience is a Writer's default pause between attempts.
var patience = batch.Backoff{Min: 20 * time.Millisecond, Max: 2 * time.Second}
