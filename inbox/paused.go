package inbox

// Pause keeps the consumer from handling messages until Resume. It stays in its
// group and keeps its partitions, and fetches until its buffers are full.
// Transactions under way are finished. The pause is this consumer's and is kept
// nowhere: a restart ends it.
func (c *Consumer[T]) Pause() {
	if c.runner.paused.Swap(true) {
		return
	}
	c.runner.log.Warn("the consumer is paused")
}

// Resume ends a pause; without one it does nothing.
func (c *Consumer[T]) Resume() {
	if !c.runner.paused.Swap(false) {
		return
	}
	c.runner.log.Info("the consumer goes on after a pause")
	c.runner.wakeLanes()
}

// wakeLanes lets every lane look again.
func (r *runner) wakeLanes() {
	r.mu.Lock()
	s := r.session
	r.mu.Unlock()
	if s == nil {
		return
	}
	for _, p := range s.snapshot() {
		if t := p.current(); t != nil {
			for _, l := range t.lanes {
				l.wake()
			}
		}
	}
}
