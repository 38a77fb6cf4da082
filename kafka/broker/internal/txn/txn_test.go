package txn_test

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/txn"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestProducerIDsAreNeverReused(t *testing.T) {
	w := newWorld(t, func(c *txn.Config) { c.ProducerIDBlock = 3 })
	seen := map[int64]bool{}
	for i := range 40 {
		resp := call(w, w.InitProducerID, kmsg.NewPtrInitProducerIDRequest())
		if resp.ErrorCode != 0 || resp.ProducerEpoch != 0 || seen[resp.ProducerID] {
			t.Fatalf("got %+v after %v", resp, seen)
		}
		seen[resp.ProducerID] = true
		if i%7 == 0 {
			w.start([][]keylog.Record{keylog.Compact(w.log.Records(), true)})
		}
	}
	w.log.Held = true
	told := 0
	for range 7 {
		w.InitProducerID(kmsg.NewPtrInitProducerIDRequest(), func(*kmsg.InitProducerIDResponse) { told++ })
	}
	if told > 3 {
		t.Errorf("told of %d ids that a crash could give out again", told)
	}
}

func TestInitProducerIDErrors(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		change func(*kmsg.InitProducerIDRequest)
		want   *kerr.Error
	}{
		"empty id":     {func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = kmsg.StringPtr("") }, kerr.InvalidRequest},
		"no timeout":   {func(r *kmsg.InitProducerIDRequest) { r.TransactionTimeoutMillis = 0 }, kerr.InvalidTransactionTimeout},
		"long timeout": {func(r *kmsg.InitProducerIDRequest) { r.TransactionTimeoutMillis = 900_001 }, kerr.InvalidTransactionTimeout},
		"half an id":   {func(r *kmsg.InitProducerIDRequest) { r.ProducerID = 3 }, kerr.InvalidRequest},
	} {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.Version, req.TransactionalID, req.TransactionTimeoutMillis = 5, kmsg.StringPtr("x"), 1000
		tt.change(req)
		wantError(t, name, errorOf(call(w, w.InitProducerID, req).ErrorCode), tt.want)
	}
}

func TestCommitStepByStep(t *testing.T) {
	w := newWorld(t)
	p := w.mustInit("x", none)
	wantError(t, "add", w.add("x", p, "a", "b"), nil)
	w.wantState("x", "Ongoing")
	w.log.Held = true
	answered := false
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = 4, "x", p.producer, p.epoch, true
	w.EndTxn(req, func(*kmsg.EndTxnResponse) { answered = true })
	if answered || len(w.queue) > 0 {
		t.Fatal("answered or sent markers before the decision is durable")
	}
	w.log.Held = false
	w.log.Settle()
	if !answered || len(w.queue) != 2 || !w.queue[0].marker.Commit {
		t.Fatalf("answered %v, markers %v", answered, w.queue)
	}
	w.wantState("x", "PrepareCommit")
	wantError(t, "add before it is complete", w.add("x", p, "a"), kerr.ConcurrentTransactions)
	w.wantEnd("repeated", 4, "x", p, true, kerr.ConcurrentTransactions)
	w.wantEnd("abort", 4, "x", p, false, kerr.InvalidTxnState)
	_, err := w.init("x", none)
	wantError(t, "init", err, kerr.ConcurrentTransactions)
	w.queue[0].done(errors.New("not now"))
	w.queue[1].done(nil)
	w.queue[1].done(nil)
	w.queue = nil
	w.wantState("x", "PrepareCommit")
	w.pass(200 * time.Millisecond)
	if len(w.queue) != 1 {
		t.Fatalf("markers sent again: %v", w.queue)
	}
	w.deliver()
	w.wantState("x", "CompleteCommit")
	w.wantEnd("repeated", 4, "x", p, true, nil)
	w.wantEnd("abort", 4, "x", p, false, kerr.InvalidTxnState)
	wantError(t, "next", w.add("x", p, "a"), nil)
}

func TestOldAcknowledgementsEndNothing(t *testing.T) {
	w := newWorld(t)
	p := w.mustInit("x", none)
	w.add("x", p, "a", "b")
	w.wantEnd("first", 4, "x", p, true, nil)
	old := w.queue
	w.deliver()
	w.add("x", p, "a")
	if d := w.describe("x"); len(d.Topics) != 1 {
		t.Errorf("the second transaction has %+v", d.Topics)
	}
	w.add("x", p, "b")
	w.wantEnd("second", 4, "x", p, true, nil)
	old[0].done(nil)
	w.queue[1].done(nil)
	w.log.Settle()
	w.wantState("x", "PrepareCommit")
	w.deliver()
	w.wantState("x", "CompleteCommit")
}

// TestZombiesOfTheNewKindAreFenced lets a transaction time out whose producer
// raises its epoch with each end: its late end must not pass for a repeated one.
func TestZombiesOfTheNewKindAreFenced(t *testing.T) {
	w := newWorld(t)
	p := w.mustInit("x", none)
	w.add("x", p, "a")
	p = w.wantEnd("first", 5, "x", p, true, nil)
	w.deliver()
	w.add("x", p, "a")
	w.pass(time.Minute)
	w.wantState("x", "PrepareAbort")
	w.wantEnd("before the markers", 5, "x", p, false, kerr.ProducerFenced)
	w.deliver()
	w.wantEnd("after them", 5, "x", p, false, kerr.ProducerFenced)
	w.wantEnd("commit", 5, "x", p, true, kerr.ProducerFenced)
}

// TestEpochRisesWithEachEnd holds to KIP-890, part 2.
func TestEpochRisesWithEachEnd(t *testing.T) {
	for _, crash := range []bool{false, true} {
		w := newWorld(t)
		maybe := func() {
			if crash {
				w.crash()
			}
		}
		p := w.mustInit("x", none)
		w.add("x", p, "a")
		next := w.wantEnd("commit", 5, "x", p, true, nil)
		if next != (id{p.producer, p.epoch + 1}) {
			t.Fatalf("after %v comes %v", p, next)
		}
		maybe()
		if m := w.queue[0].marker; m.Epoch != next.epoch || !m.Bumped || !m.Commit {
			t.Errorf("marker %+v", m)
		}
		w.wantEnd("again, too early", 5, "x", p, true, kerr.ConcurrentTransactions)
		wantError(t, "next, too early", w.add("x", next, "a"), kerr.ConcurrentTransactions)
		w.wantEnd("next end, too early", 5, "x", next, false, kerr.ConcurrentTransactions)
		w.deliver()
		maybe()
		if again := w.wantEnd("again", 5, "x", p, true, nil); again != next {
			t.Errorf("repeated: %v, want %v", again, next)
		}
		w.wantEnd("abort of what was committed", 5, "x", p, false, kerr.InvalidTxnState)
		w.wantEnd("commit of nothing", 5, "x", next, true, kerr.InvalidTxnState)
		wantError(t, "late partition", w.add("x", p, "a"), kerr.ProducerFenced)
		third := w.wantEnd("abort of nothing", 5, "x", next, false, nil)
		if third != (id{p.producer, p.epoch + 2}) {
			t.Fatalf("after %v comes %v", next, third)
		}
		maybe()
		w.deliver()
		w.wantState("x", "CompleteAbort")
		wantError(t, "third", w.add("x", third, "a"), nil)
		w.wantEnd("zombie", 5, "x", next, false, kerr.ProducerFenced)
	}
}

func TestEpochsRunOut(t *testing.T) {
	w := newWorld(t)
	p := w.withEpoch("x", math.MaxInt16-5)
	for p.epoch < math.MaxInt16-2 {
		w.add("x", p, "a")
		p = w.wantEnd("commit", 5, "x", p, true, nil)
		w.deliver()
	}
	w.add("x", p, "a")
	p = w.wantEnd("commit", 5, "x", p, true, nil)
	w.deliver()
	if p.epoch != math.MaxInt16-1 {
		t.Fatalf("epoch %d", p.epoch)
	}
	w.add("x", p, "a")
	next := w.wantEnd("last", 5, "x", p, true, nil)
	if next.producer == p.producer || next.epoch != 0 {
		t.Fatalf("after %v comes %v", p, next)
	}
	if m := w.queue[0].marker; m.ProducerID != p.producer || m.Epoch != math.MaxInt16 {
		t.Errorf("marker %+v", m)
	}
	wantError(t, "too early", w.add("x", next, "a"), kerr.ConcurrentTransactions)
	w.crash()
	w.deliver()
	if again := w.wantEnd("again", 5, "x", p, true, nil); again != next {
		t.Errorf("repeated: %v, want %v", again, next)
	}
	wantError(t, "new id", w.add("x", next, "a"), nil)
	wantError(t, "old id", w.add("x", p, "a"), kerr.InvalidProducerIDMapping)
}

// TestFencingRunsOut lets new producers take over until the epochs run out.
func TestFencingRunsOut(t *testing.T) {
	w := newWorld(t)
	first := w.withEpoch("x", math.MaxInt16-5)
	p := first
	for p.producer == first.producer {
		w.add("x", p, "a")
		_, err := w.init("x", none)
		wantError(t, "init", err, kerr.ConcurrentTransactions)
		w.deliver()
		old := p
		p = w.mustInit("x", none)
		wantError(t, "zombie", w.add("x", old, "a"), map[bool]*kerr.Error{true: kerr.ProducerFenced, false: kerr.InvalidProducerIDMapping}[p.producer == old.producer])
	}
	if p.epoch != 0 {
		t.Errorf("new id with epoch %d", p.epoch)
	}
}

// TestProducersRecover holds to KIP-360.
func TestProducersRecover(t *testing.T) {
	for _, crash := range []bool{false, true} {
		w := newWorld(t)
		p := w.mustInit("x", none)
		raised := w.mustInit("x", p)
		if raised != (id{p.producer, p.epoch + 1}) {
			t.Fatalf("raised from %v to %v", p, raised)
		}
		if crash {
			w.crash()
		}
		if again := w.mustInit("x", p); again != raised {
			t.Errorf("repeated: %v, want %v", again, raised)
		}
		taken := w.mustInit("x", none)
		_, err := w.init("x", raised)
		wantError(t, "after another took over", err, kerr.ProducerFenced)
		_, err = w.init("x", id{p.producer + 7, 0})
		wantError(t, "strange id", err, kerr.ProducerFenced)
		w.add("x", taken, "a")
		_, err = w.init("x", raised)
		wantError(t, "of a zombie, into a transaction", err, kerr.ProducerFenced)
		w.wantState("x", "Ongoing")
		_, err = w.init("x", taken)
		wantError(t, "with a transaction open", err, kerr.ConcurrentTransactions)
		w.wantState("x", "PrepareAbort")
	}
}

func TestNewProducerAbortsTheOld(t *testing.T) {
	for _, version := range []int16{4, 5} {
		w := newWorld(t)
		old := w.mustInit("x", none)
		w.add("x", old, "a")
		_, err := w.init("x", none)
		wantError(t, "init", err, kerr.ConcurrentTransactions)
		w.crash()
		w.wantEnd("zombie before the markers", version, "x", old, true, kerr.ProducerFenced)
		if m := w.queue[0].marker; m.Commit || m.Epoch != old.epoch+1 {
			t.Errorf("marker %+v", m)
		}
		w.deliver()
		w.wantEnd("zombie after them", version, "x", old, true, kerr.ProducerFenced)
		w.wantEnd("zombie's abort", version, "x", old, false, kerr.ProducerFenced)
		taken := w.mustInit("x", none)
		w.wantEnd("zombie", version, "x", old, true, kerr.ProducerFenced)
		wantError(t, "zombie's partition", w.add("x", old, "a"), kerr.ProducerFenced)
		wantError(t, "new one's", w.add("x", taken, "a"), nil)
	}
}

func TestTransactionsTimeOut(t *testing.T) {
	for _, crash := range []bool{false, true} {
		w := newWorld(t)
		p := w.mustInit("x", none)
		w.add("x", p, "a")
		w.pass(30 * time.Second)
		w.add("x", p, "b") // does not prolong it
		if crash {
			w.crash()
		}
		w.pass(29 * time.Second)
		w.wantState("x", "Ongoing")
		w.pass(time.Second)
		w.wantState("x", "PrepareAbort")
		w.deliver()
		w.wantEnd("late commit", 5, "x", p, true, kerr.ProducerFenced)
		wantError(t, "late partition", w.add("x", p, "a"), kerr.ProducerFenced)
		w.wantState("x", "CompleteAbort")
		if p = w.mustInit("x", none); w.add("x", p, "a") != nil {
			t.Error("no next transaction")
		}
	}
}

func TestIDsExpire(t *testing.T) {
	w := newWorld(t)
	p, q := w.mustInit("idle", none), w.mustInit("busy", none)
	for range 8 {
		w.pass(24 * time.Hour)
		w.add("busy", q, "a")
		q = w.wantEnd("commit", 5, "busy", q, true, nil)
		w.deliver()
	}
	wantError(t, "idle", w.add("idle", p, "a"), kerr.InvalidProducerIDMapping)
	wantError(t, "busy", w.add("busy", q, "a"), nil)
	w.crash()
	wantError(t, "idle", errorOf(w.describe("idle").ErrorCode), kerr.TransactionalIDNotFound)
	if again := w.mustInit("idle", none); again.producer == p.producer {
		t.Error("an expired id came back with its old producer id")
	}
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	p := w.mustInit("x", none)
	verify := func(by id, topic string) *kerr.Error {
		return w.Verify("x", by.producer, by.epoch, txn.Partition{Topic: topic})
	}
	wantError(t, "before", verify(p, "a"), kerr.TransactionAbortable)
	w.add("x", p, "a")
	wantError(t, "added", verify(p, "a"), nil)
	wantError(t, "another", verify(p, "b"), kerr.TransactionAbortable)
	wantError(t, "another producer", verify(id{p.producer + 1, 0}, "a"), kerr.InvalidProducerIDMapping)
	wantError(t, "another epoch", verify(id{p.producer, 1}, "a"), kerr.InvalidProducerEpoch)
	w.log.Held = true
	w.AddPartitions("x", p.producer, p.epoch, []txn.Partition{{Topic: "b"}}, func(*kerr.Error) {})
	wantError(t, "durable", verify(p, "a"), nil)
	wantError(t, "not yet durable", verify(p, "b"), kerr.ConcurrentTransactions)
	w.log.Held = false
	w.log.Settle()
	wantError(t, "durable now", verify(p, "b"), nil)
	wantError(t, "group", w.VerifyGroup("x", p.producer, p.epoch, "g"), kerr.TransactionAbortable)
	w.AddGroup("x", p.producer, p.epoch, "g", func(*kerr.Error) {})
	w.log.Settle()
	wantError(t, "group", w.VerifyGroup("x", p.producer, p.epoch, "g"), nil)
	w.wantEnd("commit", 4, "x", p, true, nil)
	wantError(t, "ending", verify(p, "a"), kerr.ConcurrentTransactions)
	targets := map[txn.Target]bool{}
	for _, s := range w.queue {
		targets[s.target] = true
	}
	want := map[txn.Target]bool{{Partition: txn.Partition{Topic: "a"}}: true, {Partition: txn.Partition{Topic: "b"}}: true, {Offsets: true}: true}
	if !reflect.DeepEqual(targets, want) {
		t.Errorf("markers go to %v", targets)
	}
	w.deliver()
	wantError(t, "ended", verify(p, "a"), kerr.TransactionAbortable)
}

func TestOldClientsKnowOldErrors(t *testing.T) {
	w := newWorld(t)
	p := w.mustInit("x", none)
	w.mustInit("x", none)
	for version := range int16(4) {
		want := kerr.InvalidProducerEpoch
		if version >= 2 {
			want = kerr.ProducerFenced
		}
		w.wantEnd("end", version, "x", p, true, want)
		add := kmsg.NewPtrAddPartitionsToTxnRequest()
		add.Version, add.TransactionalID, add.ProducerID, add.ProducerEpoch = version, "x", p.producer, p.epoch
		add.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "a", Partitions: []int32{0}}}
		wantError(t, "add", errorOf(call(w, w.AddPartitionsToTxn, add).Topics[0].Partitions[0].ErrorCode), want)
		offsets := kmsg.NewPtrAddOffsetsToTxnRequest()
		offsets.Version, offsets.TransactionalID, offsets.ProducerID, offsets.Group = version, "x", p.producer, "g"
		wantError(t, "add offsets", errorOf(call(w, w.AddOffsetsToTxn, offsets).ErrorCode), want)
	}
}

func TestNothingIsConfirmedOnceTheLogFails(t *testing.T) {
	w := newWorld(t)
	p := w.mustInit("x", none)
	w.add("x", p, "a")
	w.log.Held = true
	w.log.Fail(kerr.KafkaStorageError)
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = 5, "x", p.producer, p.epoch, true
	var got *kerr.Error
	w.EndTxn(req, func(resp *kmsg.EndTxnResponse) { got = errorOf(resp.ErrorCode) })
	w.log.Release(10)
	wantError(t, "end", got, kerr.CoordinatorNotAvailable)
	if len(w.queue) != 0 || w.Err() == nil {
		t.Errorf("markers %v, error %v", w.queue, w.Err())
	}
	wantError(t, "add", w.add("x", p, "b"), kerr.CoordinatorNotAvailable)
	wantError(t, "verify", w.Verify("x", p.producer, p.epoch, txn.Partition{Topic: "a"}), kerr.CoordinatorNotAvailable)
}

// TestNextTransactionWaitsForTheLast: a producer that goes on before the markers of its last
// transaction are written need not try again.
func TestNextTransactionWaitsForTheLast(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(w *world)
		want *kerr.Error
	}{
		"complete": {func(w *world) { w.deliver() }, nil},
		"too long": {func(w *world) { w.pass(time.Second) }, kerr.ConcurrentTransactions},
		"the log fails": {func(w *world) {
			other := kmsg.NewPtrInitProducerIDRequest()
			other.TransactionalID, other.TransactionTimeoutMillis = kmsg.StringPtr("y"), 1000
			w.InitProducerID(other, func(*kmsg.InitProducerIDResponse) {})
			w.log.Fail(errors.New("no space"))
			w.queue[0].done(nil)
		}, kerr.CoordinatorNotAvailable},
	} {
		for _, bump := range []bool{false, true} {
			w := newWorld(t, func(c *txn.Config) { c.EndWait = time.Second })
			p := w.mustInit("x", none)
			wantError(t, name, w.add("x", p, "a"), nil)
			req := kmsg.NewPtrEndTxnRequest()
			req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = 4, "x", p.producer, p.epoch, true
			if bump {
				req.Version = 5
			}
			end := call(w, w.EndTxn, req)
			wantError(t, name, errorOf(end.ErrorCode), nil)
			next := id{end.ProducerID, end.ProducerEpoch}
			if name == "the log fails" {
				w.log.Held = true
			}
			var got *kerr.Error
			answers := 0
			w.AddPartitions("x", next.producer, next.epoch, []txn.Partition{{Topic: "b", Index: 0}}, func(err *kerr.Error) { got = err; answers++ })
			old := w.add("x", id{next.producer, next.epoch - 1}, "b")
			wantError(t, name+", of an epoch that is over", old, kerr.ProducerFenced)
			if answers > 0 {
				t.Fatalf("%s: answered %v while the markers are under way", name, got)
			}
			tt.then(w)
			if answers != 1 || got != tt.want {
				t.Errorf("%s: %d answers, the last %v, want %v", name, answers, got, tt.want)
			}
		}
	}
}
