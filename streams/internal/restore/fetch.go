package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// Limits of one fetch. It is not long that a broker waits for records, because the next
// request, with jobs that have come since, waits behind it.
const (
	leastPartitionBytes = 512 << 10
	mostPartitionBytes  = 4 << 20
	maxFetchBytes       = 8 << 20
	fetchWait           = 100 * time.Millisecond
	fetchTimeout        = 30 * time.Second
	// What a job has fetched ahead at most.
	aheadBytes = 4 << 20
	// What a record takes besides its bytes.
	recordOverhead = 160
	// Who has not read for that long looks again whether it may go on.
	longPause = 30 * time.Minute
	// How often a standby to which nothing comes notes that it has everything.
	asOfEvery = time.Minute
)

// fetchFrom makes sure that a goroutine fetches from the broker. r.mu is held.
func (r *Restorer) fetchFrom(broker int32) {
	if r.fetchers[broker] || r.stopped {
		return
	}
	r.fetchers[broker] = true
	r.wg.Go(func() {
		for {
			jobs := r.awaitFetchable(broker)
			if jobs == nil {
				return
			}
			r.fetch(broker, jobs)
		}
	})
}

// fetching is a job with what it had when the request was made.
type fetching struct {
	job   *Job
	topic local.TopicID
	at    int64
	epoch int
	asked time.Time
}

type topicPartition struct {
	topic     string
	partition int32
}

// awaitFetchable waits for jobs led by the broker with room for more; nil at the end.
// Two jobs may have the same changelog partition: then one waits for its turn.
func (r *Restorer) awaitFetchable(broker int32) map[topicPartition]fetching {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.ctx.Err() == nil {
		jobs := map[topicPartition]fetching{}
		for j := range r.jobs {
			tp := topicPartition{j.spec.Topic, j.spec.Partition}
			if other, ok := jobs[tp]; ok && other.at <= j.fetchAt {
				continue
			}
			if j.leader == broker && r.fetchable(j) {
				jobs[tp] = fetching{j, j.topic, j.fetchAt, j.epoch, r.cfg.Clock()}
			}
		}
		if len(jobs) > 0 {
			return jobs
		}
		r.changed.Wait()
	}
	return nil
}

func (r *Restorer) fetchable(j *Job) bool {
	room := r.buffered < r.room() || len(j.chunks) == 0 && r.buffered < 2*r.room()
	return room && !j.ended && j.known && j.fetchAt >= 0 && j.fetchAt < j.bound() && j.bytes < aheadBytes
}

// room is what may be fetched ahead by all jobs: less where memory is short.
func (r *Restorer) room() int64 {
	if r.cfg.Memory.Tight() {
		return min(r.cfg.FetchBytes/4, 4*leastPartitionBytes)
	}
	return r.cfg.FetchBytes
}

func (r *Restorer) release(bytes int64) {
	r.buffered -= bytes
	r.cfg.Memory.Add(-bytes)
}

func (r *Restorer) fetch(broker int32, jobs map[topicPartition]fetching) {
	ctx, cancel := context.WithTimeout(r.ctx, fetchTimeout)
	defer cancel()
	resp, err := r.client.Broker(int(broker)).RetriableRequest(ctx, r.request(jobs))
	if err == nil {
		err = kerr.ErrorForCode(resp.(*kmsg.FetchResponse).ErrorCode)
	}
	if err != nil {
		r.fetchFailed(jobs, fmt.Errorf("fetching from broker %d: %w", broker, err))
		return
	}
	r.answered(jobs, resp.(*kmsg.FetchResponse).Topics)
	if len(jobs) > 0 {
		r.fetchFailed(jobs, fmt.Errorf("broker %d left partitions out of its answer", broker))
	}
}

// answered takes those jobs out that there was an answer for.
func (r *Restorer) answered(jobs map[topicPartition]fetching, topics []kmsg.FetchResponseTopic) {
	names := map[local.TopicID]string{}
	for tp, f := range jobs {
		names[f.topic] = tp.topic
	}
	nothing := true
	for _, t := range topics {
		for _, p := range t.Partitions {
			nothing = nothing && len(p.RecordBatches) == 0
		}
	}
	for _, t := range topics {
		if t.Topic == "" { // as of version 13
			t.Topic = names[t.TopicID]
		}
		for i := range t.Partitions {
			tp := topicPartition{t.Topic, t.Partitions[i].Partition}
			if f, ok := jobs[tp]; ok {
				r.fetched(f, &t.Partitions[i], nothing)
				delete(jobs, tp)
			}
		}
	}
}

func (r *Restorer) request(jobs map[topicPartition]fetching) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID = -1
	req.MaxWaitMillis = int32(fetchWait / time.Millisecond)
	req.MinBytes = 1
	req.MaxBytes = int32(min(maxFetchBytes, r.cfg.FetchBytes))
	req.IsolationLevel = 1 // committed
	req.SessionEpoch = -1  // no session
	each := min(max(int(req.MaxBytes)/len(jobs), leastPartitionBytes), mostPartitionBytes)
	topics := map[string]int{}
	for tp, f := range jobs {
		i, ok := topics[tp.topic]
		if !ok {
			i = len(req.Topics)
			topics[tp.topic] = i
			t := kmsg.NewFetchRequestTopic()
			t.Topic, t.TopicID = tp.topic, f.topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition = tp.partition
		p.CurrentLeaderEpoch = -1
		p.FetchOffset = f.at
		p.LastFetchedEpoch = -1
		p.LogStartOffset = -1
		p.PartitionMaxBytes = int32(each)
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	return req
}

func (r *Restorer) fetchFailed(jobs map[topicPartition]fetching, err error) {
	if r.ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range jobs {
		f.job.lost(f.epoch, err)
	}
}

// lost has a job looked up again: another broker may lead the partition now.
func (j *Job) lost(epoch int, err error) {
	if !j.ended && j.epoch == epoch {
		j.known, j.vetted = false, false
		j.lookAt = j.stumble(err)
		j.of.changed.Broadcast()
	}
}

// asOfIsOld: it is time to note that the space has everything, though nothing came. It is put
// behind nothing else that is to be applied.
func (j *Job) asOfIsOld(now time.Time) bool {
	_, ok := j.spec.Space.Offset()
	return ok && len(j.chunks) == 0 && now.Sub(j.spec.Space.Mark().AsOf) >= asOfEvery
}

// fetched decodes what a job's partition brought. nothing says that the whole answer was empty:
// then there are no records up to the last stable offset, and not only no room for them.
func (r *Restorer) fetched(f fetching, p *kmsg.FetchResponseTopicPartition, nothing bool) {
	topic := f.job.spec.Topic
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: false, Offset: f.at, IsolationLevel: kgo.ReadCommitted(),
		Topic: topic, Partition: p.Partition,
	}, p, kgo.DefaultDecompressor(), nil)
	c := chunk{records: got.Records, next: next, asked: f.asked}
	for _, rec := range c.records {
		c.bytes += int64(len(rec.Key) + len(rec.Value) + recordOverhead)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	j := f.job
	if j.ended || j.epoch != f.epoch || j.fetchAt != f.at {
		return
	}
	if got.Err != nil && len(c.records) == 0 {
		err := fmt.Errorf("fetching %s/%d at offset %d: %w", topic, p.Partition, f.at, got.Err)
		if errors.Is(got.Err, kerr.OffsetOutOfRange) {
			j.log().Warn("the changelog does not have the store's offset", "offset", f.at)
			j.next = f.at
		}
		j.lost(f.epoch, err)
		return
	}
	if f.asked.Sub(j.heard) > longPause {
		j.known, j.vetted, j.lookAt = false, false, time.Time{}
		j.of.changed.Broadcast()
		return
	}
	j.heard = f.asked
	if j.mode == Standby {
		j.end = max(j.end, p.LastStableOffset)
	}
	if nothing && p.LastStableOffset > c.next {
		c.next = p.LastStableOffset // compaction left nothing there
	}
	if j.problem != nil && j.retryAt.IsZero() {
		j.goOn()
	}
	c.whole = c.next >= p.LastStableOffset
	if c.next == f.at && !(c.whole && j.asOfIsOld(f.asked)) {
		return
	}
	j.fetchAt = c.next
	j.chunks = append(j.chunks, c)
	j.bytes += c.bytes
	r.release(-c.bytes)
	r.schedule(j)
}
