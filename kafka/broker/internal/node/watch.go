package node

import (
	"slices"
	"sync"
	"sync/atomic"
)

// watchers are those who wait for news of a partition. Where there are none, to tell
// them costs nothing.
type watchers struct {
	count atomic.Int32
	mu    sync.Mutex
	all   []chan<- struct{}
}

// Watch has news sent to a channel, without blocking, whenever what readers see of
// the partition has changed, or it is gone. The channel has room for one. What was there
// before Watch is no news: look after it.
func (p *Partition) Watch(news chan<- struct{}) {
	w := &p.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, news)
	w.count.Store(int32(len(w.all)))
}

// Unwatch ends Watch.
func (p *Partition) Unwatch(news chan<- struct{}) {
	w := &p.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.all, news); i >= 0 {
		w.all = slices.Delete(w.all, i, i+1)
		w.count.Store(int32(len(w.all)))
	}
}

func (w *watchers) tell() {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, news := range w.all {
		select {
		case news <- struct{}{}:
		default:
		}
	}
}
