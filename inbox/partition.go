package inbox

import (
	"context"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/twmb/franz-go/pkg/kgo"
)

// partition is one this process has in the group, from assignment to
// revocation. Its tenure changes with every claim.
type partition struct {
	*runner
	session *session
	topic   string // without the prefix
	full    string // with it
	number  int32

	ctx    context.Context // of its transactions; ends when they must be given up
	cancel context.CancelFunc
	alive  context.Context // ends when it is to finish
	retire context.CancelFunc
	done   chan struct{} // closed when nothing of it runs any more

	mu       sync.Mutex
	quitting bool
	tenure   *tenure // nil between fence and new claim: records are dropped then
	before   PartitionStats
	again    chan struct{} // asks for a new claim
	cutAt    int64         // where Kafka lost the log's end, -1 for nowhere
	copied   int64         // the offset the group has last
}

func newPartition(s *session, topic string, number int32) *partition {
	p := &partition{
		runner: s.runner, session: s, topic: topic, full: s.cluster.Topic(topic), number: number,
		done: make(chan struct{}), again: make(chan struct{}, 1), cutAt: -1,
	}
	p.ctx, p.cancel = context.WithCancel(s.hard)
	p.alive, p.retire = context.WithCancel(p.ctx)
	return p
}

func (p *partition) current() *tenure {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tenure
}

// install makes t the tenure, unless the partition is to finish.
func (p *partition) install(t *tenure, before func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quitting || t.withdrawn {
		return false
	}
	if before != nil {
		before()
	}
	p.tenure = t
	t.start()
	return true
}

// withdraw keeps t from being installed; false where it is already.
func (p *partition) withdraw(t *tenure) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tenure == t {
		return false
	}
	t.withdrawn = true
	t.cancel()
	return true
}

// truncated says that Kafka lost what was at that offset and after.
func (p *partition) truncated(at int64) {
	p.mu.Lock()
	p.cutAt = at
	p.mu.Unlock()
	p.reclaimNow()
}

// cut takes back, once, what truncated said.
func (p *partition) cut(log bounds) bounds {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cutAt >= 0 {
		log.end, p.cutAt = max(log.start, min(log.end, p.cutAt)), -1
	}
	return log
}

// run waits for the end of a tenure and claims again, until the partition is
// to finish. It returns when no lane is left.
func (p *partition) run() {
	defer close(p.done)
	p.showGauges()
	defer p.hideGauges()
	for {
		t := p.current()
		select {
		case <-p.alive.Done():
			p.finish(t)
			return
		case <-t.fenced:
		case <-p.again:
		}
		p.suspend(t)
		t.abandon()
		if !p.reclaim() {
			return
		}
	}
}

// suspend keeps records away until there is a new tenure.
func (p *partition) suspend(t *tenure) {
	last := t.stats()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tenure, p.before = nil, last
}

// reclaimNow ends the tenure because the log is not what it was.
func (p *partition) reclaimNow() {
	select {
	case p.again <- struct{}{}:
	default:
	}
}

// stop asks the partition to finish what is under way; where grace ends first
// the transactions are given up. It returns when nothing of it runs.
func (p *partition) stop(grace context.Context) {
	p.mu.Lock()
	p.quitting = true
	p.mu.Unlock()
	p.retire()
	select {
	case <-p.done:
	case <-grace.Done():
		p.cancel()
		<-p.done
	}
	p.cancel()
}

// finish drains a tenure and levels its lanes.
func (p *partition) finish(t *tenure) {
	t.drain()
	t.wait()
	t.level()
	t.resumeFetching()
	p.health.forget(t.problems()...)
}

// next is the offset to copy to the group, -1 where there is none.
func (p *partition) next() int64 {
	t := p.current()
	if t == nil {
		return -1
	}
	return t.next()
}

func (p *partition) stats() PartitionStats {
	p.mu.Lock()
	t, before := p.tenure, p.before
	p.mu.Unlock()
	if t == nil {
		before.Claiming = true
		return before
	}
	return t.stats()
}

// tenure is a claim in force: the lanes' goroutines, and the records they have
// still to handle.
type tenure struct {
	*applier
	p *partition

	ctx      context.Context
	cancel   context.CancelFunc
	draining chan struct{}
	drained  sync.Once
	fenced   chan struct{}
	once     sync.Once
	wg       sync.WaitGroup

	withdrawn bool // guarded by p.mu

	mu       sync.Mutex
	lanes    []*lane
	buffered int64 // bytes in the lanes' queues
	paused   bool
	seen     int64 // the offset after the last record fetched
	end      int64 // the log's end at the last fetch
	waiting  struct{ rows, bytes int64 }
}

func newTenure(p *partition, claim Claim, next []int64, log bounds, rows []Waiting) *tenure {
	plans := planner{consumer: p.cfg.Name, claim: claim}
	t := &tenure{
		applier: &applier{
			runner: p.runner, claim: claim, planner: plans,
			undertaker: undertaker{planner: plans, topic: p.cfg.DeadLetterTopic, maxBytes: p.cfg.MaxDeadLetterBytes},
		},
		p: p, draining: make(chan struct{}), fenced: make(chan struct{}), end: log.end,
	}
	t.ctx, t.cancel = context.WithCancel(p.ctx)
	mine := make([][]Waiting, len(next))
	for _, row := range rows {
		n := laneOf([]byte(row.Key), row.Offset, len(next))
		mine[n] = append(mine[n], row)
		t.waiting.rows++
		t.waiting.bytes += row.Size
	}
	t.seen = minimum(next)
	for n := range next {
		t.lanes = append(t.lanes, newLane(t, n, next[n], mine[n]))
	}
	return t
}

func (t *tenure) start() {
	for _, l := range t.lanes {
		t.wg.Go(l.run)
	}
}

// drain lets the lanes finish their transactions and end.
func (t *tenure) drain() { t.drained.Do(func() { close(t.draining) }) }

// fence ends a tenure that another claim has ended in the database.
func (t *tenure) fence() { t.once.Do(func() { close(t.fenced) }) }

func (t *tenure) wait() { t.wg.Wait() }

// abandon ends a tenure whose transactions cannot commit any more.
func (t *tenure) abandon() {
	t.drain()
	t.cancel()
	t.wait()
	t.resumeFetching()
	t.health.forget(t.problems()...)
}

// levelTimeout bounds the last transaction of a tenure.
const levelTimeout = 3 * time.Second

// level moves each lane up to the first record it has still to handle, so that
// the next owner reads little again. The lanes have ended.
func (t *tenure) level() {
	ctx, cancel := context.WithTimeout(t.ctx, levelTimeout)
	defer cancel()
	defer t.cancel()
	targets := make([]int64, len(t.lanes))
	some := false
	t.mu.Lock()
	for n, l := range t.lanes {
		targets[n] = keepNext
		if to := l.reachable(); to > l.next {
			targets[n], some = to, true
		}
	}
	t.mu.Unlock()
	if !some || t.advanceAll(ctx, targets).verdict != committed {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for n, l := range t.lanes {
		l.next = max(l.next, targets[n])
	}
}

// next is the lowest offset a lane has in the database.
func (t *tenure) next() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	lowest := t.lanes[0].next
	for _, l := range t.lanes {
		lowest = min(lowest, l.next)
	}
	return lowest
}

// enqueue hands records of one fetch to the lanes. It never waits: where the
// queues are full, fetching pauses.
func (t *tenure) enqueue(records []*kgo.Record, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = end
	for _, r := range records {
		t.seen = max(t.seen, r.Offset+1)
		if r.Attrs.IsControl() {
			continue
		}
		l := t.lanes[laneOf(r.Key, r.Offset, len(t.lanes))]
		if r.Offset < l.next {
			continue // before a restart this lane was ahead of others
		}
		size := recordBytes(r)
		t.buffered += size
		l.queue = append(l.queue, queued{r, size})
		l.wake()
	}
	if t.buffered > t.cfg.MaxBufferedBytes && !t.paused {
		t.paused = true
		t.p.session.client.PauseFetchPartitions(map[string][]int32{t.p.full: {t.p.number}})
	}
}

// release takes bytes off the queues; with mu held.
func (t *tenure) release(bytes int64) {
	t.buffered -= bytes
	if t.paused && t.buffered <= t.cfg.MaxBufferedBytes/2 {
		t.paused = false
		t.p.session.client.ResumeFetchPartitions(map[string][]int32{t.p.full: {t.p.number}})
	}
}

func (t *tenure) resumeFetching() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.paused {
		t.paused = false
		t.p.session.client.ResumeFetchPartitions(map[string][]int32{t.p.full: {t.p.number}})
	}
}

// nowWaiting counts what the lanes' schedules gained or lost; lanes that
// waited for room look again.
func (t *tenure) nowWaiting(rows, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting.rows += rows
	t.waiting.bytes += bytes
	if bytes < 0 {
		for _, l := range t.lanes {
			if l.full {
				l.wake()
			}
		}
	}
}

// room is how many bytes of followers the waiting table still takes.
func (t *tenure) room() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cfg.MaxWaitingBytes - t.waiting.bytes
}

func (t *tenure) stats() PartitionStats {
	next := t.next()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := PartitionStats{
		Topic: t.p.topic, Partition: t.p.number, Next: next, End: t.end, Lag: max(0, t.end-next),
		Waiting: t.waiting.rows, WaitingBytes: t.waiting.bytes,
	}
	for _, l := range t.lanes {
		s.Full = s.Full || l.full
	}
	return s
}

func minimum(all []int64) int64 {
	lowest := all[0]
	for _, n := range all {
		lowest = min(lowest, n)
	}
	return lowest
}

func recordBytes(r *kgo.Record) int64 {
	size := len(r.Key) + len(r.Value) + rowOverhead
	for _, h := range r.Headers {
		size += len(h.Key) + len(h.Value)
	}
	return int64(size)
}

func itemOfRecord(r *kgo.Record) item {
	headers := make([]event.Header, len(r.Headers))
	for n, h := range r.Headers {
		headers[n] = event.Header{Key: h.Key, Value: h.Value}
	}
	return newItem(r.Offset, headers, r.Key, r.Value, r.Timestamp)
}
