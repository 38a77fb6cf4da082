package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// position is what is committed of a topic partition.
type position struct {
	offset   int64 // the next to read
	epoch    int32 // of the leader, -1 unknown
	metadata string
}

// pinned are the versions of requests made here by hand: the last that name topics, not
// their ids.
func pinned() *kversion.Versions {
	v := kversion.Stable()
	v.SetMaxKeyVersion(int16(kmsg.OffsetCommit), 9)
	v.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 9)
	v.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 5)
	return v
}

// membership is what a commit says about who commits: a zombie's is refused.
type membership struct {
	group      string
	id         string
	generation int32
	instance   *string
}

// errFenced: others have taken over; what was not committed is not ours to commit.
var errFenced = errors.New("another member has taken over")

// retryAfter is the pause after a refusal that passes.
const retryAfter = 5 * time.Millisecond

// commitInTransaction makes offsets part of p's open transaction. members is asked before every
// attempt, because a rebalance changes the generation of those who stay.
func commitInTransaction(ctx context.Context, p *producer, implicit bool, members func() (membership, error), offsets map[topicPartition]position) error {
	if !implicit {
		m, err := members()
		if err != nil {
			return err
		}
		if err := addOffsets(ctx, p, m.group); err != nil {
			return err
		}
	}
	return persist(ctx, members, func(m membership) error {
		id, epoch, err := p.client.ProducerID(ctx)
		if err != nil {
			return err
		}
		req := kmsg.NewPtrTxnOffsetCommitRequest()
		req.TransactionalID = transactionalID(p.client)
		req.Group, req.MemberID, req.Generation, req.InstanceID = m.group, m.id, m.generation, m.instance
		req.ProducerID, req.ProducerEpoch = id, epoch
		req.Topics = txnTopics(offsets)
		resp, err := req.RequestWith(ctx, p.client)
		if err != nil {
			return err
		}
		for _, t := range resp.Topics {
			for _, part := range t.Partitions {
				if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
					return fmt.Errorf("%s/%d: %w", t.Topic, part.Partition, err)
				}
			}
		}
		return nil
	})
}

func transactionalID(c *kgo.Client) string {
	id, _ := c.OptValue(kgo.TransactionalID).(string)
	return id
}

// addOffsets is what brokers before transaction version 2 want to be told first.
func addOffsets(ctx context.Context, p *producer, group string) error {
	return retry(ctx, func() error {
		id, epoch, err := p.client.ProducerID(ctx)
		if err != nil {
			return err
		}
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = transactionalID(p.client), id, epoch, group
		resp, err := req.RequestWith(ctx, p.client)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(resp.ErrorCode)
	})
}

// commitPlainly commits offsets of which nothing else depends.
func commitPlainly(ctx context.Context, consumer *kgo.Client, members func() (membership, error), offsets map[topicPartition]position) error {
	return persist(ctx, members, func(m membership) error {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group, req.MemberID, req.Generation, req.InstanceID = m.group, m.id, m.generation, m.instance
		req.Topics = plainTopics(offsets)
		resp, err := req.RequestWith(ctx, consumer)
		if err != nil {
			return err
		}
		for _, t := range resp.Topics {
			for _, part := range t.Partitions {
				if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
					return fmt.Errorf("%s/%d: %w", t.Topic, part.Partition, err)
				}
			}
		}
		return nil
	})
}

// persist commits as the member that the process is; where a rebalance is under way it
// waits for the new generation, in which the partitions are still ours.
func persist(ctx context.Context, members func() (membership, error), commit func(membership) error) error {
	return retry(ctx, func() error {
		m, err := members()
		if err != nil {
			return err
		}
		err = commit(m)
		switch {
		case errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.RebalanceInProgress):
			return again{err}
		case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.FencedInstanceID):
			return fmt.Errorf("%w: %w", errFenced, err)
		}
		return err
	})
}

// again marks an error that may pass.
type again struct{ error }

func (a again) Unwrap() error { return a.error }

// retry repeats what failed for a passing reason, until ctx ends.
func retry(ctx context.Context, do func() error) error {
	for wait := retryAfter; ; wait = min(2*wait, 40*retryAfter) {
		err := do()
		var passing again
		if err == nil || !errors.As(err, &passing) && !isPassing(err) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

func isPassing(err error) bool {
	for _, e := range []error{kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator,
		kerr.ConcurrentTransactions, kerr.UnstableOffsetCommit, kerr.RequestTimedOut} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// fetchOffsets returns what is committed; a transaction that is about to commit is waited for.
// Partitions without anything committed are left out.
func fetchOffsets(ctx context.Context, consumer *kgo.Client, group string, parts []topicPartition) (map[topicPartition]position, error) {
	var out map[topicPartition]position
	err := retry(ctx, func() error {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.RequireStable = true
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = group
		for topic, numbers := range byTopic(parts) {
			t := kmsg.NewOffsetFetchRequestGroupTopic()
			t.Topic, t.Partitions = topic, numbers
			g.Topics = append(g.Topics, t)
		}
		req.Groups = append(req.Groups, g)
		resp, err := req.RequestWith(ctx, consumer)
		if err != nil {
			return err
		}
		out, err = readOffsets(resp)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("fetch the committed offsets: %w", err)
	}
	return out, nil
}

func readOffsets(resp *kmsg.OffsetFetchResponse) (map[topicPartition]position, error) {
	out := map[topicPartition]position{}
	for _, g := range resp.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			return nil, err
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
				}
				if p.Offset < 0 {
					continue
				}
				at := position{offset: p.Offset, epoch: p.LeaderEpoch}
				if p.Metadata != nil {
					at.metadata = *p.Metadata
				}
				out[topicPartition{t.Topic, p.Partition}] = at
			}
		}
	}
	return out, nil
}

func byTopic(parts []topicPartition) map[string][]int32 {
	out := map[string][]int32{}
	for _, p := range parts {
		out[p.topic] = append(out[p.topic], p.partition)
	}
	return out
}

func txnTopics(offsets map[topicPartition]position) (out []kmsg.TxnOffsetCommitRequestTopic) {
	at := map[string]int{}
	for tp, pos := range offsets {
		i, ok := at[tp.topic]
		if !ok {
			i = len(out)
			at[tp.topic] = i
			t := kmsg.NewTxnOffsetCommitRequestTopic()
			t.Topic = tp.topic
			out = append(out, t)
		}
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = tp.partition, pos.offset, pos.epoch, kmsg.StringPtr(pos.metadata)
		out[i].Partitions = append(out[i].Partitions, p)
	}
	return out
}

func plainTopics(offsets map[topicPartition]position) (out []kmsg.OffsetCommitRequestTopic) {
	at := map[string]int{}
	for tp, pos := range offsets {
		i, ok := at[tp.topic]
		if !ok {
			i = len(out)
			at[tp.topic] = i
			t := kmsg.NewOffsetCommitRequestTopic()
			t.Topic = tp.topic
			out = append(out, t)
		}
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = tp.partition, pos.offset, pos.epoch, kmsg.StringPtr(pos.metadata)
		out[i].Partitions = append(out[i].Partitions, p)
	}
	return out
}
