package killtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// memberAndProducer is a transformer of two clients, as package streams has them.
type memberAndProducer struct {
	t        *transform
	member   *kafka.Member
	producer *kgo.Client
}

// groupOptions are short times, so that members who went without a word are missed soon.
func groupOptions(t *transform) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(t.group()), kgo.ConsumeTopics(t.from), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(3 * time.Second), kgo.HeartbeatInterval(200 * time.Millisecond), kgo.RebalanceTimeout(5 * time.Second),
	}
}

// withMembers opens transformers that are static members of the group.
func withMembers(ctx context.Context, t *transform, id string) (transformer, error) {
	m := &memberAndProducer{t: t}
	var err error
	// The last versions that name topics, not their ids.
	named := kversion.Stable()
	named.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 5)
	if m.producer, err = t.w.client(kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.TransactionTimeout(startTimeout), kgo.MaxVersions(named)); err != nil {
		return nil, err
	}
	if _, _, err = m.producer.ProducerID(ctx); err == nil {
		opts := append(patience(), groupOptions(t)...)
		m.member, err = kafka.NewMember(t.w.kafka(), append(opts, kgo.InstanceID(id), kgo.BlockRebalanceOnPoll())...)
	}
	if err != nil {
		m.producer.Close()
		return nil, err
	}
	return m, nil
}

func (m *memberAndProducer) close() {
	m.member.Close() // static: it is expected back
	m.producer.Close()
}

func (m *memberAndProducer) step(polling, ctx context.Context) (int, error) {
	fetches := m.member.PollRecords(polling, m.t.max)
	defer m.member.AllowRebalance()
	if err := fetchError(fetches); err != nil || fetches.NumRecords() == 0 {
		return 0, err
	}
	id, generation := m.member.GroupMetadata()
	if err := m.producer.BeginTransaction(); err != nil {
		return 0, err
	}
	var sent acknowledging
	var first *kgo.Record
	at := map[int32]int64{}
	fetches.EachRecord(func(r *kgo.Record) {
		at[r.Partition] = r.Offset + 1
		out := transformed(m.t.to, r)
		if first == nil {
			first = out
		}
		m.producer.Produce(ctx, out, func(_ *kgo.Record, err error) {
			if err != nil {
				sent.fail(err)
			}
		})
	})
	if err := errors.Join(m.producer.Flush(ctx), sent.failed()); err != nil {
		return 0, fmt.Errorf("produce: %w", err)
	}
	if err := m.positions(ctx, id, generation, at); err != nil {
		return 0, err
	}
	if err := kafka.Commit(ctx, m.producer, first); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	return fetches.NumRecords(), nil
}

// positions makes them part of the transaction.
func (m *memberAndProducer) positions(ctx context.Context, member string, generation int32, at map[int32]int64) error {
	id, epoch, err := m.producer.ProducerID(ctx)
	if err != nil {
		return err
	}
	txn, _ := m.producer.OptValue(kgo.TransactionalID).(string)
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = txn, id, epoch, m.t.group()
	if err := again(ctx, func() error {
		resp, err := add.RequestWith(ctx, m.producer)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(resp.ErrorCode)
	}); err != nil {
		return fmt.Errorf("add positions: %w", err)
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = txn, m.t.group(), id, epoch
	req.MemberID, req.Generation, req.InstanceID = member, generation, kmsg.StringPtr(txn)
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic = m.t.from
	for p, offset := range at {
		one := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		one.Partition, one.Offset, one.LeaderEpoch, one.Metadata = p, offset, -1, kmsg.StringPtr("")
		topic.Partitions = append(topic.Partitions, one)
	}
	req.Topics = append(req.Topics, topic)
	if err := again(ctx, func() error {
		resp, err := req.RequestWith(ctx, m.producer)
		if err != nil {
			return err
		}
		var all []error
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				all = append(all, kerr.ErrorForCode(p.ErrorCode))
			}
		}
		return errors.Join(all...)
	}); err != nil {
		return fmt.Errorf("commit positions: %w", err)
	}
	return nil
}

// again repeats what is refused for a passing reason.
func again(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !errors.Is(err, kerr.ConcurrentTransactions) && !errors.Is(err, kerr.CoordinatorLoadInProgress) &&
			!errors.Is(err, kerr.CoordinatorNotAvailable) && !errors.Is(err, kerr.NotCoordinator) {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// fetchError is one that does not pass.
func fetchError(fetches kgo.Fetches) (failed error) {
	fetches.EachError(func(topic string, p int32, err error) {
		if !passing(err) && !errors.Is(err, context.Canceled) {
			failed = fmt.Errorf("fetch %s/%d: %w", topic, p, err)
		}
	})
	return failed
}
