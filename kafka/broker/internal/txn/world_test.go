package txn_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord/coordtest"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/txn"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// world is a coordinator whose clock, log and markers the test moves.
type world struct {
	*txn.Coordinator
	t      testing.TB
	log    *coordtest.Log
	now    time.Time
	config txn.Config
	queue  []sent // markers that wait for their answer
	all    []txn.Marker
}

type sent struct {
	target txn.Target
	marker txn.Marker
	done   func(error)
}

func (w *world) WriteMarker(target txn.Target, m txn.Marker, done func(error)) {
	w.queue = append(w.queue, sent{target, m, done})
	w.all = append(w.all, m)
}

func newWorld(t testing.TB, change ...func(*txn.Config)) *world {
	w := &world{t: t, log: &coordtest.Log{}, now: time.UnixMilli(1_700_000_000_000)}
	w.config = txn.Config{Now: func() time.Time { return w.now }, Markers: w}
	for _, f := range change {
		f(&w.config)
	}
	w.crash()
	return w
}

// crash loses what is not durable and starts again.
func (w *world) crash() {
	w.t.Helper()
	w.start(w.log.Sets)
}

func (w *world) start(sets [][]keylog.Record) {
	w.t.Helper()
	w.log = &coordtest.Log{Held: w.log.Held, Sets: sets}
	w.config.Log = w.log
	w.queue = nil
	w.Coordinator = txn.New(w.config)
	for _, r := range w.log.Records() {
		if err := w.Replay(r); err != nil {
			w.t.Fatal(err)
		}
	}
	w.Start()
	w.log.Settle()
}

// deliver acknowledges all markers.
func (w *world) deliver() {
	for len(w.queue) > 0 {
		first := w.queue[0]
		w.queue = w.queue[1:]
		first.done(nil)
		w.log.Settle()
	}
}

func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.Tick(w.now)
	w.log.Settle()
}

// withEpoch starts with a producer of an epoch.
func (w *world) withEpoch(name string, epoch int16) id {
	w.t.Helper()
	v := kmsg.NewTxnMetadataValue()
	v.ProducerID, v.ProducerEpoch, v.TimeoutMillis, v.LastUpdateTimestamp = 500, epoch, 60_000, w.now.UnixMilli()
	w.start([][]keylog.Record{{keylog.Txn(name, &v)}})
	return id{500, epoch}
}

// id is what a producer has.
type id struct {
	producer int64
	epoch    int16
}

var none = id{-1, -1}

func call[Req, Resp any](w *world, f func(Req, func(*Resp)), req Req) *Resp {
	w.t.Helper()
	var answer *Resp
	f(req, func(resp *Resp) { answer = resp })
	w.log.Settle()
	if answer == nil {
		w.t.Fatalf("%T: no answer", req)
	}
	return answer
}

func (w *world) init(name string, had id) (id, *kerr.Error) {
	w.t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version, req.TransactionalID, req.TransactionTimeoutMillis = 5, &name, 60_000
	req.ProducerID, req.ProducerEpoch = had.producer, had.epoch
	resp := call(w, w.InitProducerID, req)
	return id{resp.ProducerID, resp.ProducerEpoch}, errorOf(resp.ErrorCode)
}

func (w *world) mustInit(name string, had id) id {
	w.t.Helper()
	got, err := w.init(name, had)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) add(name string, by id, topics ...string) *kerr.Error {
	w.t.Helper()
	var partitions []txn.Partition
	for _, topic := range topics {
		partitions = append(partitions, txn.Partition{Topic: topic})
	}
	var answer *kerr.Error
	answered := false
	w.AddPartitions(name, by.producer, by.epoch, partitions, func(err *kerr.Error) { answer, answered = err, true })
	w.log.Settle()
	if !answered {
		w.t.Fatal("no answer")
	}
	return answer
}

func (w *world) endAs(version int16, name string, by id, commit bool) (id, *kerr.Error) {
	w.t.Helper()
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = version, name, by.producer, by.epoch, commit
	resp := call(w, w.EndTxn, req)
	return id{resp.ProducerID, resp.ProducerEpoch}, errorOf(resp.ErrorCode)
}

func (w *world) wantEnd(what string, version int16, name string, by id, commit bool, want *kerr.Error) id {
	w.t.Helper()
	next, err := w.endAs(version, name, by, commit)
	wantError(w.t, what, err, want)
	return next
}

func (w *world) describe(name string) kmsg.DescribeTransactionsResponseTransactionState {
	w.t.Helper()
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{name}
	return call(w, w.DescribeTransactions, req).TransactionStates[0]
}

func (w *world) wantState(name, want string) {
	w.t.Helper()
	if got := w.describe(name).State; got != want {
		w.t.Errorf("%s is %s, want %s", name, got, want)
	}
}

func errorOf(code int16) *kerr.Error {
	if code == 0 {
		return nil
	}
	return kerr.TypedErrorForCode(code)
}

func wantError(t testing.TB, what string, got, want *kerr.Error) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
