package inbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/twmb/franz-go/pkg/kgo"
)

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
	t.health.Forget(t.problems()...)
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

// read has the topic's reader make a message of a record that is foreign. What it said of
// it is kept in headers, so that a message that waits is none any more.
func (t *tenure) read(r *kgo.Record) item {
	i := itemOfRecord(r)
	reader := t.cfg.Foreign[t.claim.Topic]
	if i.fault == nil || reader == nil || slices.ContainsFunc(i.headers, func(h event.Header) bool { return event.IsReservedHeader(h.Key) }) {
		return i
	}
	e, err := reader(i.event)
	e.Source = cmp.Or(e.Source, "/"+t.claim.Topic)
	if err == nil {
		err = e.Validate()
	}
	if err != nil {
		i.fault = fmt.Errorf("%w: %w", event.ErrMalformed, err)
		return i
	}
	return newItem(r.Offset, e.RecordHeaders(), r.Key, r.Value, r.Timestamp)
}

func itemOfRecord(r *kgo.Record) item {
	headers := make([]event.Header, len(r.Headers))
	for n, h := range r.Headers {
		headers[n] = event.Header{Key: h.Key, Value: h.Value}
	}
	return newItem(r.Offset, headers, r.Key, r.Value, r.Timestamp)
}
