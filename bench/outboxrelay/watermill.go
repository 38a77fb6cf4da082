package outboxrelay

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	wm "github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	wmsql "github.com/ThreeDotsLabs/watermill-sql/v3/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/components/forwarder"
	"github.com/ThreeDotsLabs/watermill/message"
)

// forwarderTopic is the table Watermill's outbox lives in.
const forwarderTopic = "bench_forwarder"

// headerKey carries the key, by which its Kafka publisher chooses the partition.
const headerKey = "key"

// schema reads many rows per query: its documentation advises more than the default
// of 100 for speed, at the price of more redeliveries after a crash.
var schema = wmsql.DefaultPostgreSQLSchema{SubscribeBatchSize: 1000}

// watermillFill is how many rows one INSERT has: PostgreSQL takes 65,535 parameters
// and an outbox of its own many fewer.
const watermillFill = 1000

func fillWatermill(ctx context.Context, p place, rows, bytes int) error {
	db, err := sql.Open("pgx", p.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	table, err := wmsql.NewPublisher(db, wmsql.PublisherConfig{SchemaAdapter: schema, AutoInitializeSchema: true}, wm.NopLogger{})
	if err != nil {
		return err
	}
	publisher := forwarder.NewPublisher(table, forwarder.PublisherConfig{ForwarderTopic: forwarderTopic})
	for from := 0; from < rows; from += watermillFill {
		messages := make([]*message.Message, min(watermillFill, rows-from))
		for i := range messages {
			messages[i] = message.NewMessage(wm.NewUUID(), payload(from+i, bytes))
			messages[i].Metadata.Set(headerKey, fmt.Sprint("key-", (from+i)%keys))
		}
		if err := publisher.Publish(p.kafka().Topic(topic), messages...); err != nil {
			return err
		}
	}
	return nil
}

// forward is Watermill's side of a child: SQL subscriber, forwarder, Kafka publisher.
func forward(ctx context.Context, t task) (drained, error) {
	db, err := sql.Open("pgx", t.Place.Database)
	if err != nil {
		return drained{}, err
	}
	defer db.Close()
	subscriber, err := wmsql.NewSubscriber(db, wmsql.SubscriberConfig{
		ConsumerGroup: "bench", SchemaAdapter: schema, OffsetsAdapter: wmsql.DefaultPostgreSQLOffsetsAdapter{},
		PollInterval: 10 * time.Millisecond, InitializeSchema: true,
	}, wm.NopLogger{})
	if err != nil {
		return drained{}, err
	}
	publisher, err := wmkafka.NewPublisher(wmkafka.PublisherConfig{
		Brokers: t.Place.Brokers,
		Marshaler: wmkafka.NewWithPartitioningMarshaler(func(_ string, m *message.Message) (string, error) {
			return m.Metadata.Get(headerKey), nil
		}),
	}, wm.NopLogger{})
	if err != nil {
		return drained{}, err
	}
	counted := &counter{Publisher: publisher}
	f, err := forwarder.NewForwarder(subscriber, counted, wm.NopLogger{}, forwarder.Config{ForwarderTopic: forwarderTopic})
	if err != nil {
		return drained{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	done, err := watch(ctx, t.Rows, counted.sent.Load)
	return done, errors.Join(err, f.Close(), <-ended)
}

// counter counts what Kafka acknowledged.
type counter struct {
	message.Publisher
	sent atomic.Int64
}

func (c *counter) Publish(topic string, messages ...*message.Message) error {
	err := c.Publisher.Publish(topic, messages...)
	if err == nil {
		c.sent.Add(int64(len(messages)))
	}
	return err
}

// number is what payload wrote.
func number(value []byte) (int, error) {
	end := len(value)
	for end > 0 && value[end-1] == ' ' {
		end--
	}
	return strconv.Atoi(string(value[:end]))
}
