package node

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
)

// maintenance has logs maintained on a timer, by one goroutine.
type maintenance struct {
	due   chan chan struct{} // asked for out of turn
	ended chan struct{}
	stop  chan struct{}
	once  sync.Once
	began bool

	runs, before, after atomic.Int64
	lastError           atomic.Pointer[string]
	// Of the goroutine: what was said already, and since when logs wait for compaction.
	failing map[*log.Log]string
	waiting map[*log.Log]time.Time
}

func (w *maintenance) start(n *Node) {
	w.due, w.stop, w.ended = make(chan chan struct{}), make(chan struct{}), make(chan struct{})
	w.failing, w.waiting, w.began = map[*log.Log]string{}, map[*log.Log]time.Time{}, true
	go func() {
		defer close(w.ended)
		w.run(n)
	}()
}

// end waits for what is under way.
func (w *maintenance) end() {
	if w.began {
		w.once.Do(func() { close(w.stop) })
		<-w.ended
	}
}

func (w *maintenance) stopping() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

func (w *maintenance) run(n *Node) {
	ticker := time.NewTicker(n.o.MaintainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.pass(n)
		case done := <-w.due:
			w.pass(n)
			close(done)
		case <-w.stop:
			return
		}
	}
}

// Maintain does at once what is due: new segments, retention, compaction.
func (n *Node) Maintain() {
	done := make(chan struct{})
	select {
	case n.work.due <- done:
		select {
		case <-done:
		case <-n.work.ended:
		}
	case <-n.work.ended:
	}
}

func (w *maintenance) pass(n *Node) {
	for _, t := range n.catalog.Load().sorted {
		for _, p := range t.Partitions() {
			if w.stopping() {
				return
			}
			w.note(n, p, "maintain", p.log.Maintain())
		}
	}
	w.compact(n)
}

// compact has one log after another compacted whose part that compaction has not seen is
// large enough, or waits for too long.
func (w *maintenance) compact(n *Node) {
	for _, t := range n.catalog.Load().sorted {
		s := t.settings.Load()
		if !s.log.Compact {
			continue
		}
		for _, p := range t.Partitions() {
			if w.stopping() {
				return
			}
			if !p.gone.Load() && w.worth(n, p, s) {
				w.compactOne(n, p)
			}
		}
	}
}

func (w *maintenance) worth(n *Node, p *Partition, s *settings) bool {
	dirty, all := p.log.Dirty()
	if dirty == 0 {
		delete(w.waiting, p.log)
		return false
	}
	since, waits := w.waiting[p.log]
	if !waits {
		since = n.o.Now()
		w.waiting[p.log] = since
	}
	return float64(dirty) >= s.dirtyRatio*float64(all) || n.o.Now().Sub(since) >= s.maxLag
}

func (w *maintenance) compactOne(n *Node, p *Partition) {
	done, err := p.log.Compact(n.o.CompactionMemory)
	delete(w.waiting, p.log)
	w.note(n, p, "compact", err)
	if err == nil && done.Before > 0 {
		w.runs.Add(1)
		w.before.Add(done.Before)
		w.after.Add(done.After)
	}
}

// note says once why a log cannot be maintained.
func (w *maintenance) note(n *Node, p *Partition, what string, err error) {
	switch {
	case err == nil:
		delete(w.failing, p.log)
		return
	case p.gone.Load() || n.closed.Load():
		return
	}
	text := what + " " + p.String() + ": " + err.Error()
	w.lastError.Store(&text)
	if w.failing[p.log] != text {
		w.failing[p.log] = text
		n.o.Logger.Error("a partition cannot be maintained", "topic", p.Topic.Name, "partition", p.Index, "step", what, "error", err)
	}
}
