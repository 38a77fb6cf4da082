package redrive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// fetchBytes is what one request asks for; a larger batch comes whole.
	fetchBytes = 1 << 20
	// mostFetched bounds the records of one fetchRecords, in bytes.
	mostFetched  = 16 << 20
	fetchTimeout = 15 * time.Second
)

// fetchRecords reads the records at those places, in any order. What the log does
// not have any more is missing from the result. Where they are too large together,
// the later ones are left out too, and whole is false.
func fetchRecords(ctx context.Context, client *kgo.Client, places []place) (found map[place]*kgo.Record, whole bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	f := fetcher{client: client, found: map[place]*kgo.Record{}}
	if f.topics, err = topicsOf(ctx, client, places); err != nil {
		return nil, false, err
	}
	wanted := slices.Clone(places)
	slices.SortFunc(wanted, comparePlaces)
	for len(wanted) > 0 && f.bytes < mostFetched {
		n := 1
		for n < len(wanted) && samePartition(wanted[0], wanted[n]) {
			n++
		}
		if err := f.partition(ctx, wanted[:n]); err != nil {
			return nil, false, fmt.Errorf("%w: reading dead letter %s: %w", api.ErrUnavailable, wanted[0], err)
		}
		wanted = wanted[n:]
	}
	return f.found, !f.short && len(wanted) == 0, nil
}

func samePartition(a, b place) bool { return a.topicID == b.topicID && a.partition == b.partition }

func comparePlaces(a, b place) int {
	switch {
	case a.topicID != b.topicID:
		return compare(a.topicID, b.topicID)
	case a.partition != b.partition:
		return compare(a.partition, b.partition)
	}
	return compare(a.offset, b.offset)
}

func compare[V int32 | int64 | string](a, b V) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func topicsOf(ctx context.Context, client *kgo.Client, places []place) (kadm.TopicDetails, error) {
	var names []string
	for _, p := range places {
		if !slices.Contains(names, p.topic) {
			names = append(names, p.topic)
		}
	}
	meta, err := kadm.NewClient(client).Metadata(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("%w: Kafka does not answer: %w", api.ErrUnavailable, err)
	}
	return meta.Topics, nil
}

type fetcher struct {
	client *kgo.Client
	topics kadm.TopicDetails
	found  map[place]*kgo.Record
	bytes  int
	short  bool // it ended before all were read
}

// partition reads places of one partition, ascending.
func (f *fetcher) partition(ctx context.Context, wanted []place) error {
	topic, ok := f.topics[wanted[0].topic]
	if !ok || errors.Is(topic.Err, kerr.UnknownTopicOrPartition) || idText(topic.ID) != wanted[0].topicID {
		return nil // deleted: nothing of it is left
	}
	p, ok := topic.Partitions[wanted[0].partition]
	switch {
	case topic.Err != nil:
		return topic.Err
	case !ok:
		return nil
	case p.Leader < 0:
		return kerr.LeaderNotAvailable
	}
	for len(wanted) > 0 {
		if f.bytes >= mostFetched {
			f.short = true
			return nil
		}
		records, next, err := f.ask(ctx, p, topic.ID, wanted[0].offset)
		if err != nil {
			return err
		}
		wanted = f.take(records, wanted, next)
	}
	return nil
}

// take picks the wanted records; those before next that did not come are gone.
func (f *fetcher) take(records []*kgo.Record, wanted []place, next int64) []place {
	for _, r := range records {
		for len(wanted) > 0 && wanted[0].offset < r.Offset {
			wanted = wanted[1:]
		}
		if len(wanted) > 0 && wanted[0].offset == r.Offset {
			f.found[wanted[0]] = r
			f.bytes += len(r.Key) + len(r.Value)
			for _, h := range r.Headers {
				f.bytes += len(h.Key) + len(h.Value)
			}
			wanted = wanted[1:]
		}
	}
	for len(wanted) > 0 && wanted[0].offset < next {
		wanted = wanted[1:]
	}
	return wanted
}

// ask returns the records from offset on, and the offset after them. An offset that
// the log does not have any more, or not yet, has none.
func (f *fetcher) ask(ctx context.Context, p kadm.PartitionDetail, id kadm.TopicID, offset int64) ([]*kgo.Record, int64, error) {
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = p.Partition, offset, fetchBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID, topic.Partitions = p.Topic, id, append(topic.Partitions, part)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 100, 1, fetchBytes, 1
	req.Topics = append(req.Topics, topic)
	raw, err := f.client.Broker(int(p.Leader)).RetriableRequest(ctx, req)
	if err != nil {
		return nil, 0, err
	}
	resp, ok := raw.(*kmsg.FetchResponse)
	if !ok {
		return nil, 0, fmt.Errorf("a fetch was answered with %T", raw)
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, 0, fmt.Errorf("a fetch of one partition was answered with %d topics", len(resp.Topics))
	}
	return read(&resp.Topics[0].Partitions[0], p, offset)
}

func read(part *kmsg.FetchResponseTopicPartition, p kadm.PartitionDetail, offset int64) ([]*kgo.Record, int64, error) {
	switch err := kerr.ErrorForCode(part.ErrorCode); {
	case errors.Is(err, kerr.OffsetOutOfRange):
		return nil, offset + 1, nil
	case err != nil:
		return nil, 0, err
	}
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Topic: p.Topic, Partition: p.Partition, Offset: offset, IsolationLevel: kgo.ReadCommitted(),
	}, part, kgo.DefaultDecompressor(), nil)
	if got.Err != nil {
		return nil, 0, got.Err
	}
	if next <= offset && part.LogStartOffset <= offset && offset < part.LastStableOffset {
		return nil, 0, errors.New("the broker has it and did not send it")
	}
	return got.Records, max(next, offset+1), nil
}

// idText is a topic's id as in the index.
func idText(id kadm.TopicID) string { return fmt.Sprintf("%x", id[:]) }
