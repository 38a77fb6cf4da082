package entity

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Start connects, finds the client's partition of the reply topic and its end, and
// begins to read there: no reply to a later Ask is missed.
func (c *Client[C, R]) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kafka != nil {
		return fmt.Errorf("entity client %s is started already", c.cfg.Instance)
	}
	topic := c.cluster.Topic(c.cfg.ReplyTopic)
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	partition, end, err := c.findPartition(ctx, topic)
	if err != nil {
		return fmt.Errorf("entity client: the reply topic %s: %w", topic, err)
	}
	client, err := kafka.NewClient(c.cluster,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(end)}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), // the relay's transactions
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.UnknownTopicRetries(3),
	)
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(context.Background())
	c.kafka, c.stop, c.pending = client, stop, map[string]chan<- event.Event{}
	c.reading.Go(func() { c.read(run, client) })
	return nil
}

// startTimeout bounds Start where ctx does not.
const startTimeout = time.Minute

// findPartition also creates the topic.
func (c *Client[C, R]) findPartition(ctx context.Context, topic string) (partition int32, end int64, err error) {
	client, err := kafka.NewClient(c.cluster)
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	create := kafka.Topic{Name: c.cfg.ReplyTopic, Config: map[string]string{
		"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(c.cfg.ReplyRetention.Milliseconds(), 10),
	}}
	if err := kafka.EnsureTopics(ctx, client, c.cluster, create); err != nil {
		c.log.Warn("the reply topic cannot be created", "topic", topic, "error", err)
	}
	for {
		partition, end, err = c.ownEnd(ctx, kadm.NewClient(client), topic)
		if err == nil || !sleep(ctx, 50*time.Millisecond) { // a new topic takes a moment
			return partition, end, err
		}
	}
}

func (c *Client[C, R]) ownEnd(ctx context.Context, admin *kadm.Client, topic string) (partition int32, end int64, err error) {
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, 0, err
	}
	all := ends[topic]
	if none, ok := all[-1]; ok { // a topic that is not there has one partition in this list
		return 0, 0, none.Err
	}
	if len(all) == 0 {
		return 0, 0, fmt.Errorf("it does not exist")
	}
	key := &kgo.Record{Topic: topic, Key: []byte(c.cfg.Instance)}
	partition = int32(kgo.StickyKeyPartitioner(nil).ForTopic(topic).Partition(key, len(all)))
	return partition, all[partition].Offset, all[partition].Err
}

// Stop ends the commands that wait for a reply, with ErrClosed.
func (c *Client[C, R]) Stop(ctx context.Context) error {
	c.mu.Lock()
	client, stop, pending := c.kafka, c.stop, c.pending
	c.pending = nil
	c.mu.Unlock()
	if client == nil {
		return nil
	}
	for _, answer := range pending {
		close(answer)
	}
	stop()
	c.reading.Wait()
	client.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kafka == client {
		c.kafka = nil
	}
	return nil
}

// Health is nil, or says that replies cannot be read at the moment.
func (c *Client[C, R]) Health() error { return c.health.Err() }

const fetching = "reading replies"

func (c *Client[C, R]) read(ctx context.Context, client *kgo.Client) {
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		healthy := true
		fetches.EachError(func(topic string, partition int32, err error) {
			healthy = false
			c.health.Report(fetching, fmt.Errorf("%s/%d: %w", topic, partition, err))
		})
		if !healthy {
			sleep(ctx, 100*time.Millisecond)
			continue
		}
		c.health.Solve(fetching)
		fetches.EachRecord(c.deliver)
	}
}

// deliver hands a reply to who waits for it. Replies of other clients, and such that
// nobody waits for any more, are left.
func (c *Client[C, R]) deliver(r *kgo.Record) {
	if string(r.Key) != c.cfg.Instance {
		return
	}
	e, err := kafka.FromRecord(r)
	if err != nil {
		c.log.Warn("a record of the reply topic is no event", "partition", r.Partition, "offset", r.Offset, "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer, waits := c.pending[e.CausationID]; waits {
		delete(c.pending, e.CausationID)
		answer <- e // holds one
	}
}
