package run

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// TestRemovedWorkerLeavesNoTransaction open whose end it does not know: readers would wait for the
// transaction's timeout.
func TestRemovedWorkerLeavesNoTransaction(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		cfg := unhurried(t, k)
		cfg.Workers, cfg.CommitInterval, cfg.TransactionTimeout = 2, time.Hour, 5*time.Minute
		r := begin(t, cfg)
		awaitRunning(t, r)
		feed(t, k, client(t, k), 100)
		testenv.Wait(t, "both have begun with a commit", 30*time.Second, func() bool { return r.meter.commits.Load() == 2 })
		feed(t, k, client(t, k), 100)
		admin := kadm.NewClient(client(t, k))
		open := func(number string) bool {
			all, err := admin.ListTransactions(deadline(t), nil, []string{"Ongoing"})
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range all.TransactionalIDs() {
				if strings.HasPrefix(id, k.Prefix) && strings.HasSuffix(id, "-"+number) {
					return true
				}
			}
			return false
		}
		testenv.Wait(t, "both workers have a transaction", 30*time.Second, func() bool { return open("0") && open("1") })
		r.group.session.Add(1) // commits are refused, as those of who was fenced
		if _, err := r.RemoveWorker(deadline(t)); err != nil {
			t.Fatal(err)
		}
		r.group.session.Add(-1)
		testenv.Wait(t, "the transaction of the worker that left is ended", 20*time.Second, func() bool { return !open("1") })
		if !open("0") {
			t.Error("that of the other one was ended, too")
		}
	})
}

// TestOrdersOutliveRecordsThatFail: whoever gave them waits for what they do.
func TestOrdersOutliveRecordsThatFail(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out")
	cfg := configure(t, k)
	cfg.OnUncaught = func(error) Uncaught { return ReplaceThread }
	r := begin(t, cfg)
	awaitRunning(t, r)
	w, o := r.tasks.pool()[0], r.tasks.snapshot()[plan.TaskID{}]
	odd := newInput(r.group.client.Client, topicPartition{"nobody's", 7})
	odd.task = o
	done := make(chan struct{})
	w.mu.Lock()
	w.deliveries = append(w.deliveries, delivery{in: odd, recs: []*kgo.Record{{Topic: "nobody's", Partition: 7}}})
	w.orders = append(w.orders, func(context.Context) error { close(done); return nil })
	w.mu.Unlock()
	w.wake()
	within(t, "the order", 30*time.Second, func() { <-done })
	if r.meter.aborts.Load() == 0 {
		t.Error("the records did not fail")
	}
}

// TestLatestBeginsWhenItSaysSo: what comes after RUNNING is not skipped, though the client itself
// is slow to find out where to begin.
func TestLatestBeginsWhenItSaysSo(t *testing.T) {
	c := kafkatest.Start(t)
	k := c.Config
	makeTopics(t, k, 2, "in", "out")
	var refusals atomic.Int64
	c.Answer(kmsg.ListOffsets, func(req kmsg.Request) kmsg.Response {
		own := req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].CurrentLeaderEpoch < 0
		if own || refusals.Add(1) > 2 { // the client's own have an epoch, and are tried again
			return nil
		}
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, t := range req.(*kmsg.ListOffsetsRequest).Topics {
			rt := kmsg.NewListOffsetsResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				rp := kmsg.NewListOffsetsResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.ReplicaNotAvailable.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp
	})
	feed(t, k, client(t, k), 100)
	cfg := configure(t, k)
	cfg.Topology.Subs[0].Nodes[0].Reset = plan.ResetLatest
	out := newOutput(t, k)
	awaitRunning(t, begin(t, cfg))
	feed(t, k, client(t, k), 50)
	out.await(t, 50)
}

// TestReleaseWakesTheReader, who waits because all inputs that are read are full.
func TestReleaseWakesTheReader(t *testing.T) {
	r := New(configure(t, kafka.Config{Brokers: []string{"127.0.0.1:1"}}))
	rd := newReader(r)
	in := newInput(client(t, r.cfg.Kafka), topicPartition{"in", 0})
	in.waiting.Store(mostQueue)
	rd.inputs[in.topicPartition] = in
	if rd.checkAll() {
		t.Fatal("there is nothing to read, and it goes on")
	}
	rd.release([]*input{in}, newWorker(r, 0))
	select {
	case <-rd.room:
	default:
		t.Error("the reader sleeps on")
	}
	if !rd.checkAll() {
		t.Error("it does not go on")
	}
}

// TestPurgeIsTriedAgain where a broker refuses a partition.
func TestPurgeIsTriedAgain(t *testing.T) {
	c := kafkatest.Start(t)
	k := c.Config
	makeTopics(t, k, 2, "in", "out")
	r := begin(t, configure(t, k))
	awaitRunning(t, r)
	feed(t, k, client(t, k), 100)
	parts := []topicPartition{{k.Topic("in"), 0}, {k.Topic("in"), 1}}
	ends, err := fetchEnds(deadline(t), r.admin, parts)
	if err != nil {
		t.Fatal(err)
	}
	p := newPurger(r) // its own is told of commits meanwhile
	p.internal[k.Topic("in")] = true
	p.note(map[topicPartition]position{parts[0]: {offset: ends[parts[0]]}, parts[1]: {offset: ends[parts[1]]}})
	refused := false
	c.Answer(kmsg.DeleteRecords, func(req kmsg.Request) kmsg.Response {
		if refused {
			return nil
		}
		refused = true // once
		resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
		for _, t := range req.(*kmsg.DeleteRecordsRequest).Topics {
			rt := kmsg.NewDeleteRecordsResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				rp := kmsg.NewDeleteRecordsResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.PolicyViolation.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp
	})
	p.purge(deadline(t))
	if err := r.Health(); err == nil || !strings.Contains(err.Error(), "POLICY_VIOLATION") {
		t.Errorf("it was refused, and health says %v", err)
	}
	p.purge(deadline(t))
	starts, err := fetchStarts(deadline(t), r.admin, parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, tp := range parts {
		if starts[tp] != ends[tp] {
			t.Errorf("%v begins at %d, not %d", tp, starts[tp], ends[tp])
		}
	}
	if err := r.Health(); err != nil {
		t.Error(err)
	}
}

// TestExactlyOnceBeforeTransactionsVersion2: brokers that want to be told of partitions and offsets
// before a transaction has them.
func TestExactlyOnceBeforeTransactionsVersion2(t *testing.T) {
	c := kafkatest.Start(t, func(b *broker.Config) { b.Faults.MaxVersions = kversion.V3_5_0() })
	k := c.Config
	makeTopics(t, k, 2, "in", "out")
	asked := make(chan struct{}, 1)
	c.Answer(kmsg.AddOffsetsToTxn, func(kmsg.Request) kmsg.Response {
		select {
		case asked <- struct{}{}:
		default:
		}
		return nil
	})
	l, through := newLine(t, k)
	cfg := configure(t, through)
	var crash crasher
	cfg.Fault = crash.fault
	in, out, total := client(t, k), newOutput(t, k), int64(0)
	for n, p := range append(points, "never") {
		crash.arm(p, 2)
		r := begin(t, cfg)
		if r.implicit {
			t.Fatal("the broker's transactions are of version 2")
		}
		for dead := false; !dead; {
			feed(t, k, in, 100)
			total += 100
			if p == "never" {
				l.cut("EndTxn", n%2 == 0, 1)
				break
			}
			select {
			case <-crash.died:
				dead = true
			case <-time.After(5 * time.Millisecond):
			}
		}
		if p != "never" {
			forget(r)
		}
	}
	out.await(t, total)
	select {
	case <-asked:
	default:
		t.Error("no broker was told of offsets")
	}
}
