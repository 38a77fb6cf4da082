package killtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// read reads a topic with a fresh client: all of it, or what is committed.
func (w *world) read(ctx context.Context, topic string, onlyCommitted bool) (content, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	isolation := kgo.ReadUncommitted()
	if onlyCommitted {
		isolation = kgo.ReadCommitted()
	}
	client, err := w.client(kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	r := &reading{client: client, topic: topic, committed: onlyCommitted, content: content{}, epoch: map[int32]int32{}}
	if err := r.run(ctx); err != nil {
		return r.content, fmt.Errorf("read %s: %w, with %v left", topic, err, r.left)
	}
	return r.content, nil
}

type reading struct {
	client    *kgo.Client
	topic     string
	committed bool
	content   content
	epoch     map[int32]int32 // of the last record
	left      map[int32]int64 // ends of partitions that are not read whole
}

func (r *reading) run(ctx context.Context) error {
	from, err := r.ends(ctx)
	if err != nil {
		return err
	}
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: from})
	for len(r.left) > 0 {
		round, cancel := context.WithTimeout(ctx, time.Second)
		fetches := r.client.PollFetches(round)
		cancel()
		if err := r.take(fetches); err != nil {
			return err
		}
		if fetches.NumRecords() == 0 { // retention may have taken the rest
			if err := r.drop(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// ends notes up to where partitions are read, and returns where from.
func (r *reading) ends(ctx context.Context) (map[int32]kgo.Offset, error) {
	admin := kadm.NewClient(r.client)
	list := admin.ListEndOffsets
	if r.committed {
		list = admin.ListCommittedOffsets
	}
	ends, err := list(ctx, r.topic)
	if err = errors.Join(err, ends.Error()); err != nil {
		return nil, err
	}
	starts, err := admin.ListStartOffsets(ctx, r.topic)
	if err = errors.Join(err, starts.Error()); err != nil {
		return nil, err
	}
	from := map[int32]kgo.Offset{}
	r.left = map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(r.topic, end.Partition)
		r.content[end.Partition] = nil
		if start.Offset < end.Offset {
			r.left[end.Partition] = end.Offset
			from[end.Partition] = kgo.NewOffset().At(start.Offset)
		}
	})
	return from, nil
}

func (r *reading) take(fetches kgo.Fetches) error {
	var failed error
	fetches.EachError(func(_ string, p int32, err error) {
		if !errors.Is(err, context.DeadlineExceeded) {
			failed = fmt.Errorf("partition %d: %w", p, err)
		}
	})
	fetches.EachRecord(func(got *kgo.Record) {
		end, reading := r.left[got.Partition]
		if !reading || got.Offset >= end {
			delete(r.left, got.Partition)
			return
		}
		if before := r.epoch[got.Partition]; got.LeaderEpoch < before {
			failed = fmt.Errorf("partition %d: leader epoch %d at offset %d comes after %d", got.Partition, got.LeaderEpoch, got.Offset, before)
		}
		r.epoch[got.Partition] = got.LeaderEpoch
		if !got.Attrs.IsControl() {
			r.content[got.Partition] = append(r.content[got.Partition], recordOf(got))
		}
		if got.Offset+1 >= end {
			delete(r.left, got.Partition)
		}
	})
	return failed
}

// drop gives up partitions that hold nothing any more up to the end that was noted.
func (r *reading) drop(ctx context.Context) error {
	starts, err := kadm.NewClient(r.client).ListStartOffsets(ctx, r.topic)
	if err != nil {
		return err
	}
	starts.Each(func(start kadm.ListedOffset) {
		if end, ok := r.left[start.Partition]; ok && start.Offset >= end {
			delete(r.left, start.Partition)
		}
	})
	return ctx.Err()
}

func recordOf(r *kgo.Record) record {
	got := record{partition: r.Partition, offset: r.Offset, key: string(r.Key), value: r.Value, at: r.Timestamp}
	if len(r.Headers) > 0 {
		got.header = r.Headers[0].Value
	}
	return got
}
