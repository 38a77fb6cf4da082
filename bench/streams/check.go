package streams

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func outOf(t task) string { return t.Out }

// sumsUp checks that the last counts of all keys are together as many as the records.
func (s *stage) sumsUp(topic func(task) string, exactly bool) func(context.Context, task, workload) error {
	return func(ctx context.Context, t task, in workload) error {
		counts := map[string]int64{}
		err := s.read(ctx, topic(t), func(r *kgo.Record) error {
			if len(r.Value) != 8 {
				return fmt.Errorf("a strange count at %d/%d: %q", r.Partition, r.Offset, r.Value)
			}
			counts[string(r.Key)] = int64(binary.BigEndian.Uint64(r.Value))
			return nil
		})
		if err != nil {
			return err
		}
		var sum int64
		for _, n := range counts {
			sum += n
		}
		if exactly && sum != int64(in.records) || sum < int64(in.records) {
			return fmt.Errorf("%d records were counted as %d", in.records, sum)
		}
		return nil
	}
}

// asMany checks that as many records came out as went in.
func (s *stage) asMany(ctx context.Context, t task, in workload) error {
	n := 0
	if err := s.read(ctx, t.Out, func(*kgo.Record) error { n++; return nil }); err != nil {
		return err
	}
	if n != in.records {
		return fmt.Errorf("%d records came out as %d", in.records, n)
	}
	return nil
}

// read reads what is committed in a topic, up to its end of now.
func (s *stage) read(ctx context.Context, topic string, each func(*kgo.Record) error) error {
	ends, err := s.admin.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return err
	}
	client, err := kafka.NewClient(s.kafka(), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxPartitionBytes(4<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	ctx, cancel := context.WithTimeout(ctx, stallTimeout)
	defer cancel()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("reading %s: %w", topic, err)
		}
		var failed error
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() && failed == nil {
				failed = each(r)
			}
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}
