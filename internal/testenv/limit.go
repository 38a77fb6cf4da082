package testenv

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// RaiseMessageLimit sets a topic's max.message.bytes, and waits until the topic takes that much:
// Apache Kafka's brokers go by a change some time after the controller has confirmed it, and
// after they tell of it. It leaves an aborted transaction in the topic's partition 0.
func RaiseMessageLimit(t testing.TB, brokers []string, topic string, bytes int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID(Prefix(t)+"limit"), kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(int32(bytes)), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	defer cancel()
	limit := strconv.Itoa(bytes)
	answers, err := kadm.NewClient(client).AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, topic)
	for _, a := range answers {
		err = errors.Join(err, a.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
	const beside = 200 // what a batch has beside its record's value
	large := make([]byte, bytes-beside)
	Wait(t, "the topic to take larger messages", 30*time.Second, func() bool {
		err := client.BeginTransaction()
		if err == nil {
			err = client.ProduceSync(ctx, &kgo.Record{Value: large}).FirstErr()
		}
		if aborted := client.EndTransaction(ctx, kgo.TryAbort); aborted != nil {
			t.Fatal(aborted)
		}
		if err != nil && !errors.Is(err, kerr.MessageTooLarge) {
			t.Fatal(err)
		}
		return err == nil
	})
}
