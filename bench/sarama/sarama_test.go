package sarama_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// session is one test's names on a broker.
type session struct {
	addrs  []string
	prefix string
}

func onBoth(t *testing.T, test func(*testing.T, session)) {
	t.Run("in process", func(t *testing.T) {
		b, err := broker.Start(t.Context(), broker.Config{Addr: "127.0.0.1:0", DataDir: t.TempDir(), NoAutoCreate: true, MinSessionTimeout: time.Second, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		test(t, session{[]string{b.Addr()}, testenv.Prefix(t)})
	})
	t.Run("Apache Kafka", func(t *testing.T) { test(t, session{testenv.Kafka(t), testenv.Prefix(t)}) })
}

// config is for the newest protocol that sarama speaks.
func config(changes ...func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Return.Errors = true
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Group.Session.Timeout = 10 * time.Second
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategySticky()}
	for _, change := range changes {
		change(c)
	}
	return c
}

func idempotent(c *sarama.Config) {
	c.Producer.Idempotent, c.Producer.RequiredAcks, c.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
}

func TestSaramaAdministration(t *testing.T) {
	onBoth(t, func(t *testing.T, s session) {
		admin := s.admin(t)
		topic, retention := s.prefix+"t", "3600000"
		detail := &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1, ConfigEntries: map[string]*string{"retention.ms": &retention}}
		check(t, admin.CreateTopic(topic, detail, false))
		if err := admin.CreateTopic(topic, detail, false); !errors.Is(err, sarama.ErrTopicAlreadyExists) {
			t.Errorf("again: %v", err)
		}
		check(t, admin.CreatePartitions(topic, 3, nil, false))
		size := "5000"
		check(t, admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
			"max.message.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &size},
			"retention.ms":      {Operation: sarama.IncrementalAlterConfigsOperationDelete},
		}, false))
		// Apache Kafka's brokers learn of a change after the controller has confirmed it.
		testenv.Wait(t, "the settings to be as they were set", 10*time.Second, func() bool {
			entries, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"max.message.bytes", "retention.ms"}})
			var refused *sarama.DescribeConfigError
			if errors.As(err, &refused) && refused.Err == sarama.ErrUnknownTopicOrPartition { // nor of the topic yet
				return false
			}
			check(t, err)
			got := map[string]string{}
			for _, e := range entries {
				got[e.Name] = e.Value
			}
			return maps.Equal(got, map[string]string{"max.message.bytes": "5000", "retention.ms": "604800000"})
		})
		var described []*sarama.TopicMetadata
		testenv.Wait(t, "a third partition", 10*time.Second, func() bool {
			var err error
			described, err = admin.DescribeTopics([]string{topic, s.prefix + "missing"})
			check(t, err)
			return len(described[0].Partitions) == 3
		})
		if described[1].Err != sarama.ErrUnknownTopicOrPartition {
			t.Errorf("described what is missing: %v", described[1].Err)
		}
		if _, controller, err := admin.DescribeCluster(); err != nil || controller < 0 {
			t.Errorf("the controller is %d: %v", controller, err)
		}
		if dirs, err := admin.DescribeLogDirs([]int32{described[0].Partitions[0].Leader}); err != nil || len(dirs) != 1 {
			t.Errorf("log folders %v: %v", dirs, err)
		}
		check(t, admin.DeleteTopic(topic))
	})
}

// TestSaramaProducers: every compression, and what is too large.
func TestSaramaProducers(t *testing.T) {
	onBoth(t, func(t *testing.T, s session) {
		topic := s.topic(t, "t", 1)
		var want []string
		for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD} {
			p, err := sarama.NewSyncProducer(s.addrs, config(idempotent, func(c *sarama.Config) { c.Producer.Compression = codec }))
			check(t, err)
			for _, value := range []string{"a", "b"} {
				_, offset, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder("k"), Value: sarama.StringEncoder(codec.String() + value),
					Headers: []sarama.RecordHeader{{Key: []byte("h"), Value: []byte("1")}}})
				if err != nil || offset != int64(len(want)) {
					t.Errorf("%s%s is at %d: %v", codec, value, offset, err)
				}
				want = append(want, codec.String()+value)
			}
			check(t, p.Close())
		}
		if got := s.consume(t, topic, len(want)); !slices.Equal(got, want) {
			t.Errorf("read %q, want %q", got, want)
		}
		p, err := sarama.NewSyncProducer(s.addrs, config(func(c *sarama.Config) { c.Producer.MaxMessageBytes = 3 << 20 }))
		check(t, err)
		defer p.Close()
		if _, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(make([]byte, 2<<20))}); !errors.Is(err, sarama.ErrMessageSizeTooLarge) {
			t.Errorf("a large message: %v", err)
		}
	})
}

// TestSaramaGroup: two members share the partitions, one leaves, the other has all.
func TestSaramaGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, s session) {
		topic := s.topic(t, "t", 4)
		p, err := sarama.NewSyncProducer(s.addrs, config(idempotent))
		check(t, err)
		defer p.Close()
		for i := range 40 {
			_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(string(rune('a' + i))), Value: sarama.StringEncoder("v")})
			check(t, err)
		}
		one, two := s.member(t, topic), s.member(t, topic)
		testenv.Wait(t, "both to have two partitions", 20*time.Second, func() bool { return one.has() == 2 && two.has() == 2 })
		testenv.Wait(t, "all messages", 20*time.Second, func() bool { return len(read(one, two)) == 40 })
		two.leave(t)
		testenv.Wait(t, "one to have all partitions", 20*time.Second, func() bool { return one.has() == 4 })
		one.leave(t)
		admin := s.admin(t)
		offsets, err := admin.ListConsumerGroupOffsets(s.prefix+"g", map[string][]int32{topic: {0, 1, 2, 3}})
		check(t, err)
		var total int64
		for _, b := range offsets.Blocks[topic] {
			total += max(b.Offset, 0)
		}
		if total != 40 {
			t.Errorf("%d messages are committed", total)
		}
		if groups, err := admin.DescribeConsumerGroups([]string{s.prefix + "g"}); err != nil || groups[0].State != "Empty" {
			t.Errorf("the group is %v: %v", groups, err)
		}
		check(t, admin.DeleteConsumerGroup(s.prefix+"g"))
	})
}

// TestSaramaTransactions: what is aborted is not seen, offsets come with what is committed, an heir fences.
func TestSaramaTransactions(t *testing.T) {
	onBoth(t, func(t *testing.T, s session) {
		topic := s.topic(t, "t", 1)
		p := s.transactional(t)
		defer p.Close()
		send := func(p sarama.SyncProducer, value string) error {
			_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
			return err
		}
		offsets := func(n int64) map[string][]*sarama.PartitionOffsetMetadata {
			return map[string][]*sarama.PartitionOffsetMetadata{topic: {{Partition: 0, Offset: n}}}
		}
		check(t, p.BeginTxn())
		check(t, send(p, "dropped"))
		check(t, p.AddOffsetsToTxn(offsets(7), s.prefix+"etl"))
		check(t, p.AbortTxn())
		check(t, p.BeginTxn())
		check(t, send(p, "kept"))
		check(t, p.AddOffsetsToTxn(offsets(3), s.prefix+"etl"))
		check(t, p.CommitTxn())
		heir := s.transactional(t)
		defer heir.Close()
		check(t, p.BeginTxn())
		if err := send(p, "zombie"); err == nil {
			err = p.CommitTxn()
			if err == nil {
				t.Error("a producer that was replaced commits")
			}
		}
		check(t, heir.BeginTxn())
		check(t, send(heir, "last"))
		check(t, heir.CommitTxn())
		if got := strings.Join(s.consume(t, topic, 2), " "); got != "kept last" {
			t.Errorf("read %s", got)
		}
		committed, err := s.admin(t).ListConsumerGroupOffsets(s.prefix+"etl", map[string][]int32{topic: {0}})
		check(t, err)
		if got := committed.GetBlock(topic, 0).Offset; got != 3 {
			t.Errorf("offset %d is committed", got)
		}
	})
}

// transactional makes a producer. While the transaction before it is being completed a broker asks to
// try again, which sarama leaves to its user.
func (s session) transactional(t *testing.T) (p sarama.SyncProducer) {
	t.Helper()
	testenv.Wait(t, "the transaction before to be completed", 10*time.Second, func() (made bool) {
		var err error
		p, err = sarama.NewSyncProducer(s.addrs, config(idempotent, func(c *sarama.Config) { c.Producer.Transaction.ID = s.prefix + "tx" }))
		if !errors.Is(err, sarama.ErrConcurrentTransactions) {
			check(t, err)
		}
		return err == nil
	})
	return p
}

func (s session) admin(t *testing.T) sarama.ClusterAdmin {
	t.Helper()
	admin, err := sarama.NewClusterAdmin(s.addrs, config())
	check(t, err)
	t.Cleanup(func() { admin.Close() })
	return admin
}

func (s session) topic(t *testing.T, name string, partitions int32) string {
	t.Helper()
	name = s.prefix + name
	check(t, s.admin(t).CreateTopic(name, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	client, err := sarama.NewClient(s.addrs, config())
	check(t, err)
	defer client.Close()
	testenv.Wait(t, "the leaders of a new topic", 10*time.Second, func() bool {
		for p := range partitions {
			if _, err := client.GetOffset(name, p, sarama.OffsetNewest); err != nil {
				return false
			}
		}
		return true
	})
	return name
}

// consume reads the first committed values of a topic's only partition.
func (s session) consume(t *testing.T, topic string, count int) (values []string) {
	t.Helper()
	c, err := sarama.NewConsumer(s.addrs, config(func(c *sarama.Config) { c.Consumer.IsolationLevel = sarama.ReadCommitted }))
	check(t, err)
	defer c.Close()
	p, err := c.ConsumePartition(topic, 0, sarama.OffsetOldest)
	check(t, err)
	defer p.Close()
	for len(values) < count {
		select {
		case m := <-p.Messages():
			values = append(values, string(m.Value))
		case err := <-p.Errors():
			t.Fatal(err)
		case <-time.After(time.Minute):
			t.Fatalf("read %q only", values)
		}
	}
	return values
}

// member is one of a consumer group.
type member struct {
	group sarama.ConsumerGroup
	end   context.CancelFunc
	done  chan struct{}

	mu       sync.Mutex
	claims   int
	messages map[string]bool // by key: some may come again
}

func (s session) member(t *testing.T, topic string) *member {
	t.Helper()
	g, err := sarama.NewConsumerGroup(s.addrs, s.prefix+"g", config())
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{group: g, end: cancel, done: make(chan struct{}), messages: map[string]bool{}}
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			if err := g.Consume(ctx, []string{topic}, m); err != nil && ctx.Err() == nil {
				t.Errorf("consume: %v", err)
				return
			}
		}
	}()
	t.Cleanup(cancel)
	return m
}

func (m *member) leave(t *testing.T) {
	t.Helper()
	m.end()
	<-m.done
	check(t, m.group.Close())
}

func (m *member) has() int { m.mu.Lock(); defer m.mu.Unlock(); return m.claims }

// read are the keys of what all have read.
func read(all ...*member) map[string]bool {
	keys := map[string]bool{}
	for _, m := range all {
		m.mu.Lock()
		maps.Copy(keys, m.messages)
		m.mu.Unlock()
	}
	return keys
}

// Setup implements sarama.ConsumerGroupHandler.
func (m *member) Setup(s sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims = 0
	for _, partitions := range s.Claims() {
		m.claims += len(partitions)
	}
	return nil
}

// Cleanup implements sarama.ConsumerGroupHandler.
func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim implements sarama.ConsumerGroupHandler.
func (m *member) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, ok := <-c.Messages():
			if !ok {
				return nil
			}
			s.MarkMessage(message, "")
			m.mu.Lock()
			m.messages[string(message.Key)] = true
			m.mu.Unlock()
		case <-s.Context().Done():
			return nil
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
