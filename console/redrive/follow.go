package redrive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// follow reads dead letters into the index until Stop.
func (r *run) follow() {
	f := follower{run: r, ids: map[string]string{}, next: map[source]int64{}}
	defer f.close()
	for failures := 0; r.soft.Err() == nil; {
		err := f.turn(r.soft)
		if err == nil {
			failures = 0
			continue
		}
		if r.soft.Err() != nil {
			return
		}
		f.close()
		r.log.Warn("dead letters cannot be read; trying again", "error", err)
		r.sleep(r.soft, min(maxRetry, r.pace.retry<<min(failures, 5)))
		failures++
	}
}

// remember takes the cluster that was read last for the present one until Kafka
// answers, so that the index can be looked at.
func (r *run) remember(ctx context.Context) error {
	err := r.index.db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, "SELECT cluster FROM dead_letter ORDER BY seq DESC LIMIT 1").Scan(&r.cluster)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// follower is the reading client and what it reads.
type follower struct {
	*run
	client *kgo.Client // nil until it is needed
	looked time.Time
	// trimmed is when, read how many letters since.
	trimmed time.Time
	read    int
	// ids are the topics that are read, by full name; next is where.
	ids  map[string]string
	next map[source]int64
}

func (f *follower) close() {
	if f.client != nil {
		f.client.Close()
	}
	f.client, f.looked = nil, time.Time{}
	clear(f.ids)
	clear(f.next)
}

// pollTimeout bounds a turn, so that topics are looked for in time.
const pollTimeout = time.Second

// turn looks for topics where it is time, and reads what there is.
func (f *follower) turn(ctx context.Context) error {
	if f.client == nil || time.Since(f.looked) >= f.pace.topics {
		if err := f.look(ctx); err != nil {
			return err
		}
	}
	poll, cancel := context.WithTimeout(ctx, min(pollTimeout, f.pace.topics))
	defer cancel()
	fetches := f.client.PollRecords(poll, 1000)
	for _, failed := range fetches.Errors() {
		if !errors.Is(failed.Err, context.DeadlineExceeded) && !errors.Is(failed.Err, context.Canceled) {
			return fmt.Errorf("topic %s partition %d: %w", failed.Topic, failed.Partition, failed.Err)
		}
	}
	return f.take(ctx, fetches)
}

// take puts records into the index.
func (f *follower) take(ctx context.Context, fetches kgo.Fetches) error {
	now, parse := time.Now(), reader{f.kafka, f.clusterID()}
	var letters []letter
	next := map[source]int64{}
	fetches.EachRecord(func(r *kgo.Record) {
		id := f.ids[r.Topic]
		letters = append(letters, parse.read(r, id, now))
		next[source{parse.cluster, id, r.Topic, r.Partition}] = r.Offset + 1
	})
	if len(letters) == 0 {
		return nil
	}
	if err := f.index.add(ctx, letters, next, now); err != nil {
		return fmt.Errorf("the index of dead letters: %w", err)
	}
	f.read += len(letters)
	f.wake()
	return nil
}

// look finds topics of dead letters and reads the new ones, too.
func (f *follower) look(ctx context.Context) error {
	ask, cancel := context.WithTimeout(ctx, 4*askTimeout)
	defer cancel()
	id, err := kafka.ClusterID(ask, f.run.client, f.kafka)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.cluster = id
	f.mu.Unlock()
	f.directory.refresh(ask, f.pace.topics/2)
	admin := kadm.NewClient(f.run.client)
	details, err := admin.ListTopics(ask)
	if err != nil {
		return fmt.Errorf("asking for topics: %w", err)
	}
	topics := f.chosen(details)
	if f.client == nil || f.changed(topics) {
		if err := f.reopen(); err != nil {
			return err
		}
	}
	if err := f.begin(ask, admin, id, topics); err != nil {
		return err
	}
	f.trim(ask, id)
	f.looked = time.Now()
	return f.resume(ctx)
}

// chosen are the topics of dead letters.
func (f *follower) chosen(details kadm.TopicDetails) []kadm.TopicDetail {
	named := f.directory.deadLetterTopics()
	var topics []kadm.TopicDetail
	for _, d := range details.Sorted() {
		local, ours := strings.CutPrefix(d.Topic, f.kafka.Prefix)
		if ours && d.Err == nil && (strings.HasSuffix(local, suffix) || slices.Contains(named, local)) {
			topics = append(topics, d)
		}
	}
	return topics
}

// changed says that a topic that is read is gone, or another one of its name.
func (f *follower) changed(topics []kadm.TopicDetail) bool {
	present := map[string]string{}
	for _, d := range topics {
		present[d.Topic] = idText(d.ID)
	}
	for name, id := range f.ids {
		if present[name] != id {
			return true
		}
	}
	return false
}

func (f *follower) reopen() error {
	f.close()
	client, err := kafka.NewClient(f.kafka, kgo.DisableClientMetrics(), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxBytes(8<<20), kgo.FetchMaxPartitionBytes(1<<20), kgo.MaxConcurrentFetches(2),
		kgo.FetchMaxWait(500*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	f.client = client
	return err
}

// begin reads partitions that are new, and forgets what the log has no more.
func (f *follower) begin(ctx context.Context, admin *kadm.Client, cluster string, topics []kadm.TopicDetail) error {
	if len(topics) == 0 {
		return nil
	}
	names := make([]string, len(topics))
	for i, d := range topics {
		names[i] = d.Topic
	}
	starts, err := admin.ListStartOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("asking for the beginnings of topics: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("asking for the ends of topics: %w", err)
	}
	fresh := map[string]map[int32]kgo.Offset{}
	for _, d := range topics {
		f.ids[d.Topic] = idText(d.ID)
		for number := range d.Partitions {
			start, ok := starts.Lookup(d.Topic, number)
			end, ok2 := ends.Lookup(d.Topic, number)
			if !ok || !ok2 || start.Err != nil || end.Err != nil {
				continue // without a leader; it is looked at again
			}
			s := source{cluster, idText(d.ID), d.Topic, number}
			if err := f.beginPartition(ctx, s, start.Offset, end.Offset, fresh); err != nil {
				return err
			}
		}
	}
	if len(fresh) > 0 {
		f.client.AddConsumePartitions(fresh)
	}
	return nil
}

func (f *follower) beginPartition(ctx context.Context, s source, start, end int64, fresh map[string]map[int32]kgo.Offset) error {
	began, reading := f.next[s]
	if !reading || start > began {
		f.next[s] = start
		if gone, err := f.index.forget(ctx, s, start); err != nil {
			return err
		} else if gone > 0 {
			f.log.Info("dead letters that the log has no more are forgotten", "topic", s.topic, "partition", s.partition, "letters", gone)
		}
	}
	if reading {
		return nil
	}
	at, known, err := f.index.next(ctx, s)
	if err != nil {
		return err
	}
	if !known {
		at = max(start, end-int64(f.config.MaxLetters))
	}
	if fresh[s.topic] == nil {
		fresh[s.topic] = map[int32]kgo.Offset{}
	}
	fresh[s.topic][s.partition] = kgo.NewOffset().At(at)
	return nil
}

// trimInterval is how often the index is trimmed where nothing new comes.
const trimInterval = 10 * time.Minute

func (f *follower) trim(ctx context.Context, cluster string) {
	if f.read == 0 && time.Since(f.trimmed) < trimInterval {
		return
	}
	oldest := time.Unix(0, 0)
	if f.config.Window > 0 {
		oldest = time.Now().Add(-f.config.Window)
	}
	gone, err := f.index.trim(ctx, cluster, int64(f.config.MaxLetters), oldest)
	f.read, f.trimmed = 0, time.Now()
	switch {
	case err != nil:
		f.log.Warn("the index of dead letters cannot be trimmed", "error", err)
	case gone > 0:
		f.log.Warn("the index of dead letters is full; the oldest are not shown any more", "letters", gone, "most", f.config.MaxLetters, "window", f.config.Window)
	}
}
