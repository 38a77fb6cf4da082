package incremental

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Worker reads one chunk at a time beside the stream. Its owner closes it.
type Worker struct {
	db     Database
	ctx    context.Context
	cancel context.CancelFunc
	done   chan Outcome
	wg     sync.WaitGroup
}

// Outcome of reading a chunk. After an error Snapshot.Failed is to be told of Result.ID, and after
// none Snapshot.Read of Result.
type Outcome struct {
	Result Result
	Err    error
}

// NewWorker on a database, until Close.
func NewWorker(db Database) *Worker {
	ctx, cancel := context.WithCancel(context.Background())
	return &Worker{db: db, ctx: ctx, cancel: cancel, done: make(chan Outcome, 1)}
}

// Start reading. The outcome of the last chunk must have been received before.
func (w *Worker) Start(c Chunk) {
	w.wg.Go(func() {
		w.done <- w.read(c)
	})
}

// ErrPanic is wrapped by an outcome's error where reading panicked.
var ErrPanic = errors.New("reading a chunk panicked")

func (w *Worker) read(c Chunk) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = Outcome{Result{ID: c.ID}, fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())}
		}
	}()
	r, err := Perform(w.ctx, w.db, c)
	return Outcome{r, err}
}

// Done has the outcome of each chunk that was started.
func (w *Worker) Done() <-chan Outcome { return w.done }

// Close stops reading and waits until it has stopped.
func (w *Worker) Close() {
	w.cancel()
	w.wg.Wait()
}
