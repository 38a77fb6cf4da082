package streams

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Context is what a Processor has of its task.
type Context[K, V any] struct{ p *processing[K, V] }

// Clock is what a punctuator follows.
type Clock bool

// The clocks.
const (
	// StreamTime goes on with the records' timestamps.
	StreamTime Clock = false
	// WallClock is that of Config.Clock.
	WallClock Clock = true
)

// Forward sends a record to what follows.
func (c Context[K, V]) Forward(r Record[K, V]) error { return c.p.forward(r, c.p.next) }

// ForwardTo sends a record to the one of what follows that was Named so.
func (c Context[K, V]) ForwardTo(child string, r Record[K, V]) error {
	i := slices.IndexFunc(c.p.node.Children, func(n *plan.Node) bool { return n.Name == child })
	if i < 0 {
		return fmt.Errorf("forward to %q: it does not follow %s", child, c.p.node.Name)
	}
	return c.p.forward(r, c.p.children[i].(receiver[K, V]))
}

// Schedule calls f with the clock's time (ms since 1970) every interval, of at least 1 ms, until
// cancel is called. By stream time, the first call is due at once; it is called once where
// time leaps over several.
func (c Context[K, V]) Schedule(interval time.Duration, clock Clock, f func(timestamp int64) error) (cancel func(), err error) {
	if interval < time.Millisecond {
		return nil, fmt.Errorf("schedule every %v: at least 1 ms", interval)
	}
	name := c.p.node.Name
	return c.p.c.Schedule(interval.Milliseconds(), bool(clock), func(timestamp int64) (err error) {
		defer recovered(c.p.c, name, &err)
		if err := f(timestamp); err != nil {
			return decide(c.p.c, name, err)
		}
		return nil
	}), nil
}

// StreamTime is the highest time of the task's records (ms since 1970), -1 before the first.
func (c Context[K, V]) StreamTime() int64 { return c.p.c.StreamTime() }

// Now is the wall clock's time, ms since 1970.
func (c Context[K, V]) Now() int64 { return c.p.c.Now() }

// Source is where the record being processed was read; ok is false in a punctuator.
func (c Context[K, V]) Source() (topic string, partition int32, offset int64, ok bool) {
	rec := c.p.c.Record()
	if rec == nil {
		return "", 0, 0, false
	}
	return rec.Topic, rec.Partition, rec.Offset, true
}

// Commit asks for a commit soon.
func (c Context[K, V]) Commit() { c.p.c.RequestCommit() }

// ApplicationID is Config's.
func (c Context[K, V]) ApplicationID() string { return c.p.c.ApplicationID() }

// Task is the number of the sub-topology and the partition.
func (c Context[K, V]) Task() (sub, partition int32) {
	t := c.p.c.Task()
	return t.Sub, t.Partition
}

// Logger is Config's.
func (c Context[K, V]) Logger() *slog.Logger { return c.p.c.Logger() }

// StoreOf returns a store as S, for example a state.KeyValueStore[string, int64]. A
// processor has the stores it named in Using, and may read every global one.
func StoreOf[S, K, V any](c Context[K, V], name string) (S, error) {
	var none S
	p := c.p
	named := slices.ContainsFunc(p.node.Stores, func(s *plan.Store) bool { return s.Name == name })
	if !named && !p.global[name] {
		return none, fmt.Errorf("store %s is not connected to %s: name it in its option Using", name, p.node.Name)
	}
	s, err := p.c.Store(name)
	if err != nil {
		return none, err
	}
	typed, ok := s.(S)
	if !ok {
		return none, fmt.Errorf("store %s is a %T, not a %T", name, s, (*S)(nil))
	}
	return typed, nil
}

// processing is the side of a processor that the task sees.
type processing[K, V any] struct {
	c        plan.Context
	node     *plan.Node
	global   map[string]bool
	next     receiver[K, V]
	children []any
	closed   bool
	// keepKey: what is forwarded has the key of the record being processed.
	keepKey bool
	within  bool
	key     K
	noKey   bool
}

// open makes and initialises a processor.
func open[K, V, KO, VO any](p *processing[KO, VO], name string, New func() Processor[K, V, KO, VO]) (user Processor[K, V, KO, VO], err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: %w", name, panicked(v))
		}
	}()
	if user = New(); isNil(user) {
		return nil, fmt.Errorf("%s: its function made no processor (nil)", name)
	}
	if err := user.Init(Context[KO, VO]{p}); err != nil {
		return nil, fmt.Errorf("%s: Init: %w", name, err)
	}
	return user, nil
}

func (p *processing[K, V]) forward(r Record[K, V], to receiver[K, V]) error {
	switch {
	case p.closed:
		return errors.New("forward after Close")
	case p.keepKey && !p.within:
		return errors.New("ProcessValues forwards only while a record is processed; use Process")
	case p.keepKey:
		r.Key, r.NoKey = p.key, p.noKey
	}
	return to(r)
}

func (p *processing[K, V]) close(user func() error) (err error) {
	p.closed = true
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: %w", p.node.Name, panicked(v))
		}
	}()
	if err := user(); err != nil {
		return fmt.Errorf("%s: Close: %w", p.node.Name, err)
	}
	return nil
}
