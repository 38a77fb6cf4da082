package hello

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/kafka"
)

// topic of the states.
const topic = "hello-log-store"

// ReadTopic reads the whole topic, committed records only, and computes the table anew: the
// last value of each key.
func ReadTopic(ctx context.Context, cluster kafka.Config) (invariants.HelloTable, error) {
	table := invariants.HelloTable{Values: map[string]string{}, Deleted: map[string]bool{}}
	name := cluster.Topic(topic)
	ends, starts, err := bounds(ctx, cluster, name)
	if err != nil {
		return table, fmt.Errorf("read topic %s: %w", name, err)
	}
	open := map[int32]int64{}
	from := map[int32]kgo.Offset{}
	for p, end := range ends[name] {
		if start := starts[name][p].Offset; start < end.Offset {
			open[p], from[p] = end.Offset, kgo.NewOffset().At(start)
		}
	}
	if len(open) == 0 {
		return table, nil
	}
	client, err := kafka.NewClient(cluster, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return table, err
	}
	defer client.Close()
	for len(open) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return table, fmt.Errorf("read topic %s: %w", name, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() && r.Offset < ends[name][r.Partition].Offset {
				put(&table, r)
			}
			if r.Offset+1 >= open[r.Partition] {
				delete(open, r.Partition)
			}
		})
	}
	return table, nil
}

func put(table *invariants.HelloTable, r *kgo.Record) {
	table.Records++
	key := string(r.Key)
	if r.Value == nil {
		delete(table.Values, key)
		table.Deleted[key] = true
		return
	}
	delete(table.Deleted, key)
	table.Values[key] = string(r.Value)
}

// bounds are those of what is committed.
func bounds(ctx context.Context, cluster kafka.Config, name string) (ends, starts kadm.ListedOffsets, err error) {
	client, err := kafka.NewClient(cluster)
	if err != nil {
		return nil, nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if ends, err = admin.ListCommittedOffsets(ctx, name); err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, err
	}
	if starts, err = admin.ListStartOffsets(ctx, name); err == nil {
		err = starts.Error()
	}
	return ends, starts, err
}
