package txn

import (
	"maps"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The keys of deadlines. They hold the transaction itself: one of the same id
// that is made later has its own.
type (
	timeoutKey struct{ txn *txn }
	resendKey  struct {
		txn    *txn
		target Target
	}
	expirationKey struct{}
)

// expectEnd aborts a transaction that takes longer than its producer said.
func (c *Coordinator) expectEnd(t *txn) {
	c.core.Set(timeoutKey{t}, t.started.Add(t.timeout), func() {
		if t.state == Ongoing {
			c.config.Logger.Info("transaction timed out and is aborted", "transactionalId", t.id, "timeout", t.timeout)
			c.fence(t)
		}
	})
}

func (c *Coordinator) scheduleExpiration() {
	c.core.Set(expirationKey{}, c.config.Now().Add(c.config.ExpirationCheck), func() {
		c.expire()
		c.scheduleExpiration()
	})
}

// expire forgets transactional ids that were not used for long.
func (c *Coordinator) expire() {
	limit := c.config.Now().Add(-c.config.IDExpiration)
	for _, id := range slices.Sorted(maps.Keys(c.txns)) {
		t := c.txns[id]
		if t.state == Ongoing || t.state.preparing() || t.updated.After(limit) {
			continue
		}
		delete(c.txns, id)
		c.core.Append(keylog.Txn(id, nil))
	}
}

// Replay takes one record of the log, in order, before Start. An error names
// what could not be read; what came before it stays.
func (c *Coordinator) Replay(r keylog.Record) error {
	var err error
	c.core.Do(func() { err = keylog.ReadTxn(r, (*replay)(c)) })
	return err
}

// Start goes on with what the log left open: it sends the markers of what was
// prepared, and lets what was not end or time out. The targets of markers must
// be ready.
func (c *Coordinator) Start() {
	c.core.Do(func() {
		for _, id := range slices.Sorted(maps.Keys(c.txns)) {
			t := c.txns[id]
			switch {
			case t.state == Ongoing:
				c.expectEnd(t)
			case t.state.preparing():
				c.sendMarkers(t)
			}
		}
		c.scheduleExpiration()
	})
}

// replay is the coordinator as it takes in the log.
type replay Coordinator

func (r *replay) Txn(id string, v *kmsg.TxnMetadataValue) {
	if v == nil {
		delete(r.txns, id)
		return
	}
	r.txns[id] = restored(id, v)
	// What was used is reserved, whatever became of the reservation's record.
	r.ProducerIDs(max(v.ProducerID, v.NextProducerID, v.PreviousProducerID) + 1)
}

func (r *replay) ProducerIDs(next int64) {
	r.ids.end = max(r.ids.end, next)
	r.ids.next = r.ids.end
}
