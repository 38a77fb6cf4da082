package txn

// endWaitKey is for how long a transaction's end is waited for.
type endWaitKey struct{ txn *txn }

// endingFor returns a producer's transaction of which the markers are still under way.
// The producer has its answer, and may be ahead of them by little: to be told to try
// again would cost it far more than to wait.
func (c *Coordinator) endingFor(id string, producer claim) *txn {
	t := c.txns[id]
	if c.config.EndWait <= 0 || c.core.Failed() != nil || t == nil || !t.state.preparing() || t.next() != producer {
		return nil
	}
	return t
}

// whenEnded has next run, under the lock, when the transaction is complete, or all that
// can be said is that it is not.
func (c *Coordinator) whenEnded(t *txn, next func()) {
	t.waiting = append(t.waiting, next)
	if len(t.waiting) == 1 {
		c.core.Set(endWaitKey{t}, c.config.Now().Add(c.config.EndWait), func() { c.goOn(t) })
	}
	c.core.Reply(func(failed error) {
		if failed != nil {
			c.core.Do(func() { c.goOn(t) })
		}
	})
}

// goOn ends the wait for a transaction's end.
func (c *Coordinator) goOn(t *txn) {
	waiting := t.waiting
	t.waiting = nil
	c.core.Cancel(endWaitKey{t})
	for _, next := range waiting {
		next()
	}
}
