package txn

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// InitProducerID gives a producer its id and epoch. One with a transactional id
// fences whoever had it, and aborts what that one left open first: until then
// the answer is CONCURRENT_TRANSACTIONS, and the producer asks again.
func (c *Coordinator) InitProducerID(req *kmsg.InitProducerIDRequest, reply func(*kmsg.InitProducerIDResponse)) {
	c.core.Do(func() {
		producerID, epoch, err := c.init(req)
		c.core.Reply(func(failed error) {
			err := orFailed(err, failed)
			resp := kmsg.NewPtrInitProducerIDResponse()
			resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = producerID, epoch, code(err, req.Version, 4)
			if err != nil {
				resp.ProducerID, resp.ProducerEpoch = -1, -1
			}
			reply(resp)
		})
	})
}

func (c *Coordinator) init(req *kmsg.InitProducerIDRequest) (producerID int64, epoch int16, err *kerr.Error) {
	had := claim{producerID: -1, epoch: -1}
	if req.Version >= 3 {
		had = claim{req.ProducerID, req.ProducerEpoch}
	}
	timeout := time.Duration(req.TransactionTimeoutMillis) * time.Millisecond
	switch {
	case c.core.Unavailable():
		return -1, -1, kerr.CoordinatorNotAvailable
	case (had.producerID < 0) != (had.epoch < 0):
		return -1, -1, kerr.InvalidRequest
	case req.TransactionalID == nil:
		return c.newProducerID(), 0, nil
	case *req.TransactionalID == "" || len(*req.TransactionalID) > keylog.MaxString:
		return -1, -1, kerr.InvalidRequest
	case timeout <= 0 || timeout > c.config.MaxTimeout:
		return -1, -1, kerr.InvalidTransactionTimeout
	}
	t := c.txns[*req.TransactionalID]
	if t == nil {
		if t, err = c.newTxn(*req.TransactionalID); err != nil {
			return -1, -1, err
		}
	}
	if err := c.takeOver(t, had, timeout); err != nil {
		return -1, -1, err
	}
	return t.producerID, t.epoch, nil
}

func (c *Coordinator) newTxn(id string) (*txn, *kerr.Error) {
	if len(c.txns) >= c.config.MaxIDs {
		return nil, kerr.CoordinatorNotAvailable
	}
	id = strings.Clone(id)
	t := &txn{id: id, producerID: c.newProducerID(), previousID: -1, nextID: -1, epoch: -1, lastEpoch: -1, partitions: map[Partition]uint64{}}
	c.txns[id] = t
	return t, nil
}

// claim is the id and epoch that a producer says it has (KIP-360), both -1 if
// it has none.
type claim struct {
	producerID int64
	epoch      int16
}

func (had claim) none() bool { return had.producerID < 0 }

// takeOver gives an id to the producer that asks for it.
func (c *Coordinator) takeOver(t *txn, had claim, timeout time.Duration) *kerr.Error {
	if !had.none() && !t.knows(had) {
		return kerr.ProducerFenced
	}
	switch {
	case t.state.preparing():
		return kerr.ConcurrentTransactions
	case t.state == Ongoing:
		if !had.none() && had.epoch != t.epoch {
			return kerr.ProducerFenced
		}
		c.fence(t)
		return kerr.ConcurrentTransactions
	}
	if err := c.raiseEpoch(t, had); err != nil {
		return err
	}
	t.state, t.version, t.timeout = Empty, 0, timeout
	t.started, t.updated = time.Time{}, c.config.Now()
	c.store(t)
	return nil
}

// knows says whether a producer may be who has the id: by its producer id, or by
// the one before if its epochs ran out, as it may not have learnt of the new one.
func (t *txn) knows(had claim) bool {
	return t.epoch < 0 || had.producerID == t.producerID || t.awaits(had.producerID) ||
		had.producerID == t.previousID && exhausted(had.epoch)
}

// raiseEpoch fences older producers. One that asks again because it got no
// answer has the epoch that it was given.
func (c *Coordinator) raiseEpoch(t *txn, had claim) *kerr.Error {
	switch {
	case !had.none() && t.epoch >= 0 && had.epoch != t.epoch:
		if had.epoch != t.lastEpoch {
			return kerr.ProducerFenced
		}
	case exhausted(t.epoch):
		t.previousID, t.lastEpoch = t.producerID, -1
		if !had.none() {
			t.lastEpoch = t.epoch
		}
		t.producerID, t.epoch = c.newProducerID(), 0
	default:
		t.lastEpoch = -1
		if !had.none() {
			t.lastEpoch = t.epoch
		}
		t.epoch++
	}
	return nil
}
