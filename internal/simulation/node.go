package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// node is one service: its database, which outlives crashes, and its process, which
// does not.
type node struct {
	run   *run
	def   service.Definition
	disk  storage.DB
	read  int64 // the last outbox row taken
	dirty bool  // there may be more

	// Of the process.
	env      service.Env
	parts    service.Parts
	router   *service.Router
	handlers map[string]inbox.GroupHandler[storage.Tx]
	view     map[string]inbox.Handler[storage.Tx]
	alive    context.Context
	kill     context.CancelFunc
}

// timers are what a saga.Manager has for programs with a clock of their own.
type timers interface {
	Name() string
	FireDue(ctx context.Context) error
}

// start begins a process on the database as it is.
func (n *node) start() (err error) {
	n.alive, n.kill = context.WithCancel(n.run.ctx)
	n.env = service.Env{
		DB: &stepwise{DB: n.disk, node: n, alive: n.alive}, Clock: n.run.now,
		Log: systemtest.Log(), Metrics: metrics.NewSet(),
	}
	if n.parts, err = n.def.Build(n.env); err != nil {
		return fmt.Errorf("start %s: %w", n.def.Name, err)
	}
	n.router = service.NewRouter(n.env)
	n.parts.Routes(n.env, n.router)
	n.handlers, n.view = n.parts.AllHandlers(), n.parts.View
	for _, one := range n.parts.Sagas {
		if _, ok := one.(timers); !ok {
			return fmt.Errorf("saga %s of %s: %T cannot fire its timers", one.Name(), n.def.Name, one)
		}
	}
	return nil
}

// attempt does something in the process; where that crashes, it starts anew and
// crashed is true.
func (n *node) attempt(do func(ctx context.Context) error) (crashed bool, err error) {
	err = do(n.alive)
	if n.alive.Err() == nil {
		return false, errors.Join(err, n.collect())
	}
	if n.run.ctx.Err() != nil {
		return false, n.run.ctx.Err()
	}
	return true, errors.Join(n.start(), n.collect())
}

// handle has the process handle messages of one topic in one transaction.
func (n *node) handle(ctx context.Context, topic string, view bool, all []outbox.Message) error {
	ms := make([]inbox.Message, len(all))
	for i, m := range all {
		ms[i] = inbox.Message{Event: m.Event, Topic: topic, Attempt: 1}
	}
	return n.env.Update(ctx, func(tx storage.Tx) error {
		if !view {
			return n.handlers[topic](ctx, tx, ms)
		}
		for _, m := range ms {
			if err := n.view[topic](ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// mostSent is far more than one transaction sends here.
const mostSent = 10_000

// collect takes what was sent since the last time.
func (n *node) collect() error {
	if !n.dirty {
		return nil
	}
	rows, err := n.disk.Pending(n.run.ctx, n.read, outbox.Exclusion{}, mostSent, 1<<30)
	for _, row := range rows {
		n.read = row.ID
		n.run.sent(n, row.Message)
	}
	n.dirty = err != nil
	return err
}

// nextDue is when the earliest timer fires, zero without one.
func (n *node) nextDue() (next time.Time, err error) {
	for _, one := range n.parts.Sagas {
		due, err := n.disk.NextDue(n.run.ctx, one.Name())
		if err != nil {
			return next, err
		}
		if next.IsZero() || !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	return next, nil
}

func (n *node) fireDue(ctx context.Context) error {
	for _, one := range n.parts.Sagas {
		if err := one.(timers).FireDue(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stepwise counts the transactions that commit, and crashes the process at some.
type stepwise struct {
	storage.DB
	node  *node
	alive context.Context // ends with the process
}

var errCrash = errors.New("the process crashed")

// Transient says that a crash is no error to be tried again.
func (s *stepwise) Transient(err error) bool { return !errors.Is(err, errCrash) && s.DB.Transient(err) }

// Update is a durable step, unless fn fails.
func (s *stepwise) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if s.alive.Err() != nil {
		return errCrash
	}
	r, counted := s.node.run, false
	var kind Kind
	var crashes bool
	err := s.DB.Update(ctx, func(tx storage.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if !counted { // a transaction that is given up by the database runs fn again
			kind, crashes = r.step(s.node.def.Name)
			counted = true
		}
		if crashes && kind == RolledBack {
			return errCrash
		}
		return nil
	})
	s.node.dirty = s.node.dirty || counted
	if crashes {
		s.node.kill()
		return errors.Join(errCrash, s.unexpected(err))
	}
	return err
}

func (s *stepwise) unexpected(err error) error {
	if errors.Is(err, errCrash) {
		return nil
	}
	return err
}

// step counts a durable step and says whether the process crashes at it.
func (r *run) step(service string) (Kind, bool) {
	n := r.steps
	r.steps++
	i := slices.IndexFunc(r.plan.Faults, func(f Fault) bool { return f.Step == n })
	if i < 0 {
		return 0, false
	}
	kind := r.plan.Faults[i].Kind
	r.lost = kind == AnswerLost
	r.note("step %d of %s: %s", n, service, kinds[kind])
	return kind, true
}
