package node

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
)

// maintenance has logs maintained on a timer: retention by one goroutine, and one
// compaction at a time beside it, which may take long.
type maintenance struct {
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	// compacting is held by the compaction that runs.
	compacting sync.Mutex

	runs, before, after atomic.Int64
	lastError           atomic.Pointer[string]

	mu      sync.Mutex
	expired log.Expired           // of logs that are no more
	failing map[*Partition]string // what was said already
	// Of the compaction that runs: when logs are tried again whose compaction failed.
	again map[*Partition]time.Time
}

// retryCompaction is after how long a compaction that failed is tried again, because it
// may have read much before that.
const retryCompaction = time.Minute

func (w *maintenance) start(n *Node) {
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.failing, w.again = map[*Partition]string{}, map[*Partition]time.Time{}
	retention := milliseconds(number(n.current.Load().value("log.retention.check.interval.ms")))
	w.running.Go(func() { w.every(retention, n.retain) })
	w.running.Go(func() { w.every(n.o.MaintainEvery, n.tend) })
	w.running.Go(func() { w.every(n.o.MaintainEvery, n.compact) })
}

// end waits for what is under way.
func (w *maintenance) end() {
	if w.stop != nil {
		w.stop()
		w.running.Wait()
	}
}

func (w *maintenance) every(interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

// Maintain does at once what is due: new segments, retention, compaction.
func (n *Node) Maintain() {
	n.retain()
	n.compact()
}

// tend has all logs begin segments, forget idle producers and note where they are.
func (n *Node) tend() { n.maintain((*log.Log).Tend) }

// retain does so too, and has them remove what is old.
func (n *Node) retain() { n.maintain((*log.Log).Maintain) }

func (n *Node) maintain(do func(*log.Log) error) {
	for _, p := range n.partitions() {
		if n.work.ctx.Err() != nil || n.stopped() != nil {
			return
		}
		start := p.log.Offsets().Start
		err := do(p.log)
		if p.log.Offsets().Start != start {
			p.watchers.tell()
		}
		n.work.note(n, p, "retention", err)
	}
}

// compact compacts the logs that are due, the one with the largest part to gain first.
func (n *Node) compact() {
	n.work.compacting.Lock()
	defer n.work.compacting.Unlock()
	done := map[*Partition]bool{}
	for p, at := range n.work.again {
		if done[p] = n.o.Now().Before(at); !done[p] {
			delete(n.work.again, p)
		}
	}
	for n.work.ctx.Err() == nil && n.stopped() == nil {
		p := n.dirtiest(done)
		if p == nil {
			return
		}
		done[p] = n.compactOne(p)
	}
}

// dirtiest returns the log that is due whose dirty part is largest, or nil.
func (n *Node) dirtiest(done map[*Partition]bool) (found *Partition) {
	most := -1.0
	for _, t := range n.catalog.Load().sorted {
		s := t.settings.Load()
		if !s.log.Compact {
			continue
		}
		for _, p := range t.Partitions() {
			if ratio, due := p.dirty(s); due && !done[p] && ratio > most {
				found, most = p, ratio
			}
		}
	}
	return found
}

// dirty says which part of a log compaction has not seen, and whether it is time to.
func (p *Partition) dirty(s *settings) (ratio float64, due bool) {
	dirty, all := p.log.Dirty()
	if dirty == 0 {
		return 0, p.log.TombstonesDue()
	}
	ratio = float64(dirty) / float64(all)
	return ratio, ratio >= s.dirtyRatio || p.lags(s.maxLag) || p.log.TombstonesDue()
}

// lags says whether records wait for compaction for longer than max.compaction.lag.ms.
func (p *Partition) lags(most time.Duration) bool {
	if most == milliseconds(1<<63-1) {
		return false
	}
	now := p.Topic.node.o.Now()
	for _, s := range p.log.Segments() {
		if !s.Active && !s.Compacted && now.Sub(s.Newest) >= most {
			return true
		}
	}
	return false
}

// compactOne says whether there is nothing more to do for now: where the keys are too many
// for the memory the next run goes on.
func (n *Node) compactOne(p *Partition) (finished bool) {
	before, _ := p.log.Dirty()
	c, err := p.log.Compact(n.o.CompactionMemory)
	n.work.note(n, p, "compaction", err)
	if err != nil {
		n.work.again[p] = n.o.Now().Add(retryCompaction)
		return true
	}
	if c.Before > 0 {
		n.work.runs.Add(1)
		n.work.before.Add(c.Before)
		n.work.after.Add(c.After)
	}
	dirty, _ := p.log.Dirty()
	return dirty == 0 || dirty >= before
}

// note says once why a log cannot be maintained.
func (w *maintenance) note(n *Node, p *Partition, what string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		delete(w.failing, p)
		return
	case p.Gone() || n.closed.Load():
		return
	}
	text := what + " of " + p.String() + ": " + err.Error()
	w.lastError.Store(&text)
	if w.failing[p] != text {
		w.failing[p] = text
		n.o.Logger.Error("a partition cannot be maintained", "topic", p.Topic.Name, "partition", p.Index, "step", what, "error", err)
	}
}

// forget keeps the count of what retention has removed of a partition that goes.
func (w *maintenance) forget(p *Partition) {
	w.mu.Lock()
	defer w.mu.Unlock()
	gone := p.log.Expired()
	w.expired.Segments += gone.Segments
	w.expired.Bytes += gone.Bytes
	delete(w.failing, p)
}
