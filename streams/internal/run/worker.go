package run

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// worker processes the records of its tasks in one goroutine, with a producer of its own.
// What the tasks do between two commits is one transaction.
type worker struct {
	r      *Runtime
	number int
	log    *slog.Logger

	mail chan struct{} // something is in the box

	dismiss context.CancelFunc // ends it
	ended   chan struct{}

	mu         sync.Mutex
	deliveries []delivery
	orders     []order

	// The goroutine's own.
	producer  *producer
	batch     local.Batch
	tasks     []*active
	round     int // records
	turns     int // of the task that is the first one in process
	committed time.Time
	began     time.Time // of the changes that are not committed; zero: none
	due       time.Time // of the next punctuator or end of waiting
	tallied   time.Time // when the metrics heard of the tasks
	askedAll  time.Time
	// stalled tasks wait for a producer, who is tried for again at retry.
	stalled []*owned
	retry   time.Time
	// unended: a transaction may be open that the present producer does not know of.
	unended bool
	trouble backoff
}

// active is a task that runs.
type active struct {
	*task.Task
	owned   *owned
	inputs  []*input
	tallied task.Stats // what the metrics have counted
}

// delivery is what was read of an input.
type delivery struct {
	in   *input
	recs []*kgo.Record
	end  int64 // what the broker has
	size int64
}

// order is something for the worker's goroutine to do between two rounds.
type order func(ctx context.Context) error

// A task processes some records before it is another's turn: as many as take some milliseconds,
// so that commits are made in time also where a record takes long.
const (
	round      = 512 // at most
	firstRound = 16
	longRound  = 10 * time.Millisecond
)

func newWorker(r *Runtime, number int) *worker {
	return &worker{r: r, number: number, round: firstRound, log: r.cfg.Logger.With("worker", number), mail: make(chan struct{}, 1), ended: make(chan struct{})}
}

// deliver does not wait: what is under way is bounded by pausing the inputs.
func (w *worker) deliver(d delivery) {
	w.mu.Lock()
	w.deliveries = append(w.deliveries, d)
	w.mu.Unlock()
	w.wake()
}

func (w *worker) order(o order) {
	w.mu.Lock()
	w.orders = append(w.orders, o)
	w.mu.Unlock()
	w.wake()
}

func (w *worker) wake() {
	select {
	case w.mail <- struct{}{}:
	default:
	}
}

// run works until ctx ends. Its tasks are closed then, without a commit.
func (w *worker) run(ctx context.Context) {
	w.batch = w.r.db.NewBatch()
	defer w.batch.Close()
	defer w.abandon()
	for ctx.Err() == nil {
		if err := w.turn(ctx); err != nil && ctx.Err() == nil {
			w.failed(err)
		}
	}
}

// turn does what there is to do, and waits where that is nothing.
func (w *worker) turn(ctx context.Context) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	if w.producer == nil && !w.begin(ctx) {
		w.await(ctx, w.retry)
		return nil
	}
	n := 0
	if !w.r.resting.Load() {
		var err error
		if n, err = w.process(); err != nil {
			return err
		}
		if err := w.punctuate(); err != nil {
			return err
		}
	}
	if w.commitDue() {
		if err := w.commit(ctx); err != nil {
			return err
		}
	}
	w.tally()
	if n == 0 {
		w.await(ctx, w.nextDue())
	}
	return nil
}

// begin makes the producer, which aborts what the last one left open, and then has the
// tasks restored that were given up with that.
func (w *worker) begin(ctx context.Context) bool {
	if time.Now().Before(w.retry) {
		return false
	}
	err := w.r.group.checkInstance(ctx)
	var p *producer
	if err == nil {
		p, err = newProducer(ctx, w.r.producerConfig(w.number))
	}
	if err != nil {
		w.r.problems.Report(w.what(), err)
		w.retry = time.Now().Add(w.trouble.next(time.Now()))
		return false
	}
	w.r.problems.Solve(w.what())
	w.producer, w.unended = p, false
	w.r.tasks.restart(w.stalled)
	w.stalled = nil
	return true
}

// open takes what is in the box: records first, because an order may be to commit them.
func (w *worker) open(ctx context.Context) error {
	w.mu.Lock()
	deliveries, orders := w.deliveries, w.orders
	w.deliveries, w.orders = nil, nil
	w.mu.Unlock()
	for _, d := range deliveries {
		if err := w.take(d); err != nil { // what else was delivered is read again
			w.postpone(orders)
			return err
		}
	}
	for i, o := range orders {
		if err := o(ctx); err != nil {
			w.postpone(orders[i+1:])
			return err
		}
	}
	return nil
}

// postpone orders: others wait for them.
func (w *worker) postpone(orders []order) {
	w.mu.Lock()
	w.orders = append(orders, w.orders...)
	w.mu.Unlock()
	w.wake()
}

// take gives the task its records.
func (w *worker) take(d delivery) error {
	a := w.find(d.in.task)
	if a == nil {
		return nil // it was closed: whoever runs it reads them again
	}
	if err := a.SetEnd(d.in.topic, d.in.partition, d.end); err != nil {
		return err
	}
	if err := a.Add(d.in.topic, d.in.partition, d.recs); err != nil {
		return err
	}
	d.in.queued.Store(a.Buffered(d.in.topic, d.in.partition))
	d.in.waiting.Add(-d.size)
	return nil
}

func (w *worker) find(o *owned) *active {
	for _, a := range w.tasks {
		if a.owned == o {
			return a
		}
	}
	return nil
}

// process has each task process some, until a commit is due. Then the next task is the first.
func (w *worker) process() (n int, err error) {
	began := time.Now()
	for i := range w.tasks {
		a := w.tasks[(w.turns+i)%len(w.tasks)]
		done, err := a.Process(w.round)
		n += done
		if err != nil {
			return n, err
		}
		w.sooner(a.Due())
		if done == 0 {
			continue
		}
		w.measure(a)
		ended := time.Now()
		w.pace(done, ended.Sub(began))
		if began = ended; ended.Sub(w.committed) >= w.r.cfg.CommitInterval {
			w.turns += i + 1
			break
		}
	}
	if n > 0 {
		w.r.meter.records.Add(n)
	}
	return n, w.producer.failed()
}

// pace sets how many records the next round has by how long this one took.
func (w *worker) pace(done int, took time.Duration) {
	switch {
	case took > 2*longRound:
		w.round = max(int(int64(done)*int64(longRound)/int64(took)), 1)
	case took < longRound/2 && done == w.round:
		w.round = min(2*w.round, round)
	}
}

// tally has the metrics hear of the tasks from time to time.
func (w *worker) tally() {
	if w.r.meter.set == nil || time.Since(w.tallied) < tallyEvery {
		return
	}
	w.tallied = time.Now()
	for _, a := range w.tasks {
		w.r.meter.tally(a)
	}
}

// measure lets the inputs be read on when their queues have room.
func (w *worker) measure(a *active) {
	for _, in := range a.inputs {
		in.queued.Store(a.Buffered(in.topic, in.partition))
		w.r.reader.eased(in)
	}
}

func (w *worker) punctuate() error {
	now := time.Now()
	if !w.due.IsZero() && now.Before(w.due) {
		return nil
	}
	w.due = now.Add(longestWait)
	for _, a := range w.tasks {
		next, err := a.Punctuate()
		if err != nil {
			return err
		}
		w.sooner(next)
	}
	return nil
}

// sooner has the tasks looked at by then, a time of Config.Clock.
func (w *worker) sooner(at time.Time) {
	if at = w.onWall(at); !at.IsZero() && at.Before(w.due) {
		w.due = at
	}
}

// onWall turns a time of Config.Clock into one of the process's.
func (w *worker) onWall(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Now().Add(t.Sub(w.r.cfg.Clock()))
}

// longestWait without a look at everything.
const longestWait = time.Second

func (w *worker) nextDue() time.Time {
	until := w.due
	if w.r.resting.Load() {
		until = time.Now().Add(longestWait)
	}
	if !w.began.IsZero() {
		if at := w.committed.Add(w.r.cfg.CommitInterval); at.Before(until) {
			until = at
		}
	}
	w.askEnds()
	return until
}

// await sleeps until there is something to do.
func (w *worker) await(ctx context.Context, until time.Time) {
	wait := time.Until(until)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-w.mail:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// askEnds has the ends of partitions looked up for which tasks wait.
func (w *worker) askEnds() {
	if w.r.resting.Load() {
		w.askAllEnds()
		return
	}
	for _, a := range w.tasks {
		a.Awaited(func(topic string, partition int32) {
			w.r.ends.ask(topicPartition{topic, partition}, a.owned, w)
		})
	}
}

// askAllEnds, now and then, while nothing is fetched that would tell how the lag grows.
func (w *worker) askAllEnds() {
	if time.Since(w.askedAll) < longestWait {
		return
	}
	w.askedAll = time.Now()
	for _, a := range w.tasks {
		for _, in := range a.inputs {
			w.r.ends.ask(in.topicPartition, a.owned, w)
		}
	}
}

// abandon closes all tasks without a commit, and the producer.
func (w *worker) abandon() {
	for _, a := range w.tasks {
		w.closeTask(a)
		w.stalled = append(w.stalled, a.owned)
	}
	w.tasks = nil
	w.began = time.Time{}
	if w.producer != nil {
		w.unended = w.unended || w.producer.transactional
		w.producer.close()
		w.producer = nil
	}
}

// fenceTimeout bounds the end of a transaction by who leaves.
const fenceTimeout = 5 * time.Second

// fence ends what may be open where no producer will begin after this.
func (w *worker) fence(ctx context.Context) {
	if w.producer != nil || !w.unended {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fenceTimeout)
	defer cancel()
	p, err := newProducer(ctx, w.r.producerConfig(w.number))
	if err != nil {
		w.log.Warn("streams: a transaction may be open until it times out", "error", err)
		return
	}
	w.unended = false
	p.close()
}

func (w *worker) closeTask(a *active) {
	for _, in := range a.inputs {
		in.hold()
	}
	if a.Task == nil {
		return
	}
	w.r.meter.tally(a)
	if err := a.Close(); err != nil {
		w.log.Warn("streams: a task did not close well", "task", name(a.owned.id), "error", err)
	}
}

// failed decides what follows an error: its tasks go on from what is committed, or the
// policy ends the process.
func (w *worker) failed(err error) {
	w.abandon()
	for _, o := range w.stalled { // its stores may lack what others have read of its output
		w.r.tasks.advance(o, restoring)
	}
	w.r.meter.aborts.Add(1)
	w.retry = time.Now().Add(w.trouble.next(time.Now()))
	if isUncaught(err) && !w.r.uncaught(err) {
		w.retry = never // the runtime is about to stop
		return
	}
	w.log.Warn("streams: what was not committed is given up, and processed again", "error", err)
}

func (w *worker) what() string { return fmt.Sprintf("worker %d", w.number) }

var never = time.Unix(1<<40, 0)
