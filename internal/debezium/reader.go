package debezium

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// reader has what is committed in the only partition of each topic, as it comes: to read
// topics from their beginning whenever a record is waited for takes longer than all else.
type reader struct {
	client *kgo.Client
	end    context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	topics map[string]*content
	err    error
}

// content of a topic up to an offset.
type content struct {
	records []Record
	next    int64
}

// startReader reads all topics until the test ends.
func startReader(t testing.TB, brokers []string) *reader {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeRegex(), kgo.ConsumeTopics(".*"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.FetchMaxWait(200*time.Millisecond)) // a topic that is new comes with the next fetch
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &reader{client: client, end: cancel, done: make(chan struct{}), topics: map[string]*content{}}
	go r.run(ctx)
	t.Cleanup(r.close)
	return r
}

func (r *reader) close() {
	r.end()
	<-r.done
	r.client.Close()
}

func (r *reader) run(ctx context.Context) {
	defer close(r.done)
	for ctx.Err() == nil {
		fetches := r.client.PollFetches(ctx)
		r.mu.Lock()
		fetches.EachError(func(_ string, _ int32, err error) {
			if ctx.Err() == nil {
				r.err = errors.Join(r.err, err)
			}
		})
		fetches.EachRecord(r.keep)
		r.mu.Unlock()
	}
}

func (r *reader) keep(k *kgo.Record) {
	c := r.topics[k.Topic]
	if c == nil {
		c = &content{}
		r.topics[k.Topic] = c
	}
	c.next = k.Offset + 1
	if !k.Attrs.IsControl() {
		c.records = append(c.records, fromKafka(k))
	}
}

// has returns what was read of a topic so far.
func (r *reader) has(t testing.TB, topic string) content {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		t.Fatalf("read the topics of Kafka Connect: %v", r.err)
	}
	if c := r.topics[topic]; c != nil {
		return *c
	}
	r.client.ForceMetadataRefresh() // it may be new
	return content{}
}

func fromKafka(k *kgo.Record) Record {
	r := Record{Key: k.Key, Value: k.Value, Time: k.Timestamp.UnixMilli()}
	for _, h := range k.Headers {
		r.Headers = append(r.Headers, Header(h))
	}
	return r
}
