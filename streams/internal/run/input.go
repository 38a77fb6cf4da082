package run

import (
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// input is a topic partition that the process reads. It is paused while its task does not run,
// and while too much of it is queued.
type input struct {
	topicPartition
	fetcher *kgo.Client

	// waiting bytes are on their way to the task, queued ones with it.
	waiting, queued atomic.Int64

	mu     sync.Mutex
	held   bool // the task does not run
	full   bool
	rests  bool // somebody paused everything
	paused bool
	to     *worker
	task   *owned
	// first is where it began with nothing committed, -1 before: where to go back to while
	// that is so.
	first int64
}

// marks between which a queue is kept: at high it is paused, below low it goes on.
type marks struct{ low, high int64 }

const (
	leastQueue = 64 << 10
	mostQueue  = 16 << 20
)

// marksFor divides the queues' bytes between n inputs.
func marksFor(queues int64, n int) marks {
	high := min(max(queues/int64(max(n, 1)), leastQueue), mostQueue)
	return marks{low: high / 2, high: high}
}

func newInput(c *kgo.Client, tp topicPartition) *input {
	return &input{topicPartition: tp, fetcher: c, held: true, paused: true, first: -1}
}

func (in *input) bytes() int64 { return in.waiting.Load() + in.queued.Load() }

// check pauses or goes on by what is queued.
func (in *input) check(m marks) {
	n := in.bytes()
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case n >= m.high:
		in.full = true
	case n < m.low:
		in.full = false
	}
	in.apply()
}

// isOpen says that its task runs.
func (in *input) isOpen() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return !in.held
}

// hold stops the records: they are not routed until release.
func (in *input) hold() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.held, in.to = true, nil
	in.apply()
}

// release has records go to w.
func (in *input) release(w *worker) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.held, in.full, in.to = false, false, w
	in.waiting.Store(0)
	in.queued.Store(0)
	in.apply()
}

// rest stops reading until it is told otherwise.
func (in *input) rest(on bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.rests = on
	in.apply()
}

// apply tells the client, with mu held, so that its state is the last one told.
func (in *input) apply() {
	want := in.held || in.full || in.rests
	if want == in.paused {
		return
	}
	in.paused = want
	parts := map[string][]int32{in.topic: {in.partition}}
	if want {
		in.fetcher.PauseFetchPartitions(parts)
	} else {
		in.fetcher.ResumeFetchPartitions(parts)
	}
}

// route hands records over; those for a task that does not run are left out: it goes back
// to them when it does.
func (in *input) route(recs []*kgo.Record, end int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.held {
		return
	}
	n := size(recs)
	in.waiting.Add(n)
	in.to.deliver(delivery{in, recs, end, n})
}

// begin is where to read on: at what is committed, or else where the source says, and never before
// the first record there is. It is always known, so that a task sees that an input is empty.
func (in *input) begin(committed position, ok bool, start, end int64, reset plan.Reset) position {
	in.mu.Lock()
	defer in.mu.Unlock()
	at := committed
	if !ok {
		if in.first < 0 && reset == plan.ResetLatest {
			in.first = end
		}
		in.first = max(in.first, start)
		at = position{offset: in.first, epoch: -1}
	}
	if at.offset < start { // records that were deleted are not waited for
		at.offset, at.epoch = start, -1
	}
	return at
}

// recordOverhead is what a record in memory takes besides its bytes.
const recordOverhead = 256

func size(recs []*kgo.Record) (n int64) {
	for _, r := range recs {
		n += int64(len(r.Key)+len(r.Value)) + recordOverhead
	}
	return n
}
