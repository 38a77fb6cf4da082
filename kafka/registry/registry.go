// Package registry is a schema registry: services register the schemas of their events under
// subjects, get ids for them that stand before the bytes of every record, and are refused where a
// schema would break those who read. It speaks the REST API of Confluent's registry, so that its
// clients and serializers work unmodified, and keeps everything in the compacted topic _schemas in
// Confluent's own records.
//
//	r, err := registry.Open(ctx, registry.Config{Kafka: cfg})
//	...
//	defer r.Close()
//	http.ListenAndServe("127.0.0.1:8081", r.Handler())
//
// Any number of instances may run on the same topic, and none leads: each of them takes every
// request. A change is decided on everything that was committed before it and written in a
// transaction that fences all others; who was interrupted decides anew. So ids are given without
// gaps and never twice, also after schemas were deleted for ever, and the same schema has one id.
//
// Schemas are AVRO and JSON; PROTOBUF is refused. Rules (ruleSet) and metadata are kept and
// answered, but not executed. To use a registry from Go, see package client.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/topiclog"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

// Config of a registry. Only Kafka is required.
type Config struct {
	Kafka kafka.Config
	// Topic of the state, without the prefix; "_schemas" where empty. It has one partition.
	Topic string
	// Replication of the topic where it is created; the broker's default where zero.
	Replication int16
	// Compatibility where none is configured through the API: NONE, BACKWARD (where empty),
	// BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL or FULL_TRANSITIVE.
	Compatibility string
	// Limits of requests and schemas; those that are zero are DefaultLimits.
	Limits Limits
	// Local makes the API refuse requests for a Host that is not this machine's own name for itself,
	// as of pages that had their name point here. For an API that listens on loopback.
	Local bool
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// ErrConfig is wrapped by errors about a configuration that cannot work.
var ErrConfig = errors.New("schema registry configuration")

// DefaultTopic is the name of the state's topic.
const DefaultTopic = "_schemas"

// Registry is one instance.
type Registry struct {
	cfg    Config
	log    *topiclog.Log
	writer *topiclog.Writer

	mu    sync.RWMutex
	state *core.State
}

// Open creates the topic where it is missing, and returns when everything in it is known. Close
// the registry.
func Open(ctx context.Context, c Config) (*Registry, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	r := &Registry{cfg: c, state: core.New(c.Limits.core(), c.Compatibility)}
	r.log, err = topiclog.Open(ctx, c.Kafka, kafka.Topic{Name: c.Topic, Partitions: 1, Replication: c.Replication, Config: kafka.Compacted()}, r.apply)
	if err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	if err := r.checkPartitions(ctx); err != nil {
		r.log.Close()
		return nil, err
	}
	// The largest schema fits into a record together with what JSON makes of its quotes.
	r.writer = topiclog.NewWriter(topiclog.WriterConfig{
		Kafka: c.Kafka, ID: "schema-registry-" + c.Topic, Before: []*topiclog.Log{r.log}, After: []*topiclog.Log{r.log},
		Options: []kgo.Opt{kgo.ProducerBatchMaxBytes(int32(max(1<<20, 2*c.Limits.Schema)))},
	})
	return r, nil
}

func (c Config) complete() (Config, error) {
	if c.Topic == "" {
		c.Topic = DefaultTopic
	}
	if c.Compatibility == "" {
		c.Compatibility = core.Backward
	}
	c.Compatibility = strings.ToUpper(c.Compatibility)
	if !slices.Contains(core.Levels, c.Compatibility) {
		return c, fmt.Errorf("%w: compatibility %s is none of %s", ErrConfig, c.Compatibility, strings.Join(core.Levels, ", "))
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Limits = c.Limits.filled()
	return c, c.Kafka.Validate()
}

// checkPartitions: records of a topic with several have no order.
func (r *Registry) checkPartitions(ctx context.Context) error {
	client, err := kafka.NewClient(r.cfg.Kafka)
	if err != nil {
		return err
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(ctx, r.log.Topic())
	if err != nil {
		return fmt.Errorf("schema registry: look at topic %s: %w", r.log.Topic(), err)
	}
	if n := len(topics[r.log.Topic()].Partitions); n != 1 {
		return fmt.Errorf("%w: topic %s has %d partitions; a registry's topic has one", ErrConfig, r.log.Topic(), n)
	}
	return nil
}

// Close ends the registry; requests that are in the middle of something fail.
func (r *Registry) Close() {
	r.writer.Close()
	r.log.Close()
}

func (r *Registry) apply(record *kgo.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.state.Apply(core.Record{Key: record.Key, Value: record.Value}, record.Timestamp.UnixMilli())
	if err != nil {
		r.cfg.Logger.Warn("schema registry: a record is left out", "topic", record.Topic, "offset", record.Offset, "error", err)
	}
}

// read looks at the state. What is not found may have been written by another instance just now, so
// that the topic is read to its end before that is answered.
func (r *Registry) read(ctx context.Context, look func(*core.State) error) error {
	err := r.look(look)
	var refused *core.Error
	if !errors.As(err, &refused) || refused.Status() != 404 {
		return err
	}
	if syncErr := r.log.Sync(ctx); syncErr != nil {
		return storeError(syncErr)
	}
	return r.look(look)
}

func (r *Registry) look(at func(*core.State) error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return at(r.state)
}

// warm reads the schema of a request while nobody waits for the state.
func (r *Registry) warm(subject string, request core.Request) {
	var read func()
	_ = r.look(func(s *core.State) error {
		read = s.Warm(subject, request)
		return nil
	})
	read()
}

// change decides on everything that was committed, and writes the records.
func (r *Registry) change(ctx context.Context, decide func(*core.State) ([]core.Record, error)) error {
	err := r.writer.Change(ctx, func(context.Context) ([]*kgo.Record, error) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		records, err := decide(r.state)
		if err != nil {
			return nil, err
		}
		out := make([]*kgo.Record, len(records))
		for i, record := range records {
			out[i] = &kgo.Record{Topic: r.log.Topic(), Key: record.Key, Value: record.Value}
		}
		return out, nil
	})
	if errors.Is(err, topiclog.ErrNotWritten) {
		return storeError(err)
	}
	return err
}

// storeError is what a client sees of trouble with Kafka.
func storeError(err error) error {
	if errors.Is(err, kerr.MessageTooLarge) {
		return &core.Error{Code: core.SchemaTooLarge, Message: "The schema is too large for a record: " + err.Error()}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &core.Error{Code: core.StoreTimeout, Message: "Kafka did not answer in time: " + err.Error()}
	}
	return &core.Error{Code: core.StoreFailed, Message: "Kafka refused: " + err.Error()}
}
