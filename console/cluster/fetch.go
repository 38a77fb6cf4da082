package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ask is where to read a partition, and about how many bytes. patience is for records
// that did not come at once.
type ask struct {
	partition int32
	offset    int64
	maxBytes  int32
	patience  time.Duration
}

// fetched is what a partition's leader gave: committed records, and the offset to
// go on at, which is past records of aborted transactions and gaps. bytes is what
// it takes, unpacked.
type fetched struct {
	records []*kgo.Record
	next    int64
	bytes   int
	err     error
}

// maxFetchBytes of one answer, above which only a single batch may go.
const maxFetchBytes = 32 << 20

// fetch reads once from each leader what there is now, without waiting for more than
// the asks' patience.
// Every partition asked for is in the answer.
//
// It stands beside the client's own consumer because that does not tell how far it
// came where a transaction was aborted, and so cannot find the end of a topic.
func (c *Cluster) fetch(ctx context.Context, t *topic, asks []ask) map[int32]fetched {
	byLeader := map[int32][]ask{}
	out := make(map[int32]fetched, len(asks))
	for _, a := range asks {
		p := t.partition(a.partition)
		if p == nil || p.Leader < 0 {
			out[a.partition] = fetched{next: a.offset, err: kerr.LeaderNotAvailable}
			continue
		}
		byLeader[p.Leader] = append(byLeader[p.Leader], a)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for leader, asks := range byLeader {
		all.Go(func() {
			answer := c.fetchFrom(ctx, leader, t, asks)
			mu.Lock()
			defer mu.Unlock()
			for _, a := range asks {
				out[a.partition] = answer[a.partition]
			}
		})
	}
	all.Wait()
	return out
}

// fetchPatiently takes the asks' patience where nothing came, also of a broker that answers at once.
func (c *Cluster) fetchPatiently(ctx context.Context, t *topic, asks []ask) map[int32]fetched {
	var patience time.Duration
	for _, a := range asks {
		patience = max(patience, a.patience)
	}
	over := time.NewTimer(patience)
	defer over.Stop()
	out := c.fetch(ctx, t, asks)
	for _, f := range out {
		if f.bytes > 0 || f.err != nil {
			return out
		}
	}
	select {
	case <-over.C:
	case <-ctx.Done():
	}
	return out
}

func (c *Cluster) fetchFrom(ctx context.Context, leader int32, t *topic, asks []ask) map[int32]fetched {
	out := make(map[int32]fetched, len(asks))
	resp, err := c.client.Broker(int(leader)).RetriableRequest(ctx, fetchRequest(t, asks))
	if err == nil {
		err = kerr.ErrorForCode(resp.(*kmsg.FetchResponse).ErrorCode)
	}
	for _, a := range asks {
		out[a.partition] = fetched{next: a.offset, err: err}
	}
	if err != nil {
		return out
	}
	for i := range resp.(*kmsg.FetchResponse).Topics {
		answered := resp.(*kmsg.FetchResponse).Topics[i].Partitions
		for j := range answered {
			if asked, ok := out[answered[j].Partition]; ok {
				out[answered[j].Partition] = decode(t.name, asked.next, &answered[j])
			}
		}
	}
	return out
}

func fetchRequest(t *topic, asks []ask) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 0, 0, maxFetchBytes
	req.IsolationLevel = 1 // read_committed
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = t.name, t.id
	for _, a := range asks {
		if wait := int32(a.patience.Milliseconds()); wait > req.MaxWaitMillis {
			req.MaxWaitMillis, req.MinBytes = wait, 1
		}
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = a.partition, a.offset, a.maxBytes
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	return req
}

func decode(topic string, offset int64, p *kmsg.FetchResponseTopicPartition) fetched {
	out := fetched{next: offset, bytes: len(p.RecordBatches), err: kerr.ErrorForCode(p.ErrorCode)}
	if out.err != nil {
		return out
	}
	read, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: offset, IsolationLevel: kgo.ReadCommitted(), Topic: topic, Partition: p.Partition,
	}, p, kgo.DefaultDecompressor(), nil)
	out.records, out.next = read.Records, max(next, offset)
	out.bytes = max(out.bytes, unpacked(read.Records))
	if read.Err != nil {
		out.err = fmt.Errorf("%w: %s/%d from offset %d on cannot be read: %w", api.ErrUnavailable, topic, p.Partition, out.next, read.Err)
	}
	return out
}

func unpacked(records []*kgo.Record) int {
	size := 0
	for _, r := range records {
		size += len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			size += len(h.Key) + len(h.Value)
		}
	}
	return size
}
