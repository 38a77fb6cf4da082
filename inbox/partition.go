package inbox

import (
	"context"
	"sync"
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
	p.health.Forget(t.problems()...)
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
