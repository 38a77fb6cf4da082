package txn_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/group"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/txn"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// asyncLog makes sets durable on a goroutine of its own.
type asyncLog struct{ sets chan func(error) }

func newAsyncLog(t *testing.T) *asyncLog {
	l := &asyncLog{sets: make(chan func(error), 10_000)}
	var running sync.WaitGroup
	running.Go(func() {
		for done := range l.sets {
			done(nil)
		}
	})
	t.Cleanup(func() { close(l.sets); running.Wait() })
	return l
}

func (l *asyncLog) Full() bool { return false }

func (l *asyncLog) Append(_ []keylog.Record, done func(error)) { l.sets <- done }

// toGroups sends markers of offsets to the groups, each on its own goroutine.
type toGroups struct {
	groups  *group.Coordinator
	running sync.WaitGroup
}

func (m *toGroups) WriteMarker(target txn.Target, marker txn.Marker, done func(error)) {
	m.running.Go(func() {
		if target.Offsets {
			m.groups.EndTxn(group.Marker(marker), done)
			return
		}
		done(nil)
	})
}

// TestConcurrentUse runs both coordinators, which call each other, from many
// goroutines: nothing blocks for ever, and every commit is there.
func TestConcurrentUse(t *testing.T) {
	markers := &toGroups{}
	txns := txn.New(txn.Config{Log: newAsyncLog(t), Markers: markers, EndWait: time.Minute})
	markers.groups = group.New(group.Config{Log: newAsyncLog(t), VerifyTxn: txns.VerifyGroup})
	rounds := testenv.Sized(15, 500)
	var producers sync.WaitGroup
	for n := range 8 {
		producers.Go(func() {
			if err := runProducer(txns, markers.groups, fmt.Sprint("p", n), rounds); err != nil {
				t.Error(n, err)
			}
		})
	}
	producers.Wait()
	markers.running.Wait()
	for n := range 8 {
		topic := fmt.Sprint("p", n)
		for got := int64(-1); got != int64(rounds); {
			p := <-fetch(markers.groups, topic)
			if errorOf(p.ErrorCode) == kerr.UnstableOffsetCommit {
				continue // the last marker is still on its way
			}
			if got = p.Offset; got != int64(rounds) {
				t.Fatalf("offset %d of %s, want %d", got, topic, rounds)
			}
		}
	}
}

func fetch(groups *group.Coordinator, topic string) <-chan kmsg.OffsetFetchResponseTopicPartition {
	answer := make(chan kmsg.OffsetFetchResponseTopicPartition, 1)
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group, req.RequireStable = 7, "g", true
	req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: topic, Partitions: []int32{0}}}
	groups.OffsetFetch(req, func(resp *kmsg.OffsetFetchResponse) { answer <- resp.Topics[0].Partitions[0] })
	return answer
}

// runProducer commits an offset per transaction.
func runProducer(txns *txn.Coordinator, groups *group.Coordinator, name string, rounds int) error {
	initReq := kmsg.NewPtrInitProducerIDRequest()
	initReq.Version, initReq.TransactionalID, initReq.TransactionTimeoutMillis = 5, &name, 60_000
	started := make(chan *kmsg.InitProducerIDResponse, 1)
	txns.InitProducerID(initReq, func(resp *kmsg.InitProducerIDResponse) { started <- resp })
	first := <-started
	p := id{first.ProducerID, first.ProducerEpoch}
	for round := range rounds {
		err := retry(func(answer chan<- *kerr.Error) {
			txns.AddGroup(name, p.producer, p.epoch, "g", func(err *kerr.Error) { answer <- err })
		})
		if err != nil {
			return fmt.Errorf("add group: %w", err)
		}
		commit := kmsg.NewPtrTxnOffsetCommitRequest()
		commit.Version, commit.Group, commit.Generation = 5, "g", -1
		commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch = name, p.producer, p.epoch
		at := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		at.Offset = int64(round + 1)
		commit.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: name, Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{at}}}
		err = retry(func(answer chan<- *kerr.Error) {
			groups.TxnOffsetCommit(commit, func(resp *kmsg.TxnOffsetCommitResponse) {
				answer <- errorOf(resp.Topics[0].Partitions[0].ErrorCode)
			})
		})
		if err != nil {
			return fmt.Errorf("commit offset: %w", err)
		}
		end := kmsg.NewPtrEndTxnRequest()
		end.Version, end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = 5, name, p.producer, p.epoch, true
		err = retry(func(answer chan<- *kerr.Error) {
			txns.EndTxn(end, func(resp *kmsg.EndTxnResponse) {
				p = id{resp.ProducerID, resp.ProducerEpoch}
				answer <- errorOf(resp.ErrorCode)
			})
		})
		if err != nil {
			return fmt.Errorf("end: %w", err)
		}
	}
	return nil
}

// retry asks until the last transaction is complete.
func retry(ask func(chan<- *kerr.Error)) error {
	for {
		answer := make(chan *kerr.Error, 1)
		ask(answer)
		switch err := <-answer; {
		case err == nil:
			return nil
		case err != kerr.ConcurrentTransactions:
			return err
		}
	}
}
