package cdc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/kafka"
)

// topic of one partition that a connector writes to.
type topic struct {
	name   string
	broker string
	admin  *kadm.Client
	client *kgo.Client
}

func (w *worker) topic(name string) (*topic, error) {
	client, err := kafka.NewClient(w.kafka())
	if err != nil {
		return nil, err
	}
	return &topic{name: w.prefix + name, broker: w.broker, client: client, admin: kadm.NewClient(client)}, nil
}

func (w *worker) kafka() kafka.Config {
	return kafka.Config{Brokers: []string{w.broker}, Logger: measure.Quiet}
}

func (t *topic) close() { t.client.Close() }

// drop it, so that the broker's disk does not fill.
func (t *topic) drop(ctx context.Context) error {
	_, err := t.admin.DeleteTopics(ctx, t.name)
	return err
}

// make it beforehand: its creation is not what is measured.
func (t *topic) make(ctx context.Context) error {
	if _, err := t.admin.CreateTopic(ctx, 1, 1, nil, t.name); err != nil {
		return err
	}
	return await(ctx, "topic "+t.name, func() (bool, error) {
		_, err := t.end(ctx)
		return err == nil, nil
	})
}

// end of what is committed; it counts the ends of transactions, too.
func (t *topic) end(ctx context.Context) (int64, error) {
	ends, err := t.admin.ListCommittedOffsets(ctx, t.name)
	if err != nil {
		return 0, err
	}
	end, ok := ends.Lookup(t.name, 0)
	if !ok {
		return 0, fmt.Errorf("topic %s is not there", t.name)
	}
	return end.Offset, end.Err
}

// reader of what is committed, from the beginning.
func (t *topic) reader() (*kgo.Client, error) {
	return kafka.NewClient(kafka.Config{Brokers: []string{t.broker}, Logger: measure.Quiet}, kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.name: {0: kgo.NewOffset().AtStart()}}))
}

// verifyTimeout bounds the reading of a topic in which something is missing.
const verifyTimeout = 2 * time.Minute

// verify that the topic has as many records, exactly where that is wanted, and that each has an
// envelope or is a tombstone.
func (t *topic) verify(ctx context.Context, want int, exactly bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, verifyTimeout, errors.New("they do not come"))
	defer cancel()
	client, err := t.reader()
	if err != nil {
		return err
	}
	defer client.Close()
	count, end := 0, int64(0)
	for next := int64(0); count < want || next < end; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("topic %s has %d of %d records: %w", t.name, count, want, context.Cause(ctx))
		}
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if next = r.Offset + 1; r.Attrs.IsControl() {
				return
			}
			count++
			if r.Value != nil && (!bytes.HasPrefix(r.Value, []byte(`{"before":`)) || !bytes.Contains(r.Value, []byte(`,"op":"`))) {
				err = fmt.Errorf("topic %s has a record that is no envelope: %s", t.name, r.Value)
			}
		})
		if count >= want && end == 0 && err == nil {
			end, err = t.end(ctx)
		}
		if err != nil {
			return err
		}
	}
	if exactly && count != want {
		return fmt.Errorf("topic %s has %d records instead of %d", t.name, count, want)
	}
	return nil
}
