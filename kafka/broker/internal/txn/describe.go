package txn

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// stateNames are those that ListTransactions can ask for.
var stateNames = []string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"}

// ListTransactions lists transactional ids, by name, that all filters let
// through. Since version 2 one is a pattern of regular expressions, whole.
// may, unless nil, says which ids may be told of.
func (c *Coordinator) ListTransactions(req *kmsg.ListTransactionsRequest, may func(id string) bool, reply func(*kmsg.ListTransactionsResponse)) {
	pattern, err := idPattern(req)
	if err != nil {
		resp := kmsg.NewPtrListTransactionsResponse()
		resp.ErrorCode = err.Code
		reply(resp)
		return
	}
	c.core.Do(func() {
		resp := c.list(req)
		c.core.Reply(func(failed error) {
			if failed != nil {
				resp = kmsg.NewPtrListTransactionsResponse()
				resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
			}
			// Here nobody waits for the lock, and a pattern may take long.
			resp.TransactionStates = slices.DeleteFunc(resp.TransactionStates, func(t kmsg.ListTransactionsResponseTransactionState) bool {
				return may != nil && !may(t.TransactionalID) || pattern != nil && !pattern.MatchString(t.TransactionalID)
			})
			reply(resp)
		})
	})
}

// maxPattern is how long a pattern may be: what it costs to match grows with it.
const maxPattern = 1 << 10

func idPattern(req *kmsg.ListTransactionsRequest) (*regexp.Regexp, *kerr.Error) {
	if req.Version < 2 || req.TransactionalIDPattern == nil || *req.TransactionalIDPattern == "" {
		return nil, nil
	}
	if len(*req.TransactionalIDPattern) > maxPattern {
		return nil, kerr.InvalidRegularExpression
	}
	pattern, err := regexp.Compile("^(?:" + *req.TransactionalIDPattern + ")$")
	if err != nil {
		return nil, kerr.InvalidRegularExpression
	}
	return pattern, nil
}

func (c *Coordinator) list(req *kmsg.ListTransactionsRequest) *kmsg.ListTransactionsResponse {
	resp := kmsg.NewPtrListTransactionsResponse()
	for _, name := range req.StateFilters {
		if !slices.Contains(stateNames, name) {
			resp.UnknownStateFilters = append(resp.UnknownStateFilters, name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.txns)) {
		t := c.txns[id]
		if !c.listed(t, req) {
			continue
		}
		listed := kmsg.NewListTransactionsResponseTransactionState()
		listed.TransactionalID, listed.ProducerID, listed.TransactionState = id, t.producerID, t.state.String()
		resp.TransactionStates = append(resp.TransactionStates, listed)
	}
	return resp
}

// listed says whether the filters by producer, state and age let one through.
// Kafka takes an id without a transaction for one that began in 1969.
func (c *Coordinator) listed(t *txn, req *kmsg.ListTransactionsRequest) bool {
	if len(req.ProducerIDFilters) > 0 && !slices.Contains(req.ProducerIDFilters, t.producerID) {
		return false
	}
	if len(req.StateFilters) > 0 && !slices.Contains(req.StateFilters, t.state.String()) {
		return false
	}
	if req.Version < 1 || req.DurationFilterMillis < 0 {
		return true
	}
	return c.config.Now().Sub(time.UnixMilli(millisOrNone(t.started))).Milliseconds() > req.DurationFilterMillis
}

// DescribeTransactions describes transactional ids. Groups whose offsets belong
// to a transaction are shown as their partition of __consumer_offsets.
func (c *Coordinator) DescribeTransactions(req *kmsg.DescribeTransactionsRequest, reply func(*kmsg.DescribeTransactionsResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrDescribeTransactionsResponse()
		for _, id := range req.TransactionalIDs {
			resp.TransactionStates = append(resp.TransactionStates, c.describe(id))
		}
		c.core.Reply(func(failed error) {
			for i := range resp.TransactionStates {
				if failed != nil {
					resp.TransactionStates[i] = described(req.TransactionalIDs[i], kerr.CoordinatorNotAvailable)
				}
			}
			reply(resp)
		})
	})
}

func described(id string, err *kerr.Error) kmsg.DescribeTransactionsResponseTransactionState {
	resp := kmsg.NewDescribeTransactionsResponseTransactionState()
	resp.TransactionalID, resp.ErrorCode = id, code(err, 0, 0)
	return resp
}

func (c *Coordinator) describe(id string) kmsg.DescribeTransactionsResponseTransactionState {
	t := c.txns[id]
	switch {
	case id == "":
		return described(id, kerr.InvalidRequest)
	case t == nil:
		return described(id, kerr.TransactionalIDNotFound)
	}
	resp := described(id, nil)
	resp.State, resp.TimeoutMillis, resp.StartTimestamp = t.state.String(), int32(t.timeout.Milliseconds()), millisOrNone(t.started)
	resp.ProducerID, resp.ProducerEpoch = t.producerID, t.epoch
	for _, p := range t.sorted() {
		if n := len(resp.Topics); n == 0 || resp.Topics[n-1].Topic != p.Topic {
			topic := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
			topic.Topic = p.Topic
			resp.Topics = append(resp.Topics, topic)
		}
		last := &resp.Topics[len(resp.Topics)-1]
		last.Partitions = append(last.Partitions, p.Index)
	}
	return resp
}
