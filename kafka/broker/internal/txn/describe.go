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
func (c *Coordinator) ListTransactions(req *kmsg.ListTransactionsRequest, reply func(*kmsg.ListTransactionsResponse)) {
	c.core.Do(func() {
		resp := c.list(req)
		c.core.Reply(func(failed error) {
			if failed != nil {
				resp = kmsg.NewPtrListTransactionsResponse()
				resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
			}
			reply(resp)
		})
	})
}

func (c *Coordinator) list(req *kmsg.ListTransactionsRequest) *kmsg.ListTransactionsResponse {
	resp := kmsg.NewPtrListTransactionsResponse()
	var pattern *regexp.Regexp
	if req.Version >= 2 && req.TransactionalIDPattern != nil && *req.TransactionalIDPattern != "" {
		var err error
		if pattern, err = regexp.Compile("^(?:" + *req.TransactionalIDPattern + ")$"); err != nil {
			resp.ErrorCode = kerr.InvalidRegularExpression.Code
			return resp
		}
	}
	for _, name := range req.StateFilters {
		if !slices.Contains(stateNames, name) {
			resp.UnknownStateFilters = append(resp.UnknownStateFilters, name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.txns)) {
		t := c.txns[id]
		if !c.listed(t, req) || pattern != nil && !pattern.MatchString(id) {
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
