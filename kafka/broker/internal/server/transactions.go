package server

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// OpenTransactions are those that have begun and not ended on all partitions. It waits for
// the log of the coordinator, until ctx ends.
func (s *Server) OpenTransactions(ctx context.Context) ([]kmsg.DescribeTransactionsResponseTransactionState, error) {
	list := kmsg.NewPtrListTransactionsRequest()
	list.StateFilters = []string{"Ongoing", "PrepareCommit", "PrepareAbort"}
	listed, err := await(ctx, func(reply func(*kmsg.ListTransactionsResponse)) { s.txns.ListTransactions(list, nil, reply) })
	if err != nil {
		return nil, err
	}
	describe := kmsg.NewPtrDescribeTransactionsRequest()
	for _, t := range listed.TransactionStates {
		describe.TransactionalIDs = append(describe.TransactionalIDs, t.TransactionalID)
	}
	described, err := await(ctx, func(reply func(*kmsg.DescribeTransactionsResponse)) { s.txns.DescribeTransactions(describe, reply) })
	if err != nil {
		return nil, err
	}
	return described.TransactionStates, nil
}

// await waits for the answer to a request.
func await[R any](ctx context.Context, ask func(reply func(R))) (resp R, err error) {
	answers := make(chan R, 1)
	ask(func(r R) { answers <- r })
	select {
	case resp = <-answers:
		return resp, nil
	case <-ctx.Done():
		return resp, ctx.Err()
	}
}
