package streams

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stage is the broker and the folder of a benchmark.
type stage struct {
	apache *testservers.Server // nil in tests
	addr   string
	client *kgo.Client
	admin  *kadm.Client
	dir    string
}

// brokerJVM is not that of the tests, which is made for a fast start.
const brokerJVM = "-Xms1g -Xmx1g -XX:+UseG1GC"

func openStage(ctx context.Context, w io.Writer) (*stage, error) {
	if os.Getenv("PABAL_TEST_JVM") == "" {
		_ = os.Setenv("PABAL_TEST_JVM", brokerJVM)
	}
	apache, err := testservers.StartKafka(ctx, "", "log.retention.ms=-1", "message.timestamp.before.max.ms=9223372036854775807")
	if err != nil {
		return nil, fmt.Errorf("%w (scripts/install-test-servers gets it)", err)
	}
	s := &stage{apache: apache, addr: apache.Addr}
	if s.dir, err = os.MkdirTemp("", "pabal-streams-"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := errors.Join(build(ctx, s.dir), s.connect()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	fmt.Fprintf(w, "%s, %s\n", apache.Name, versions())
	return s, nil
}

func (s *stage) connect() (err error) {
	s.client, err = kafka.NewClient(s.kafka(), kgo.ProducerBatchMaxBytes(900_000), kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err == nil {
		s.admin = kadm.NewClient(s.client)
	}
	return err
}

func (s *stage) kafka() kafka.Config {
	return kafka.Config{Brokers: []string{s.addr}, Logger: measure.Quiet}
}

func (s *stage) close() error {
	if s.client != nil {
		s.client.Close()
	}
	err := os.RemoveAll(s.dir)
	if s.apache != nil {
		err = errors.Join(err, s.apache.Close())
	}
	return err
}

// name is one that nothing else has.
func name(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()[:10]) }

// folder for the stores of an application.
func (s *stage) folder(id string) string { return filepath.Join(s.dir, id) }

// makeTopic makes one of one replica; settings are name, value, ….
func (s *stage) makeTopic(ctx context.Context, topic string, partitions int32, settings ...string) error {
	configs := map[string]*string{}
	for i := 0; i+1 < len(settings); i += 2 {
		configs[settings[i]] = &settings[i+1]
	}
	if _, err := s.admin.CreateTopic(ctx, partitions, 1, configs, topic); err != nil {
		return err
	}
	for { // the broker shows it a little later
		all, err := s.admin.ListTopics(ctx, topic)
		if err != nil || all.Has(topic) && len(all[topic].Partitions) == int(partitions) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// load produces n records; at makes the key, value and time of each.
func (s *stage) load(ctx context.Context, topic string, n int, at func(i int) (key, value []byte, ts int64)) error {
	var failed error
	promise := func(_ *kgo.Record, err error) { // of one goroutine of the client
		if err != nil && failed == nil {
			failed = err
		}
	}
	for i := range n {
		key, value, ts := at(i)
		s.client.Produce(ctx, &kgo.Record{Topic: topic, Key: key, Value: value, Timestamp: time.UnixMilli(ts)}, promise)
	}
	if err := s.client.Flush(ctx); err != nil {
		return err
	}
	return failed
}

// committed waits until the group has committed the end of the topics.
func (s *stage) committed(ctx context.Context, group string, topics ...string) error {
	ends, err := s.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stallTimeout)
	defer cancel()
	for {
		at, err := s.admin.FetchOffsets(ctx, group)
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("group %s does not commit the ends of %s: %w", group, topics, ctx.Err())
		}
		reached := err == nil
		ends.Each(func(end kadm.ListedOffset) {
			o, ok := at.Lookup(end.Topic, end.Partition)
			// The end of a transaction takes an offset that some commit and some do not.
			reached = reached && (end.Offset == 0 || ok && o.At >= end.Offset-1)
		})
		if reached {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("group %s does not commit the ends of %s: %w", group, topics, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// drop removes what a run left behind: topics whose names begin so, the group and the
// stores.
func (s *stage) drop(ctx context.Context, id string, topics ...string) error {
	all, err := s.admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	for _, t := range all.Names() {
		if strings.HasPrefix(t, id) {
			topics = append(topics, t)
		}
	}
	_, err = s.admin.DeleteTopics(ctx, topics...)
	return errors.Join(err, os.RemoveAll(s.folder(id)))
}
