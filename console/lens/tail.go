package lens

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tail reads the event topics to their ends and on, without a consumer group. One
// goroutine runs it.
type tail struct {
	kafka    kafka.Config
	config   Config
	index    *index
	services *services
	client   *kgo.Client
	admin    *kadm.Client

	// Of the goroutine.
	cluster string
	parts   map[partitionKey]*reading
	stored  map[partitionKey]place // of the last run, until they are read on
	changed map[partitionKey]bool  // since the last flush
	dropped []partitionKey
	entries []entry // of one poll
	looked  time.Time
	wait    time.Duration // until topics are looked for again
	flushed time.Time
	written time.Time // when a flush wrote something
	late    time.Time // since when it is behind; zero where it is not

	mu      sync.Mutex        // guards the rest
	known   map[string]string // ids of topics, by full name
	bound   string            // the cluster, "" before it was met
	behind  int64
	rate    rate
	gaps    []gap
	problem string
}

// reading is a partition that is read.
type reading struct {
	topicID string
	next    int64
	end     int64 // as last heard
	at      int64 // timestamp of the last record, 0 for none
	tailing bool  // the last fetch came to the end
	lost    bool  // has to be begun anew
}

func (r *reading) behind() int64 { return max(0, r.end-r.next) }

// What is fetched at a time (bounds of memory), and how long things may take.
const (
	fetchBytes     = 4 << 20
	partitionBytes = 1 << 20
	pollRecords    = 4096
	pollWait       = 250 * time.Millisecond
	fetchWait      = 500 * time.Millisecond
	flushEvery     = time.Second
	idleFlush      = time.Minute
	askKafka       = 5 * time.Second
)

func newTail(k kafka.Config, config Config, ix *index, s *services) (*tail, error) {
	client, err := kafka.NewClient(k,
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), // those have offsets, too
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(fetchWait), // a new partition waits for the fetch under way
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(partitionBytes), kgo.MaxConcurrentFetches(1),
		kgo.MetadataMinAge(250*time.Millisecond), kgo.DisableClientMetrics())
	if err != nil {
		return nil, err
	}
	return &tail{
		kafka: k, config: config, index: ix, services: s, client: client, admin: kadm.NewClient(client),
		parts: map[partitionKey]*reading{}, changed: map[partitionKey]bool{},
	}, nil
}

func (t *tail) run(ctx context.Context) {
	defer t.client.Close()
	if !t.begin(ctx) {
		return
	}
	for ctx.Err() == nil {
		t.lookAtTopics(ctx)
		t.catchUp()
		if !t.index.overfull() {
			t.poll(ctx)
		}
		if t.index.full() || time.Since(t.flushed) >= flushEvery {
			t.flush(ctx)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), askKafka)
	defer cancel()
	t.flush(last)
}

// begin waits for Kafka, and forgets what was of another cluster.
func (t *tail) begin(ctx context.Context) bool {
	for ctx.Err() == nil {
		err := t.meet(ctx)
		if err == nil {
			t.report(nil)
			return true
		}
		t.report(err)
		sleep(ctx, pollWait*2)
	}
	return false
}

func (t *tail) meet(ctx context.Context) error {
	asked, cancel := context.WithTimeout(ctx, askKafka)
	defer cancel()
	cluster, err := kafka.ClusterID(asked, t.client, t.kafka)
	if err != nil {
		return err
	}
	p, err := t.index.store.progress(ctx)
	if err != nil {
		return err
	}
	if p.cluster != "" && p.cluster != cluster {
		t.config.Logger.Warn("the index of the lens was of another Kafka cluster; it begins anew", "was", p.cluster, "is", cluster)
		p = progress{}
		if err := t.index.clear(ctx, cluster); err != nil {
			return err
		}
	}
	t.cluster, t.stored = cluster, p.places
	t.services.remember(p.services)
	t.mu.Lock()
	t.gaps, t.bound = p.gaps, cluster
	t.mu.Unlock()
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// report shows a problem to people; one that stays is logged once.
func (t *tail) report(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if text != "" && t.problem == "" {
		t.config.Logger.Warn("the lens cannot read on", "error", text)
	}
	t.problem = text
}

func (t *tail) poll(ctx context.Context) {
	if len(t.parts) == 0 {
		sleep(ctx, pollWait)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, pollWait)
	defer cancel()
	fetches := t.client.PollRecords(bounded, pollRecords)
	now := time.Now().UnixMicro()
	clear(t.entries) // the texts live in the index
	t.entries = t.entries[:0]
	fetches.EachPartition(func(f kgo.FetchTopicPartition) { t.take(f.Topic, f.FetchPartition, now) })
	if len(t.entries) > 0 {
		t.index.add(t.entries)
	}
	t.mu.Lock()
	t.rate.add(len(t.entries), time.Now())
	t.mu.Unlock()
}

// soon is how old a record may be for its reading to tell when it was written.
const soon = int64(10 * time.Second / time.Microsecond)

func (t *tail) take(topic string, f kgo.FetchPartition, now int64) {
	key := partitionKey{topic, f.Partition}
	r := t.parts[key]
	if f.Err != nil {
		t.fetchFailed(r, f.Err)
	}
	if r == nil {
		return
	}
	tailing := r.tailing // what comes now was written since the last fetch
	r.end = max(r.end, f.LastStableOffset)
	for _, record := range f.Records {
		if record.Offset < r.next {
			continue // of before a skip
		}
		r.next, r.at = record.Offset+1, record.Timestamp.UnixMicro()
		if record.Attrs.IsControl() {
			continue
		}
		if e, ok := entryOf(record); ok {
			if tailing && now-e.at < soon {
				e.seen = now
			}
			t.entries = append(t.entries, e)
		}
	}
	r.tailing = r.next >= f.LastStableOffset
	t.changed[key] = true
}

// fetchFailed notes which partitions have to be begun anew; kgo repeats the rest.
func (t *tail) fetchFailed(r *reading, err error) {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, kgo.ErrClientClosed):
		return
	case r == nil:
		return
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID): // dropped with the next look
	default:
		t.report(fmt.Errorf("reading from Kafka: %w", err))
	}
	r.lost, t.wait = true, min(t.wait, time.Second)
}

// flush stores what was read, and drops what is too old. Where nothing was read that
// is done once a minute: it costs a write to the disk.
func (t *tail) flush(ctx context.Context) {
	t.flushed = time.Now()
	if len(t.changed)+len(t.dropped) == 0 && !t.index.full() && !t.services.news() && time.Since(t.written) < idleFlush {
		return
	}
	p := progress{cluster: t.cluster, places: map[partitionKey]place{}, dropped: t.dropped, services: t.services.memory()}
	for key := range t.changed {
		if r := t.parts[key]; r != nil {
			p.places[key] = place{r.topicID, r.next}
		}
	}
	t.mu.Lock()
	p.gaps = t.trimGaps()
	t.mu.Unlock()
	if err := t.index.flush(ctx, p); err != nil {
		if ctx.Err() == nil {
			t.report(fmt.Errorf("storing the index: %w", err))
			sleep(ctx, pollWait) // what was read stays in memory, and reading waits
		}
		return
	}
	clear(t.changed)
	t.dropped, t.written = nil, t.flushed
}
