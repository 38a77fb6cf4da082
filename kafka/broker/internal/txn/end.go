package txn

import (
	"math"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// EndTxn commits or aborts a transaction. It answers when that is decided
// durably; partitions and offsets follow. Since version 5 the answer has the id
// and epoch of the producer's next transaction, and a request that comes again
// with those of the last is answered the same.
func (c *Coordinator) EndTxn(req *kmsg.EndTxnRequest, reply func(*kmsg.EndTxnResponse)) {
	c.core.Do(func() {
		next, err := c.end(req)
		c.core.Reply(func(failed error) {
			err := orFailed(err, failed)
			resp := kmsg.NewPtrEndTxnResponse()
			resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = code(err, req.Version, 2), -1, -1
			if err == nil {
				resp.ProducerID, resp.ProducerEpoch = next.producerID, next.epoch
			}
			reply(resp)
		})
	})
}

func (c *Coordinator) end(req *kmsg.EndTxnRequest) (next claim, err *kerr.Error) {
	bump := req.Version >= 5
	t, again, err := c.ending(req)
	if err != nil {
		return next, err
	}
	to, done := PrepareAbort, CompleteAbort
	if req.Commit {
		to, done = PrepareCommit, CompleteCommit
	}
	// A transaction without partitions never reached us: only its abort makes
	// sense, and raises the epoch as every end does.
	unheard := bump && !again && !req.Commit
	switch {
	case t.state == Ongoing, t.state == Empty && unheard:
		c.prepare(t, to, bump)
	case t.state == to:
		return next, kerr.ConcurrentTransactions
	case t.state == done && (again || !bump):
	case (t.state == CompleteCommit || t.state == CompleteAbort) && unheard:
		c.prepare(t, to, bump)
	default:
		return next, kerr.InvalidTxnState
	}
	return t.next(), nil
}

// ending finds the transaction that a request is to end, and says whether the
// request came before.
func (c *Coordinator) ending(req *kmsg.EndTxnRequest) (t *txn, again bool, err *kerr.Error) {
	if c.core.Unavailable() {
		return nil, false, kerr.CoordinatorNotAvailable
	}
	if req.TransactionalID == "" {
		return nil, false, kerr.InvalidRequest
	}
	t = c.txns[req.TransactionalID]
	if t == nil {
		return nil, false, kerr.InvalidProducerIDMapping
	}
	if t.awaits(req.ProducerID) {
		return nil, false, kerr.ConcurrentTransactions
	}
	ended := t.state != Ongoing && t.state != Empty && t.version >= bumping
	wrapped := ended && t.previousID == req.ProducerID && exhausted(req.ProducerEpoch) && t.epoch == 0
	again = wrapped || ended && t.producerID == req.ProducerID && int(t.epoch) == int(req.ProducerEpoch)+1
	switch {
	case t.producerID != req.ProducerID && !wrapped:
		return nil, false, kerr.InvalidProducerIDMapping
	case again:
		return t, true, nil
	case t.epoch != req.ProducerEpoch:
		return nil, false, kerr.ProducerFenced
	case ended && t.state.preparing(): // it has its next epoch, and is ahead of the markers
		return nil, false, kerr.ConcurrentTransactions
	}
	return t, false, nil
}

// next is what the producer goes on with after the end of its transaction.
func (t *txn) next() claim {
	if t.nextID >= 0 {
		return claim{t.nextID, 0}
	}
	return claim{t.producerID, t.epoch}
}

// prepare decides a transaction, and sends the markers once that is durable.
func (c *Coordinator) prepare(t *txn, to State, bump bool) {
	t.version, t.nextID = 0, -1
	if bump {
		if exhausted(t.epoch) {
			t.nextID = c.newProducerID()
		}
		t.version, t.lastEpoch = bumping, t.epoch
		t.epoch++
	}
	c.prepared(t, to)
}

// fence aborts the transaction of a producer that is gone or too slow, with an
// epoch that it does not have and that nobody is given.
func (c *Coordinator) fence(t *txn) {
	if t.epoch < math.MaxInt16 {
		t.epoch++
	}
	t.version, t.nextID, t.lastEpoch = 0, -1, -1
	c.prepared(t, PrepareAbort)
}

func (c *Coordinator) prepared(t *txn, to State) {
	c.core.Cancel(timeoutKey{t})
	now := c.config.Now()
	t.state, t.updated = to, now
	if t.started.IsZero() {
		t.started = now
	}
	c.store(t)
	c.sendMarkers(t)
}

// sendMarkers sends all markers once everything appended is durable.
func (c *Coordinator) sendMarkers(t *txn) {
	t.endings++
	ending, marker, targets := t.endings, t.marker(), t.targets()
	t.awaited = make(map[Target]bool, len(targets))
	for _, target := range targets {
		t.awaited[target] = true
	}
	c.core.Reply(func(failed error) {
		if failed != nil {
			return
		}
		if len(targets) == 0 {
			c.core.Do(func() { c.completeIfDone(t, ending) })
		}
		for _, target := range targets {
			c.send(t, ending, target, marker)
		}
	})
}

// send sends one marker until it is acknowledged. It is called without the lock.
func (c *Coordinator) send(t *txn, ending uint64, target Target, marker Marker) {
	c.config.Markers.WriteMarker(target, marker, func(err error) {
		c.core.Do(func() {
			if c.core.Failed() != nil {
				c.goOn(t)
				return
			}
			if t.endings != ending {
				return
			}
			if err == nil {
				delete(t.awaited, target)
				c.completeIfDone(t, ending)
				return
			}
			c.config.Logger.Warn("transaction marker is sent again", "transactionalId", t.id, "target", target, "error", err)
			c.core.Set(resendKey{t, target}, c.config.Now().Add(c.config.MarkerBackoff), func() {
				if t.endings == ending && t.awaited[target] {
					c.core.Now(func() { c.send(t, ending, target, marker) })
				}
			})
		})
	})
}

// completeIfDone ends a transaction whose markers are all acknowledged.
func (c *Coordinator) completeIfDone(t *txn, ending uint64) {
	if t.endings != ending || len(t.awaited) > 0 || !t.state.preparing() || c.core.Failed() != nil {
		return
	}
	if t.state == PrepareCommit {
		t.state = CompleteCommit
	} else {
		t.state = CompleteAbort
	}
	if t.nextID >= 0 {
		// lastEpoch stays what the producer ended with: it may ask again.
		t.previousID, t.producerID, t.nextID, t.epoch = t.producerID, t.nextID, -1, 0
	}
	t.updated, t.awaited = c.config.Now(), nil
	clear(t.partitions)
	c.store(t)
	c.goOn(t)
}
