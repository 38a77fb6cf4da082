package debezium_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// signals of a test.
type signals struct {
	t        *testing.T
	worker   kafka.Config
	settings *debezium.Settings
}

func (s signals) open(after int64) *debezium.SignalTopic {
	s.t.Helper()
	topic, err := debezium.OpenSignalTopic(s.settings, s.worker, slog.New(slog.NewTextHandler(s.t.Output(), nil)), after)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(topic.Close)
	return topic
}

func (s signals) next(topic *debezium.SignalTopic, want string) (offset int64) {
	s.t.Helper()
	testenv.Wait(s.t, "the signal "+want, 20*time.Second, func() bool {
		signal, ok := topic.Next()
		if ok && signal.ID != want {
			s.t.Fatalf("the signal is %+v, want %s", signal, want)
		}
		offset = signal.Offset
		return ok
	})
	return offset
}

func send(t *testing.T, client *kgo.Client, topic, key, value string) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func makeTopic(t *testing.T, client *kgo.Client, name string) {
	t.Helper()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, name); err != nil {
		t.Fatal(err)
	}
}

// TestSignalTopic goes on after the offset that is given, and leaves what is for others.
func TestSignalTopic(t *testing.T) {
	cluster := kafkatest.Start(t)
	makeTopic(t, cluster.Client(t), "shop-signal")
	s := signals{t, cluster.Config, relational(t, "signal.enabled.channels", "source,kafka").Settings}
	client := cluster.Client(t)
	topic := s.open(debezium.NoSignal)
	send(t, client, "shop-signal", "other", `{"id":"0","type":"log"}`)
	send(t, client, "shop-signal", "shop", `no JSON`)
	send(t, client, "shop-signal", "shop", `{"id":"1","type":"pause-snapshot"}`)
	first := s.next(topic, "1")
	send(t, client, "shop-signal", "shop", `{"id":"2","type":"resume-snapshot"}`)
	second := s.next(topic, "2")
	topic.Close()
	s.next(s.open(first), "2")
	send(t, client, "shop-signal", "shop", `{"id":"3","type":"resume-snapshot"}`)
	s.next(s.open(second), "3")
	s.next(s.open(debezium.NoSignal), "1") // nothing is known to be stored

	off := relational(t)
	if topic, err := debezium.OpenSignalTopic(off.Settings, cluster.Config, nil, 0); topic != nil || err != nil {
		t.Errorf("without the channel there is %v, %v", topic, err)
	}
}

// TestSignalGroup: without a stored offset a connector goes on where the consumer group is.
func TestSignalGroup(t *testing.T) {
	cluster, worker := kafkatest.Start(t), kafkatest.Start(t)
	makeTopic(t, cluster.Client(t), "asked")
	s := signals{t, worker.Config, relational(t, "signal.enabled.channels", "kafka", "signal.kafka.topic", "asked",
		"signal.kafka.bootstrap.servers", strings.Join(cluster.Config.Brokers, ","), "signal.kafka.groupId", "who").Settings}
	if cluster.Config.Prefix != "" {
		t.Skip("the topics of this cluster have a prefix, which is the worker's")
	}
	client := cluster.Client(t)
	for _, id := range []string{"1", "2"} {
		send(t, client, "asked", "shop", `{"id":"`+id+`","type":"pause-snapshot"}`)
	}
	topic := s.open(debezium.NoSignal)
	topic.Stored(s.next(topic, "1"))
	testenv.Wait(t, "the group to know of the first", 20*time.Second, func() bool {
		offsets, err := kadm.NewClient(client).FetchOffsets(t.Context(), "who")
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			t.Fatal(err)
		}
		committed, ok := offsets.Lookup("asked", 0)
		return ok && committed.At == 1
	})
	topic.Close()
	s.next(s.open(debezium.NoSignal), "2")
}

func TestSignalConsumerSettings(t *testing.T) {
	for set, wrong := range map[string]string{
		"signal.consumer.auto.offset.reset=latest":       "",
		"signal.consumer.session.timeout.ms=5":           "",
		"signal.consumer.security.protocol=SSL":          "",
		"signal.consumer.auto.offset.reset=none":         "signal.consumer.auto.offset.reset",
		"signal.consumer.ssl.keystore.location=/x":       "signal.consumer.ssl.keystore.location",
		"signal.consumer.sasl.jaas.config=x":             "signal.consumer.sasl.jaas.config",
		"signal.kafka.bootstrap.servers=http://there:90": "signal.kafka.bootstrap.servers",
	} {
		key, value, _ := strings.Cut(set, "=")
		v, problems := definition().Parse(map[string]string{"topic.prefix": "shop", "signal.enabled.channels": "kafka", key: value})
		problems = append(problems, debezium.CheckCommon(v)...)
		if wrong == "" && len(problems) > 0 || wrong != "" && (len(problems) != 1 || problems[0].Key != wrong) {
			t.Errorf("%s: %v", set, problems)
		}
	}
}
