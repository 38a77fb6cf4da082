package killtest

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tail is a reader that goes on over all lives of the broker. It must have seen what the log
// holds in the end: nothing that a reader was shown goes away.
type tail struct {
	w         *world
	topic     string
	committed bool
	seen      map[int32][]sight
	findings  findings
}

type sight struct {
	offset int64
	sum    uint32
}

func newTail(w *world, topic string, committed bool) *tail {
	return &tail{w: w, topic: topic, committed: committed, seen: map[int32][]sight{}}
}

// run reads until the producers have ended and all that there is then has been seen.
func (t *tail) run(ctx context.Context, producers *sync.WaitGroup) error {
	isolation := kgo.ReadUncommitted()
	if t.committed {
		isolation = kgo.ReadCommitted()
	}
	client, err := t.w.client(kgo.ConsumeTopics(t.topic), kgo.FetchIsolationLevel(isolation),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	polling, stop := context.WithCancel(ctx)
	defer stop()
	go func() { producers.Wait(); stop() }()
	for polling.Err() == nil {
		if err := t.poll(polling, client); err != nil {
			return err
		}
	}
	return nil
}

func (t *tail) poll(ctx context.Context, client *kgo.Client) error {
	fetches := client.PollFetches(ctx)
	var failed error
	fetches.EachError(func(topic string, p int32, err error) {
		if ctx.Err() == nil && !passing(err) {
			failed = fmt.Errorf("tail of %s, partition %d: %w", t.topic, p, err)
		}
	})
	fetches.EachRecord(func(r *kgo.Record) {
		seen := t.seen[r.Partition]
		if n := len(seen); n > 0 && r.Offset <= seen[n-1].offset {
			t.findings.add(duplicated, "a reader of %s/%d was shown offset %d after %d", t.topic, r.Partition, r.Offset, seen[n-1].offset)
		}
		t.seen[r.Partition] = append(seen, sight{r.Offset, crc32.ChecksumIEEE(r.Value)})
	})
	return failed
}

// passing says that an error is a broker's that is away. franz-go also tells of data that is lost
// where there is none: after the records of an aborted transaction it has their end as its position,
// with the leader epoch of what was before. What is really lost is missed when books are compared.
func passing(err error) bool { return kerr.IsRetriable(err) || !isKafka(err) }

func isKafka(err error) bool {
	var e *kerr.Error
	return errors.As(err, &e)
}

// compare says what the reader saw differently.
func (t *tail) compare(f *findings, c content) {
	for p, seen := range t.seen {
		records := c[p]
		for i, s := range seen {
			if i >= len(records) {
				f.add(lost, "a reader of %s/%d was shown offset %d, and the log ends before", t.topic, p, s.offset)
				break
			}
			if r := records[i]; r.offset != s.offset || crc32.ChecksumIEEE(r.value) != s.sum {
				f.add(wrong, "a reader of %s/%d was shown something else at offset %d than what is at %d", t.topic, p, s.offset, r.offset)
				break
			}
		}
	}
	t.findings.into(f)
}
