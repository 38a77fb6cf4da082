package brokers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsClient is that of NATS. A topic is a stream with a subject for each partition.
type natsClient struct {
	addr string
	conn *nats.Conn
	js   jetstream.JetStream
	lost firstError
}

func newNATSClient(addr string) (*natsClient, error) {
	c := &natsClient{addr: addr}
	var err error
	if c.conn, err = nats.Connect("nats://" + addr); err != nil {
		return nil, err
	}
	// Publishing waits for room among this many that are not acknowledged; more are no faster.
	const pending = 8192
	c.js, err = jetstream.New(c.conn, jetstream.WithPublishAsyncMaxPending(pending),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) { c.lost.set(err) }))
	return c, err
}

func (c *natsClient) close() { c.conn.Close() }

func subject(topic string, partition int) string { return topic + "." + strconv.Itoa(partition) }

func (c *natsClient) create(ctx context.Context, topic string, _ int, _ map[string]string) error {
	_, err := c.js.CreateStream(ctx, jetstream.StreamConfig{Name: topic, Subjects: []string{topic + ".*"}, Storage: jetstream.FileStorage})
	return err
}

func (c *natsClient) drop(ctx context.Context, topic string) error {
	return c.js.DeleteStream(ctx, topic)
}

func (c *natsClient) produce(ctx context.Context, topic string, size, from, to int) error {
	v, subject := newValues(size), subject(topic, 0)
	for n := from; n < to; n++ {
		if _, err := c.js.PublishAsync(subject, v.of(uint64(n)), jetstream.WithStallWait(time.Minute)); err != nil {
			return err
		}
	}
	select {
	case <-c.js.PublishAsyncComplete():
		return c.lost.get()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *natsClient) producers(_ context.Context, topic string, n, partitions int, have connections) (all []producer, err error) {
	var conn *nats.Conn
	for i := range n {
		if conn == nil || have != oneClient {
			if conn, err = nats.Connect("nats://" + c.addr); err != nil {
				closeAll(all)
				return nil, err
			}
		}
		js, err := jetstream.New(conn)
		all = append(all, &natsProducer{conn: conn, js: js, subject: subject(topic, i%partitions)})
		if err != nil {
			closeAll(all)
			return nil, err
		}
	}
	return all, nil
}

type natsProducer struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	subject string
}

func (p *natsProducer) send(ctx context.Context, value []byte) error {
	_, err := p.js.Publish(ctx, p.subject, value)
	return err
}

func (p *natsProducer) close() { p.conn.Close() }

func (c *natsClient) read(ctx context.Context, topic string, n int, each func(int32, []byte)) error {
	consumer, err := c.js.OrderedConsumer(ctx, topic, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	read, done := 0, make(chan struct{})
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		if read == n {
			return
		}
		partition, _ := strconv.Atoi(m.Subject()[len(topic)+1:])
		each(int32(partition), m.Data())
		if read++; read == n {
			close(done)
		}
	}, jetstream.PullMaxMessages(10_000))
	if err != nil {
		return err
	}
	defer consuming.Stop()
	select {
	case <-done:
		return nil
	case <-consuming.Closed():
		return errors.New("the consumer was closed")
	case <-ctx.Done():
		return fmt.Errorf("not all of %d messages came: %w", n, ctx.Err())
	}
}

func (c *natsClient) count(ctx context.Context, topic string) (int64, error) {
	stream, err := c.js.Stream(ctx, topic)
	if err != nil {
		return 0, err
	}
	return int64(stream.CachedInfo().State.Msgs), nil
}
