package entity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Host keeps entities of one definition in memory and gives each one writer. It
// is a lifecycle.Service, safe for concurrent use.
type Host[C, S, R any] struct {
	b      behaviour[C, S, R]
	store  journal.Store
	cfg    Config
	log    *slog.Logger
	writer *journal.Writer
	// incarnation is the writer's UUID for commands of Ask, inTx for those of a
	// Server: an append never looks like one that came the other way.
	incarnation, inTx string
	counts            *counters
	health            health
	pace              pace
	quiet             lifecycle.Limiter // of the log

	// hard ends what Stop gives up.
	hard context.Context
	kill context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	running bool
	cast    cast[S]
	pending int
	saving  map[string]chan struct{} // snapshots on their way
}

// NewEventSourced makes a host of event-sourced entities. Its errors wrap
// ErrConfig. Nothing is read before Start.
func NewEventSourced[C, E, S, R any](d EventSourced[C, E, S, R], store journal.Store, c Config) (*Host[C, S, R], error) {
	b := sourced[C, E, S, R]{d}
	return newHost[C, S, R](b, b.validate(), store, c)
}

// NewDurable makes a host of durable-state entities. Its errors wrap ErrConfig.
func NewDurable[C, S, R any](d DurableState[C, S, R], store journal.Store, c Config) (*Host[C, S, R], error) {
	b := durable[C, S, R]{d}
	return newHost[C, S, R](b, b.validate(), store, c)
}

func newHost[C, S, R any](b behaviour[C, S, R], invalid error, store journal.Store, c Config) (*Host[C, S, R], error) {
	if err := errors.Join(invalid, c.validate()); err != nil {
		return nil, err
	}
	c = c.withDefaults(b.entityType())
	h := &Host[C, S, R]{
		b: b, store: store, cfg: c, log: c.Logger, writer: c.Writer,
		incarnation: event.NewID(), inTx: event.NewID(),
		saving: map[string]chan struct{}{}, cast: newCast[S](),
	}
	if h.writer == nil {
		h.writer = journal.NewWriter(store, journal.WriterConfig{Logger: c.Logger, Metrics: c.Metrics})
	}
	h.counts = newCounters(c.Metrics, b.entityType(), h.gauges())
	h.health.Problems = lifecycle.NewProblems(h.log, "entities")
	return h, nil
}

// EntityType is the definition's.
func (h *Host[C, S, R]) EntityType() string { return h.b.entityType() }

// Kind is journal.Events or journal.States.
func (h *Host[C, S, R]) Kind() journal.Kind { return h.b.kind() }

// Start begins to take commands.
func (h *Host[C, S, R]) Start(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running || h.kill != nil {
		return fmt.Errorf("the host of %s is started already", h.EntityType())
	}
	if h.cfg.Writer == nil {
		if err := h.writer.Start(ctx); err != nil {
			return err
		}
	}
	h.hard, h.kill = context.WithCancel(context.Background())
	h.running = true
	soft, drain := context.WithCancel(h.hard)
	h.cast.drain = drain
	h.work.Go(func() { h.sweepAll(soft) })
	return nil
}

// Stop takes no more commands and finishes those it has. Where ctx ends first,
// the rest end with ErrStopped, or ErrUnknown where they were being stored.
func (h *Host[C, S, R]) Stop(ctx context.Context) error {
	h.mu.Lock()
	kill := h.kill
	if h.running {
		h.running = false
		h.cast.drain()
	}
	h.mu.Unlock()
	if kill == nil {
		return nil
	}
	done := make(chan struct{})
	go func() {
		h.work.Wait()
		close(done)
	}()
	var late error
	select {
	case <-done:
	case <-ctx.Done():
		late = ctx.Err()
		kill()
	}
	if h.cfg.Writer == nil { // with ctx over, it gives up what it is storing
		late = errors.Join(late, h.writer.Stop(ctx))
	}
	<-done
	kill()
	h.forgetAll()
	return late
}

// over says that Stop gave up what was under way.
func (h *Host[C, S, R]) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.kill != nil && h.hard.Err() != nil
}

// forgetAll lets a stopped host be started again, with nothing in memory.
func (h *Host[C, S, R]) forgetAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kill = nil
	h.cast = newCast[S]()
}

// Ask has the entity carry the command out, and returns its reply once the events
// are stored. The commands of one entity are carried out in the order in which
// they were asked.
//
// Errors: a *Refusal, which is a business answer; ErrBusy, ErrStopped or
// ErrNotBegun, and nothing was done; ErrUnknown; a *RecoveryError;
// journal.ErrConflict after Config.ConflictRetries; or what went wrong in Decide or
// in the database. But for ErrUnknown nothing was written.
func (h *Host[C, S, R]) Ask(ctx context.Context, id string, command C) (R, error) {
	var none R
	who, err := identify(h.EntityType(), id)
	if err != nil {
		return none, err
	}
	c := &call[C, R]{ctx: ctx, command: command, done: make(chan struct{})}
	t := &turn[S]{run: func(e *entity[S]) {
		defer close(c.done)
		c.reply, c.err = h.perform(e, c)
	}}
	if err := ctx.Err(); err != nil {
		return none, notBegun(who.pid, err)
	}
	e, err := h.enqueue(who, t)
	if err != nil {
		return none, err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if h.leave(e, t) || c.giveUp() {
			return none, notBegun(who.pid, ctx.Err())
		}
		select {
		case <-c.done: // at the same moment
		default:
			return none, fmt.Errorf("%s: %w: %w", who.pid, ErrUnknown, ctx.Err())
		}
	}
	return c.reply, c.err
}

func notBegun(pid string, cause error) error {
	return fmt.Errorf("%s: %w: %w", pid, ErrNotBegun, cause)
}

// now is the clock as decisions see it.
func (h *Host[C, S, R]) now() time.Time { return h.cfg.Clock().UTC().Truncate(time.Microsecond) }

// problem logs what concerns one entity, at most a line per second.
func (h *Host[C, S, R]) problem(pid, message string, err error) {
	args := []any{"persistence_id", pid, "error", err}
	if p := (*panicked)(nil); errors.As(err, &p) {
		args = append(args, "stack", string(p.stack))
	}
	h.quiet.Log(h.log, slog.LevelError, message, args...)
}
