package brokers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafkaClient is franz-go's, with its defaults but for compression, and for buffers that do not
// limit it: idempotent, acks=all, 10 ms linger.
type kafkaClient struct {
	addr  string
	kgo   *kgo.Client
	admin *kadm.Client
}

func newKafkaClient(addr string) (*kafkaClient, error) {
	c, err := connectKafka(addr, kgo.MaxBufferedRecords(200_000))
	if err != nil {
		return nil, err
	}
	return &kafkaClient{addr: addr, kgo: c, admin: kadm.NewClient(c)}, nil
}

func connectKafka(addr string, opts ...kgo.Opt) (*kgo.Client, error) {
	quick := func(int) time.Duration { return 2 * time.Millisecond }
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addr), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RetryBackoffFn(quick), kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
}

func (c *kafkaClient) close() { c.kgo.Close() }

func (c *kafkaClient) create(ctx context.Context, topic string, partitions int, settings map[string]string) error {
	configs := map[string]*string{}
	for name, value := range settings {
		configs[name] = &value
	}
	if _, err := c.admin.CreateTopic(ctx, int32(partitions), 1, configs, topic); err != nil {
		return err
	}
	for { // Apache Kafka shows it, and its leaders, a little later
		all, err := c.admin.ListTopics(ctx, topic)
		if err != nil || led(all[topic], partitions) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func led(t kadm.TopicDetail, partitions int) bool {
	for _, p := range t.Partitions {
		if p.Err != nil || p.Leader < 0 {
			return false
		}
	}
	return t.Err == nil && len(t.Partitions) == partitions
}

func (c *kafkaClient) drop(ctx context.Context, topic string) error {
	c.kgo.PurgeTopicsFromClient(topic)
	_, err := c.admin.DeleteTopic(ctx, topic)
	return err
}

func (c *kafkaClient) produce(ctx context.Context, topic string, size, from, to int) error {
	var first firstError
	v := newValues(size)
	for n := from; n < to; n++ {
		c.kgo.Produce(ctx, &kgo.Record{Topic: topic, Value: v.of(uint64(n))}, func(_ *kgo.Record, err error) { first.set(err) })
	}
	return errors.Join(c.kgo.Flush(ctx), first.get())
}

// firstError of several goroutines.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) set(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (c *kafkaClient) producers(ctx context.Context, topic string, n, partitions int, have connections) (all []producer, err error) {
	opts := []kgo.Opt{kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	var shared *kgo.Client
	if have == oneClient {
		if shared, err = connectKafka(c.addr, append(opts, kgo.ProducerBatchMaxBytes(sharedBatch))...); err != nil {
			return nil, err
		}
	}
	for i := range n {
		var p producer
		switch have {
		case ownConnection:
			p, err = c.bareProducer(ctx, topic, i%partitions)
		case oneClient:
			p = &kafkaProducer{kgo: shared, topic: topic, partition: int32(i % partitions)}
		case ownClient:
			var own *kgo.Client
			own, err = connectKafka(c.addr, opts...)
			p = &kafkaProducer{kgo: own, topic: topic, partition: int32(i % partitions)}
		}
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

type kafkaProducer struct {
	kgo       *kgo.Client
	topic     string
	partition int32
}

func (p *kafkaProducer) send(ctx context.Context, value []byte) error {
	return p.kgo.ProduceSync(ctx, &kgo.Record{Topic: p.topic, Partition: p.partition, Value: value}).FirstErr()
}

func (p *kafkaProducer) close() { p.kgo.Close() }

func (c *kafkaClient) read(ctx context.Context, topic string, n int, each func(int32, []byte)) error {
	client, err := connectKafka(c.addr, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer client.Close()
	for read := 0; read < n; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("after %d of %d records: %w", read, n, err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				each(p.Partition, r.Value)
			}
			read += len(p.Records)
		})
	}
	return nil
}

func (c *kafkaClient) count(ctx context.Context, topic string) (n int64, err error) {
	ends, err := c.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	starts, err := c.admin.ListStartOffsets(ctx, topic)
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	starts.Each(func(o kadm.ListedOffset) { n -= o.Offset })
	return n, errors.Join(err, ends.Error(), starts.Error())
}

// transactions sends each of some values in transactions of its own producer until told to stop.
type transactions struct {
	kgo    *kgo.Client
	topic  string
	values *values
	spread int // partitions
	sent   uint64
}

func newTransactions(addr, id, topic string, size, partitions int) (*transactions, error) {
	// Apache Kafka refuses a transaction while it ends the one before; franz-go waits 20 ms then.
	const soon = time.Millisecond
	client, err := connectKafka(addr, kgo.TransactionalID(id), kgo.ConcurrentTransactionsBackoff(soon),
		kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	return &transactions{kgo: client, topic: topic, values: newValues(size), spread: partitions}, err
}

// commit sends n records, the numbers of which begin with who, in one transaction.
func (t *transactions) commit(ctx context.Context, who uint64, n int) error {
	if err := t.kgo.BeginTransaction(); err != nil {
		return err
	}
	var first firstError
	var any *kgo.Record
	for range n {
		any = &kgo.Record{Topic: t.topic, Partition: int32(t.sent % uint64(t.spread)), Value: t.values.of(who<<32 | t.sent)}
		t.sent++
		t.kgo.Produce(ctx, any, func(_ *kgo.Record, err error) { first.set(err) })
	}
	if err := errors.Join(t.kgo.Flush(ctx), first.get()); err != nil {
		return err
	}
	return kafka.Commit(ctx, t.kgo, any)
}
