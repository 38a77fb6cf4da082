package server_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestTransactionsWithoutAdding has what is written in a transaction be part of it without
// being said so before, and each transaction have an epoch of its own (KIP-890).
func TestTransactionsWithoutAdding(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	id, group := s.name("txn"), s.name("group")
	producer, epoch := s.producer(id)
	sequence := int32(0)
	for round := range 3 {
		commit := round%2 == 0
		wantCode(t, "a record", producedCode(s.c, produceInTxn(12, id, producer, epoch, s.topic, sequence)), nil)
		offsets := ask[*kmsg.TxnOffsetCommitResponse](s.c, commitInTxn(5, id, producer, epoch, group, s.topic, int64(10+round)))
		wantCode(t, "its offset", offsets.Topics[0].Partitions[0].ErrorCode, nil)
		before := offsetOf(s.c, group, s.topic)
		end := ask[*kmsg.EndTxnResponse](s.c, endTxn(5, id, producer, epoch, commit))
		wantCode(t, "EndTxn", end.ErrorCode, nil)
		if end.ProducerID != producer || end.ProducerEpoch != epoch+1 {
			t.Fatalf("the next transaction is of %d/%d, want %d/%d", end.ProducerID, end.ProducerEpoch, producer, epoch+1)
		}
		until(t, "EndTxn again has the same answer", func() bool {
			again := ask[*kmsg.EndTxnResponse](s.c, endTxn(5, id, producer, epoch, commit))
			if again.ErrorCode != kerr.ConcurrentTransactions.Code { // markers are still being written
				wantCode(t, "EndTxn again", again.ErrorCode, nil)
			}
			return again.ErrorCode == 0 && again.ProducerEpoch == end.ProducerEpoch
		})
		wantCode(t, "a record of the transaction before", producedCode(s.c, produceInTxn(12, id, producer, epoch, s.topic, sequence+1)), kerr.InvalidProducerEpoch)
		epoch = end.ProducerEpoch
		until(t, "the end of the transaction", func() bool { return stableOffset(s.c, s.topic) == highWatermark(s.c, s.topic) })
		if want := int64(10 + round); commit {
			until(t, "the offset is committed", func() bool { return offsetOf(s.c, group, s.topic) == want })
		} else {
			wantOffset(t, s.c, group, s.topic, before)
		}
	}
}

// TestProducersFenceEachOther has the second of two producers of one id end the first.
func TestProducersFenceEachOther(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	id, producer, epoch := s.begun("readers")
	wantCode(t, "a record", producedCode(s.c, produceInTxn(9, id, producer, epoch, s.topic, 0)), nil)
	until(t, "the second producer is let in", func() bool {
		resp := ask[*kmsg.InitProducerIDResponse](s.c, initProducer(4, id))
		if resp.ErrorCode != 0 {
			wantCode(t, "InitProducerID", resp.ErrorCode, kerr.ConcurrentTransactions)
		}
		return resp.ErrorCode == 0
	})
	wantCode(t, "a record of the first", producedCode(s.c, produceInTxn(9, id, producer, epoch, s.topic, 1)), kerr.InvalidProducerEpoch)
	for version, want := range map[int16]*kerr.Error{0: kerr.InvalidProducerEpoch, 4: kerr.ProducerFenced} {
		wantCode(t, "EndTxn of the first", ask[*kmsg.EndTxnResponse](s.c, endTxn(version, id, producer, epoch, true)).ErrorCode, want)
		wantCode(t, "AddOffsetsToTxn of the first", ask[*kmsg.AddOffsetsToTxnResponse](s.c, addOffsets(version, id, producer, epoch, "readers")).ErrorCode, want)
	}
	if stableOffset(s.c, s.topic) != 2 {
		t.Errorf("stable is %d, want 2: the record and the marker of its abort", stableOffset(s.c, s.topic))
	}
}

// TestTransactionsTimeOut has a producer's transaction be aborted that takes too long.
func TestTransactionsTimeOut(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	id, producer, epoch := s.begun("readers")
	wantCode(t, "a record", producedCode(s.c, produceInTxn(9, id, producer, epoch, s.topic, 0)), nil)
	if stable := stableOffset(s.c, s.topic); stable != 0 {
		t.Fatalf("stable is %d", stable)
	}
	w.advance(2 * time.Minute)
	until(t, "it is aborted", func() bool { return stableOffset(s.c, s.topic) == 2 })
	resp := ask[*kmsg.EndTxnResponse](s.c, endTxn(4, id, producer, epoch, true))
	wantCode(t, "its commit", resp.ErrorCode, kerr.ProducerFenced)
}

// TestTransactionsKeepToTheirPartitions has producers write in a transaction only what is
// part of it.
func TestTransactionsKeepToTheirPartitions(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	id := s.name("txn")
	producer, epoch := s.producer(id)
	wantCode(t, "a record before AddPartitionsToTxn", producedCode(s.c, produceInTxn(9, id, producer, epoch, s.topic, 0)), kerr.InvalidTxnState)
	wantCode(t, "the same to clients that know better", producedCode(s.c, produceInTxn(11, id, producer, epoch, s.topic, 0)), kerr.TransactionAbortable)
	wantCode(t, "a record of another id", producedCode(s.c, produceInTxn(12, "other", producer, epoch, s.topic, 0)), kerr.InvalidProducerIDMapping)
	add := addPartitions(3, id, producer, epoch, s.topic)
	add.Topics = append(add.Topics, kmsg.AddPartitionsToTxnRequestTopic{Topic: "missing", Partitions: []int32{0}})
	got := ask[*kmsg.AddPartitionsToTxnResponse](s.c, add).Topics
	wantCode(t, "a partition beside one that is missing", got[0].Partitions[0].ErrorCode, kerr.OperationNotAttempted)
	wantCode(t, "one that is missing", got[1].Partitions[0].ErrorCode, kerr.UnknownTopicOrPartition)
	commit := ask[*kmsg.TxnOffsetCommitResponse](s.c, commitInTxn(3, id, producer, epoch, "readers", s.topic, 1))
	wantCode(t, "offsets before AddOffsetsToTxn", commit.Topics[0].Partitions[0].ErrorCode, kerr.InvalidTxnState)
}
