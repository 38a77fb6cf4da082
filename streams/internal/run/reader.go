package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// reader polls the group's client, in one goroutine, and routes what it gets to the tasks'
// workers. It never waits for one: an input whose queue is full is paused, and where
// all are full it does not poll.
type reader struct {
	r *Runtime

	room  chan struct{} // an input has room again
	marks atomic.Pointer[marks]

	mu        sync.Mutex
	inputs    map[topicPartition]*input
	jobs      []func()
	interrupt context.CancelFunc // of the poll under way
}

func newReader(r *Runtime) *reader {
	rd := &reader{r: r, inputs: map[topicPartition]*input{}, room: make(chan struct{}, 1)}
	m := marksFor(r.budget.queues, 1)
	rd.marks.Store(&m)
	return rd
}

// run polls until ctx ends. Between a poll and the end of what follows from it rebalances
// are held back, so that records never reach a task they were not read for.
func (rd *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		rd.awaitRoom(ctx)
		fetches := rd.r.group.client.PollFetches(rd.pollContext(ctx))
		rd.route(fetches)
		rd.runJobs() // after what was polled before them: they seek
		rd.r.group.client.AllowRebalance()
	}
}

// pollContext ends when there is a job.
func (rd *reader) pollContext(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	rd.mu.Lock()
	defer rd.mu.Unlock()
	if rd.interrupt != nil {
		rd.interrupt()
	}
	rd.interrupt = cancel
	if len(rd.jobs) > 0 {
		cancel()
	}
	return ctx
}

func (rd *reader) runJobs() {
	rd.mu.Lock()
	jobs := rd.jobs
	rd.jobs = nil
	rd.mu.Unlock()
	for _, job := range jobs {
		job()
	}
}

// do runs a job between two polls, and waits for it or for ctx.
func (rd *reader) do(ctx context.Context, job func()) error {
	done := make(chan struct{})
	rd.mu.Lock()
	rd.jobs = append(rd.jobs, func() { job(); close(done) })
	if rd.interrupt != nil {
		rd.interrupt()
	}
	rd.mu.Unlock()
	rd.hasRoom()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (rd *reader) add(inputs []*input) {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	rd.r.group.pause(inputs)
	for _, in := range inputs {
		rd.inputs[in.topicPartition] = in
		in.rest(rd.r.resting.Load())
	}
}

func (rd *reader) remove(inputs []*input) {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	for _, in := range inputs {
		if rd.inputs[in.topicPartition] == in {
			delete(rd.inputs, in.topicPartition)
		}
	}
}

// rest stops all reading, or goes on with it.
func (rd *reader) rest() {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	for _, in := range rd.inputs {
		in.rest(rd.r.resting.Load())
	}
}

// release has the records of inputs go to w, whose task runs now.
func (rd *reader) release(inputs []*input, w *worker) {
	for _, in := range inputs {
		in.release(w)
	}
	rd.hasRoom()
}

// awaitRoom pauses inputs that are full, and waits while none of those that run has room.
func (rd *reader) awaitRoom(ctx context.Context) {
	for !rd.checkAll() {
		select {
		case <-rd.room:
		case <-time.After(longestWait):
		case <-ctx.Done():
			return
		}
	}
}

// checkAll inputs; false says that nothing is to be done but to wait.
func (rd *reader) checkAll() bool {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	m := marksFor(rd.r.budget.queues, len(rd.inputs))
	rd.marks.Store(&m)
	full, hungry := 0, 0
	for _, in := range rd.inputs {
		switch n := in.bytes(); {
		case n >= m.low:
			full++
		case in.isOpen():
			hungry++
		}
	}
	if full > 0 && hungry == 0 && len(rd.jobs) == 0 {
		return false
	}
	for _, in := range rd.inputs {
		in.check(m)
	}
	return true
}

// eased is told of an input whose queue has become shorter.
func (rd *reader) eased(in *input) {
	if m := rd.marks.Load(); in.bytes() < m.low {
		in.check(*m)
		rd.hasRoom()
	}
}

func (rd *reader) hasRoom() {
	select {
	case rd.room <- struct{}{}:
	default:
	}
}

// route hands records over.
func (rd *reader) route(fetches kgo.Fetches) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Err != nil {
			rd.failed(p.Topic, p.Partition, p.Err)
		}
		if len(p.Records) == 0 {
			return
		}
		rd.mu.Lock()
		in := rd.inputs[topicPartition{p.Topic, p.Partition}]
		rd.mu.Unlock()
		if in != nil {
			in.route(p.Records, p.LastStableOffset)
		}
	})
}

// failed says what a poll said besides records. Most of it passes: the client tries again.
func (rd *reader) failed(topic string, partition int32, err error) {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, kgo.ErrClientClosed):
	case errors.Is(err, kerr.FencedInstanceID):
		rd.r.group.fenced(err)
	default:
		var loss *kgo.ErrDataLoss
		if errors.As(err, &loss) {
			rd.r.cfg.Logger.Error("streams: records were deleted before they were read", "topic", topic, "partition", partition, "error", err)
			return
		}
		what := "the group"
		if topic != "" {
			what = fmt.Sprintf("reading %s/%d", topic, partition)
		}
		rd.r.problems.Announce(what, err, problemLasts)
	}
}

// problemLasts is for how long something that happened counts as a problem.
const problemLasts = 10 * time.Second

// rewind has the inputs read on from there. They are held. The client knows partitions only some
// time after they are assigned, when it has looked up by itself what is committed; what it is
// told before is lost, so that it is told again until then.
func (rd *reader) rewind(ctx context.Context, inputs []*input, from map[topicPartition]position) error {
	to := map[string]map[int32]kgo.EpochOffset{}
	for _, in := range inputs {
		if to[in.topic] == nil {
			to[in.topic] = map[int32]kgo.EpochOffset{}
		}
		at := from[in.topicPartition]
		to[in.topic][in.partition] = kgo.EpochOffset{Offset: at.offset, Epoch: at.epoch}
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	return retry(ctx, func() error {
		var missing error
		err := rd.do(ctx, func() {
			if missing = rd.unknown(inputs); missing == nil {
				rd.r.group.client.SetOffsets(to)
			}
		})
		if err != nil {
			return err
		}
		return missing
	})
}

// unknown is an error where the client does not have one of the inputs yet.
func (rd *reader) unknown(inputs []*input) error {
	has := rd.r.group.client.CommittedOffsets()
	for _, in := range inputs {
		if _, ok := has[in.topic][in.partition]; !ok {
			return again{fmt.Errorf("%s/%d: what is committed is not known to the client yet", in.topic, in.partition)}
		}
	}
	return nil
}
