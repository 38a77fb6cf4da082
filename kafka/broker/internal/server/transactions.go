package server

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OpenTransactions are those that have begun and not ended on all partitions. It waits for
// the log of the coordinator.
func (s *Server) OpenTransactions() []kmsg.DescribeTransactionsResponseTransactionState {
	list := kmsg.NewPtrListTransactionsRequest()
	list.StateFilters = []string{"Ongoing", "PrepareCommit", "PrepareAbort"}
	listed := make(chan *kmsg.ListTransactionsResponse, 1)
	s.txns.ListTransactions(list, func(resp *kmsg.ListTransactionsResponse) { listed <- resp })
	describe := kmsg.NewPtrDescribeTransactionsRequest()
	for _, t := range (<-listed).TransactionStates {
		describe.TransactionalIDs = append(describe.TransactionalIDs, t.TransactionalID)
	}
	described := make(chan *kmsg.DescribeTransactionsResponse, 1)
	s.txns.DescribeTransactions(describe, func(resp *kmsg.DescribeTransactionsResponse) { described <- resp })
	return (<-described).TransactionStates
}
