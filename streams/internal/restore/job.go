package restore

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// Job fills one space. Its fields are guarded by the restorer's mutex.
type Job struct {
	of   *Restorer
	spec Spec
	mode Mode
	done chan struct{}
	err  error
	// ended jobs are not worked on any more; reached says that done is closed for the end.
	ended, reached bool

	// known: leader and offsets were looked up. It is looked again at lookAt, where that is not
	// zero.
	known  bool
	lookAt time.Time
	waits  int // lookups or batches that failed in a row
	leader int32
	topic  local.TopicID
	// vetted: it was looked whether deletions may be missing (see outdated). heard is when the
	// changelog was read last.
	vetted bool
	heard  time.Time

	// begin and next as in Progress; fetchAt is the offset to fetch next. target is where done
	// is closed, end what the changelog has, limit where a sourced one must stop: what the
	// group committed. -1 is not known.
	begin, next, fetchAt, target, end, limit int64
	records, leftOut                         int64
	said                                     sync.Once // that records are left out
	problem                                  error

	busy    bool // being applied
	queued  bool // in the runnable list
	chunks  []chunk
	bytes   int64     // of the chunks
	retryAt time.Time // of a batch that failed
	epoch   int       // of chunks that still count
}

// chunk is what one fetch brought.
type chunk struct {
	records []*kgo.Record
	next    int64 // the offset behind it
	bytes   int64
	// asked is when the fetch began; whole says that the changelog had no more then.
	asked time.Time
	whole bool
}

func newJob(r *Restorer, s Spec) *Job {
	return &Job{of: r, spec: s, mode: s.Mode, done: make(chan struct{}), leader: -1, begin: -1, next: -1, fetchAt: -1, target: -1, end: -1, limit: -1}
}

// sourced changelogs are topics that others write: they are applied up to what the group
// has committed.
func (j *Job) sourced() bool { return j.spec.Store.Source != nil && !j.spec.Store.Global }

// Done is closed when the changelog's end, as it was at Add or Promote, has been reached and
// is in the space (a standby goes on), or when the job ended before: see Err. The end counts
// transactions that are still open: it is waited for them, because their offsets may be
// committed already.
func (j *Job) Done() <-chan struct{} {
	j.of.mu.Lock()
	defer j.of.mu.Unlock()
	return j.done
}

// Err is why the job ended before the end: ErrStopped, or what cannot be repaired by trying
// again (a changelog record that the store does not understand, with its offset). nil else.
func (j *Job) Err() error {
	j.of.mu.Lock()
	defer j.of.mu.Unlock()
	return j.err
}

// Progress of this job; it may be called also when it has ended.
func (j *Job) Progress() Progress {
	j.of.mu.Lock()
	defer j.of.mu.Unlock()
	return j.progress()
}

func (j *Job) progress() Progress {
	p := Progress{
		Task: j.spec.Task, Store: j.spec.Store.Name, Topic: j.spec.Topic, Partition: j.spec.Partition,
		Mode: j.mode, Begin: j.begin, Next: j.next, End: j.end, Records: j.records, LeftOut: j.leftOut, Done: j.reached, Problem: j.problem,
	}
	switch {
	case j.mode == Active:
		p.End = j.target
	case j.sourced():
		p.End = j.limit
	}
	return p
}

// Promote makes a standby's job an active one: it takes the changelog's end as it is now
// (call it when the former owner writes no more, or its transactions are fenced), and
// ends there. Done is a new channel from then on, and is returned. An active job is left as
// it is.
func (j *Job) Promote() <-chan struct{} {
	j.of.mu.Lock()
	defer j.of.mu.Unlock()
	if j.mode == Active || j.ended {
		return j.done
	}
	if j.reached {
		j.done = make(chan struct{})
	}
	j.mode, j.reached = Active, false
	j.known, j.lookAt, j.target = false, time.Time{}, -1
	j.of.changed.Broadcast()
	return j.done
}

// Remove ends the job after its batch under way, waits for that, and returns the
// offset up to which the space is filled, false where nothing ever was. Afterwards the
// space is the caller's. Removing a job that is done, or twice, is fine. A job must be removed
// before another is added for its space. Where ctx ends first, its error is returned, and
// Remove is to be called again.
func (j *Job) Remove(ctx context.Context) (next int64, ok bool, err error) {
	r := j.of
	r.mu.Lock()
	defer r.mu.Unlock()
	j.finish(ErrStopped)
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changed.Broadcast()
	})
	defer stop()
	for j.busy {
		if ctx.Err() != nil {
			return 0, false, ctx.Err()
		}
		r.changed.Wait()
	}
	delete(r.jobs, j)
	next, ok = j.spec.Space.Offset()
	return next, ok, nil
}

// finish gives the job up; why counts where its end was not reached.
func (j *Job) finish(why error) {
	if j.ended {
		return
	}
	j.ended = true
	j.forget()
	if !j.reached {
		j.err = why
		close(j.done)
	} else if j.mode == Standby {
		j.err = why
	}
	j.of.changed.Broadcast()
}

// arrive notes that the end was reached, where it was.
func (j *Job) arrive() {
	if j.ended || j.reached || !j.known || j.target < 0 || j.next < j.target {
		return
	}
	j.reached = true
	close(j.done)
	if j.mode == Active {
		j.ended = true
		j.forget()
	}
	j.log().Debug("a store is restored", "records", j.records, "offset", j.next)
	j.of.changed.Broadcast()
}

// bound is the offset that must not be applied any more.
func (j *Job) bound() int64 {
	switch {
	case j.mode == Active:
		return j.target
	case j.sourced():
		return j.limit
	}
	return math.MaxInt64
}

// forget drops what was fetched and not applied.
func (j *Job) forget() {
	j.of.release(j.bytes)
	j.chunks, j.bytes = nil, 0
	j.epoch++
	j.fetchAt = j.next
}

// restart begins again at the changelog's beginning; the space was cleared.
func (j *Job) restart() {
	j.forget()
	j.begin, j.next, j.fetchAt, j.records, j.leftOut = -1, -1, -1, 0, 0
	if !j.reached {
		j.target = -1
	}
	j.known, j.lookAt = false, time.Time{}
}

func (j *Job) log() *slog.Logger {
	return j.of.cfg.Logger.With("store", j.spec.Store.Name, "task", fmt.Sprintf("%d_%d", j.spec.Task.Sub, j.spec.Task.Partition),
		"topic", j.spec.Topic, "partition", j.spec.Partition)
}

// Waits after failures in a row.
const (
	firstWait = 20 * time.Millisecond
	lastWait  = 2 * time.Second
)

// stumble notes a problem, and returns when to try again.
func (j *Job) stumble(problem error) time.Time {
	if j.problem == nil {
		j.log().Warn("restoring a store does not go on; it is tried again", "error", problem)
	}
	j.problem = problem
	wait := min(firstWait<<min(j.waits, 10), lastWait)
	j.waits++
	return j.of.cfg.Clock().Add(wait)
}

// goOn notes that all is well.
func (j *Job) goOn() { j.problem, j.waits = nil, 0 }
