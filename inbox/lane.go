package inbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// lane handles the keys of a partition that hash to it, one transaction at a
// time: what is due of the waiting messages, and batches of fresh ones.
type lane struct {
	t     *tenure
	n     int
	wakes chan struct{}

	// queue, next and full are guarded by t.mu. next is the offset in the
	// database; queue[0] is handled first and leaves after its commit; full
	// says that the bound on waiting bytes stops the lane.
	queue []queued
	next  int64
	full  bool

	// Of the lane's goroutine.
	schedule *schedule
	limit    int // messages per transaction at the moment
	alone    int // so many messages are to be handled one by one
	failures int // transactions in a row that the database refused
	checked  time.Time
}

type queued struct {
	*kgo.Record
	size int64
}

func newLane(t *tenure, n int, next int64, rows []Waiting) *lane {
	return &lane{
		t: t, n: n, wakes: make(chan struct{}, 1), next: next,
		schedule: newSchedule(rows), limit: t.cfg.BatchSize, checked: time.Now(),
	}
}

func (l *lane) wake() {
	select {
	case l.wakes <- struct{}{}:
	default:
	}
}

func (l *lane) run() {
	for l.proceeds() {
		if l.t.runner.paused.Load() {
			l.idle()
			continue
		}
		retried := l.retryDue()
		if !l.handleFresh() && !retried && l.proceeds() {
			l.idle()
		}
	}
}

func (l *lane) proceeds() bool {
	select {
	case <-l.t.draining:
		return false
	case <-l.t.fenced:
		return false
	default:
		return l.t.ctx.Err() == nil
	}
}

// idle waits for records, the next retry or the next check.
func (l *lane) idle() {
	wait := time.Until(l.checked.Add(l.t.cfg.CheckInterval))
	if wait <= 0 {
		l.check()
		return
	}
	if row, ok := l.schedule.next(); ok && !l.t.runner.paused.Load() {
		wait = min(wait, until(row, time.Now()))
	}
	l.sleep(wait, l.wakes)
}

func (l *lane) sleep(d time.Duration, wakes <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wakes:
	case <-l.t.draining:
	case <-l.t.fenced:
	case <-l.t.ctx.Done():
	}
}

// check moves an idle lane over records of others, and finds out about a new
// claim where no message would.
func (l *lane) check() {
	l.checked = time.Now()
	l.t.mu.Lock()
	next, to := l.next, l.reachable()
	l.t.mu.Unlock()
	switch {
	case to > next:
		if l.settle(l.t.advance(l.t.ctx, l.n, to)) {
			l.advanced(to, 0)
		}
	case l.n == 0:
		l.settle(l.t.advance(l.t.ctx, l.n, keepNext))
	}
}

// reachable is how far the lane may advance without handling anything; with
// t.mu held.
func (l *lane) reachable() int64 {
	if len(l.queue) > 0 {
		return l.queue[0].Offset
	}
	return max(l.next, l.t.seen)
}

// handleFresh handles the next batch; false where there is none, or no room.
func (l *lane) handleFresh() bool {
	items, room := l.peek(), l.t.room()
	if len(items) == 0 {
		return false
	}
	if room <= 0 { // a free message may fail, too, and would have to wait
		l.setFull(true)
		return false
	}
	p := l.t.planner.plan(items, l.schedule.state, room)
	if l.setFull(p.taken == 0); p.taken == 0 {
		return false
	}
	out := l.t.handle(l.t.ctx, l.n, p)
	if out.verdict == refused {
		l.handlerFailed(items, p, out.err)
		return true
	}
	if !l.settle(out) {
		l.limit = max(1, p.taken/2)
		return true
	}
	l.count(out)
	l.t.counts.skipped.Add(p.skipped)
	l.mourn(p)
	l.wait(p.waiting...)
	l.advanced(p.next, p.taken)
	l.limit = min(l.t.cfg.BatchSize, l.limit*2)
	return true
}

// maxBatchBytes bounds a transaction besides the number of its messages.
const maxBatchBytes = 8 << 20

// peek reads the next batch, which stays in the queue until it has committed.
func (l *lane) peek() []item {
	limit := l.limit
	if l.alone > 0 {
		limit = 1
	}
	l.t.mu.Lock()
	records := l.queue[:min(limit, len(l.queue))]
	l.t.mu.Unlock()
	items := make([]item, 0, len(records))
	var bytes int64
	for _, r := range records {
		if bytes += r.size; bytes > maxBatchBytes && len(items) > 0 {
			break
		}
		items = append(items, l.t.read(r.Record))
	}
	return items
}

// setFull notes whether the bound on waiting bytes stops the lane.
func (l *lane) setFull(full bool) {
	l.t.mu.Lock()
	changed := l.full != full
	l.full = full
	l.t.mu.Unlock()
	if !changed {
		return
	}
	if full {
		l.t.health.Report(l.problem("taking messages"), fmt.Errorf("%w: %d bytes", errWaitingFull, l.t.cfg.MaxWaitingBytes))
		return
	}
	l.t.health.Solve(l.problem("taking messages"))
}

var errWaitingFull = errors.New("the messages waiting for a retry or for Release have reached their bound")

// handlerFailed follows a handler's error: the batch is redone one message at
// a time; of a message that ran alone it was an attempt.
func (l *lane) handlerFailed(items []item, p plan, err error) {
	l.succeeded() // the database works
	if len(items) > 1 {
		l.alone = p.taken
		return
	}
	i := items[0]
	if l.failed(i, i.offset+1, 1, err, false) {
		l.advanced(i.offset+1, 1)
	}
}

// advanced follows a commit that moved the lane's offset over that many queued
// messages.
func (l *lane) advanced(next int64, taken int) {
	l.alone = max(0, l.alone-taken)
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	l.next = max(l.next, next)
	var bytes int64
	for n := range taken {
		bytes += l.queue[n].size
		l.queue[n] = queued{}
	}
	l.queue = l.queue[taken:]
	if len(l.queue) == 0 {
		l.queue = nil
	}
	l.t.release(bytes)
}

func (l *lane) wait(rows ...Waiting) {
	beforeRows, beforeBytes := l.schedule.rows, l.schedule.bytes
	for _, row := range rows {
		l.schedule.put(row)
	}
	l.t.nowWaiting(int64(l.schedule.rows-beforeRows), l.schedule.bytes-beforeBytes)
}

func (l *lane) left(row Waiting) {
	beforeRows, beforeBytes := l.schedule.rows, l.schedule.bytes
	l.schedule.remove(row)
	l.t.nowWaiting(int64(l.schedule.rows-beforeRows), l.schedule.bytes-beforeBytes)
}

func (l *lane) count(out result) {
	l.t.counts.handled.Add(out.handled)
	l.t.counts.duplicates.Add(out.duplicates)
	l.t.counts.dead.Add(out.dead)
}

// settle says whether a transaction committed. Where not, it ends the tenure,
// or pauses before the caller repeats it.
func (l *lane) settle(out result) bool {
	switch out.verdict {
	case committed:
		l.checked = time.Now()
		l.succeeded()
		return true
	case fenced:
		l.t.fence()
	case transient:
		l.failures++
		l.t.health.Report(l.problem("transaction"), out.err)
		l.sleep(l.t.cfg.Backoff.after(l.failures), nil)
	}
	return false
}

func (l *lane) succeeded() {
	if l.failures > 0 {
		l.failures = 0
		l.t.health.Solve(l.problem("transaction"))
	}
}

// insist repeats a transaction until it committed; false where the lane has to
// end first.
func (l *lane) insist(transaction func() result) (result, bool) {
	for l.proceeds() {
		if out := transaction(); l.settle(out) {
			return out, true
		}
	}
	return result{}, false
}

func (l *lane) problem(what string) string {
	return fmt.Sprintf("%s of %s/%d lane %d", what, l.t.p.topic, l.t.p.number, l.n)
}

// problems are the names under which the tenure reports.
func (t *tenure) problems() []string {
	names := []string{t.p.fetching()}
	for _, l := range t.lanes {
		names = append(names, l.problem("transaction"), l.problem("taking messages"))
	}
	return names
}
