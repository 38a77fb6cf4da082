package streams

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// receiver takes the records that reach a node of a task. A table's are of
// Record[K, change[V]].
type receiver[K, V any] func(Record[K, V]) error

// change is what happens to a table's key: its new value and, where a child asked for
// it, the one before.
type change[V any] struct {
	next, prior       V
	hasNext, hasPrior bool
	// late: a versioned table has a later value of the key already.
	late bool
}

// wiring makes a node's receiver for one task; next leads to its children.
type wiring[K, V, KO, VO any] func(c plan.Context, next receiver[KO, VO]) (receiver[K, V], error)

// newNode makes a node that is not connected yet. What its receiver returns or panics
// with is decided on by Config.OnFailure; errors of its children are decided already.
func newNode[K, V, KO, VO any](name string, kind plan.Kind, wire wiring[K, V, KO, VO]) *plan.Node {
	return &plan.Node{
		Name: name, Kind: kind,
		New: func(c plan.Context, children []any) (plan.Instance, error) {
			receive, err := wire(c, fanOut[KO, VO](children))
			if err != nil {
				return plan.Instance{}, fmt.Errorf("%s: %w", name, err)
			}
			return guarded(c, name, receive), nil
		},
	}
}

// guarded counts what reaches a node and takes its failures.
func guarded[K, V any](c plan.Context, name string, receive receiver[K, V]) plan.Instance {
	var count int64
	counted := receiver[K, V](func(r Record[K, V]) (err error) {
		count++
		defer recovered(c, name, &err)
		if err := receive(r); err != nil {
			return decide(c, name, err)
		}
		return nil
	})
	return plan.Instance{Receiver: counted, Count: func() int64 { return count }}
}

// PanicError is a panic of a function of the topology.
type PanicError struct {
	Value any
	Stack []byte
}

// Error has the stack too: the place is what one needs to know.
func (p *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.Value, p.Stack) }

// Unwrap is the error that it panicked with, if it was one.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// recovered is deferred where user code runs.
func recovered(c plan.Context, node string, err *error) {
	if v := recover(); v != nil {
		*err = decide(c, node, panicked(v))
	}
}

// decide asks what becomes of an error, unless that was decided further down (then it is a
// Failure) or the stores themselves do not work.
func decide(c plan.Context, node string, err error) error {
	var failure *plan.Failure
	switch {
	case errors.As(err, &failure):
		return err
	case errors.Is(err, local.ErrCorrupt), errors.Is(err, local.ErrFull):
		return fmt.Errorf("%s: %w", node, err)
	}
	return c.Failed(node, err)
}

// connect makes child one of parent's.
func connect(parent, child *plan.Node) {
	parent.Children = append(parent.Children, child)
	child.Parents = append(child.Parents, parent)
}

// fanOut sends a record to each child in order.
func fanOut[K, V any](children []any) receiver[K, V] {
	switch len(children) {
	case 0:
		return func(Record[K, V]) error { return nil }
	case 1:
		return children[0].(receiver[K, V])
	}
	all := make([]receiver[K, V], len(children))
	for i, c := range children {
		all[i] = c.(receiver[K, V])
	}
	return func(r Record[K, V]) error {
		for _, to := range all {
			if err := to(r); err != nil {
				return err
			}
		}
		return nil
	}
}

func panicked(v any) error { return &PanicError{Value: v, Stack: debug.Stack()} }
