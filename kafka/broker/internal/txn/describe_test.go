package txn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDescribeAndList(t *testing.T) {
	w := newWorld(t)
	p := w.mustInit("open", none)
	w.mustInit("empty", none)
	w.pass(time.Second)
	w.add("open", p, "b", "a")
	w.AddGroup("open", p.producer, p.epoch, "my-group", func(*kerr.Error) {})
	w.log.Settle()
	d := w.describe("open")
	if d.State != "Ongoing" || d.TimeoutMillis != 60_000 || d.StartTimestamp != w.now.UnixMilli() || len(d.Topics) != 3 {
		t.Errorf("described %+v", d)
	}
	// Java says Math.abs("my-group".hashCode()) % 50 is 12.
	if d.Topics[0].Topic != "__consumer_offsets" || d.Topics[0].Partitions[0] != 12 {
		t.Errorf("group described as %+v", d.Topics[0])
	}
	wantError(t, "unknown", errorOf(w.describe("x").ErrorCode), kerr.TransactionalIDNotFound)
	wantError(t, "empty id", errorOf(w.describe("").ErrorCode), kerr.InvalidRequest)
	w.pass(time.Minute - time.Second)
	for _, tt := range []struct {
		change func(*kmsg.ListTransactionsRequest)
		want   string
	}{
		{func(r *kmsg.ListTransactionsRequest) {}, "[empty open]"},
		{func(r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"Ongoing", "Strange"} }, "[open]"},
		{func(r *kmsg.ListTransactionsRequest) { r.ProducerIDFilters = []int64{p.producer} }, "[open]"},
		{func(r *kmsg.ListTransactionsRequest) { r.DurationFilterMillis = 59_000 }, "[empty]"},
		{func(r *kmsg.ListTransactionsRequest) { r.DurationFilterMillis = 58_999 }, "[empty open]"},
		{func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = kmsg.StringPtr("o.*") }, "[open]"},
		{func(r *kmsg.ListTransactionsRequest) {
			r.TransactionalIDPattern = kmsg.StringPtr(strings.Repeat(".?", 1000))
		}, "[]"},
	} {
		req := kmsg.NewPtrListTransactionsRequest()
		req.Version, req.DurationFilterMillis = 2, -1
		tt.change(req)
		resp := call(w, func(r *kmsg.ListTransactionsRequest, reply func(*kmsg.ListTransactionsResponse)) {
			w.ListTransactions(r, nil, reply)
		}, req)
		var names []string
		for _, s := range resp.TransactionStates {
			names = append(names, s.TransactionalID)
		}
		if got := fmt.Sprint(names); got != tt.want {
			t.Errorf("%+v: %s, want %s", req, got, tt.want)
		}
		if (len(req.StateFilters) > 0) != (len(resp.UnknownStateFilters) > 0) {
			t.Errorf("unknown states: %v", resp.UnknownStateFilters)
		}
	}
}
