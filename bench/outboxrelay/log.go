package outboxrelay

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// verifyTimeout bounds the reading of a topic.
const verifyTimeout = 2 * time.Minute

// verify reads the topic and counts: every row is there, its key's order kept; once
// where exactly.
func verify(ctx context.Context, p place, rows int, exactly bool) error {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	client, err := reader(p)
	if err != nil {
		return err
	}
	defer client.Close()
	seen, missing := make([]bool, rows), rows
	latest := map[string]int{}
	check := func(r *kgo.Record) error {
		n, err := number(r.Value)
		if err != nil || n < 0 || n >= rows {
			return fmt.Errorf("a strange value at %d/%d: %q", r.Partition, r.Offset, r.Value)
		}
		if before, ok := latest[string(r.Key)]; ok && n <= before && exactly {
			return fmt.Errorf("key %s: %d comes after %d", r.Key, n, before)
		}
		latest[string(r.Key)] = n
		if !seen[n] {
			seen[n], missing = true, missing-1
		}
		return nil
	}
	count := 0
	for missing > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("%d of %d rows are not in the topic: %w", missing, rows, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			count++
			if err == nil {
				err = check(r)
			}
		})
		if err != nil {
			return err
		}
	}
	if exactly && count != rows {
		return fmt.Errorf("the topic holds %d records for %d rows", count, rows)
	}
	return nil
}

// reader reads what is committed, from the beginning.
func reader(p place) (*kgo.Client, error) {
	return kafka.NewClient(p.kafka(), kgo.ConsumeTopics(p.kafka().Topic(topic)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
}

func dropTopics(ctx context.Context, p place) error {
	client, err := kafka.NewClient(p.kafka())
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	var ours []string
	for _, t := range topics.Names() {
		if len(t) > len(p.Prefix) && t[:len(p.Prefix)] == p.Prefix {
			ours = append(ours, t)
		}
	}
	_, err = admin.DeleteTopics(ctx, ours...)
	return err
}
