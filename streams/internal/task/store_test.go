package task_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// fake is a store that writes down what is done to it.
type fake struct {
	name    string
	log     *[]string
	c       plan.StoreContext
	changes map[string]string
	flush   func() error
	failing string // the step that fails
	closed  bool
}

func (f *fake) plan(logged bool) *plan.Store {
	return &plan.Store{Name: f.name, Logged: logged, New: func(c plan.StoreContext) (plan.StateStore, error) {
		f.c, f.changes = c, map[string]string{}
		return f, nil
	}}
}

func (f *fake) put(key, value string) { f.changes[key] = value }

func (f *fake) step(name string) error {
	if f.log != nil {
		*f.log = append(*f.log, name+" "+f.name)
	}
	if f.failing == name {
		return fmt.Errorf("%s of %s: %w", name, f.name, local.ErrFull)
	}
	return nil
}

func (f *fake) Flush() error {
	if f.flush != nil {
		if err := f.flush(); err != nil {
			return err
		}
	}
	return f.step("flush")
}

func (f *fake) Log() error {
	for k, v := range f.changes {
		if f.c.Log != nil {
			f.c.Log([]byte(k), []byte(v), 7, nil)
		}
	}
	return f.step("log")
}

func (f *fake) Apply(b local.Batch) error {
	for k, v := range f.changes {
		b.Set(f.c.Space, []byte(k), []byte(v))
	}
	clear(f.changes)
	return f.step("apply")
}

func (f *fake) Discard()     { clear(f.changes) }
func (f *fake) Dirty() int64 { return int64(len(f.changes)) }
func (f *fake) Close()       { f.closed = true }

func (b *bench) tryStart() (err error) {
	b.task, err = task.New(b.config)
	return err
}
