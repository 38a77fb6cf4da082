package testservers_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestKafkaKeepsItsDataOverAKill(t *testing.T) {
	kafka := testenv.StartKafka(t, "message.max.bytes=2000000")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const topic, count = "kept", 500
	client := dial(t, kafka.Addr, kgo.DefaultProduceTopic(topic), kgo.ConsumeTopics(topic))
	if _, err := kadm.NewClient(client).CreateTopic(ctx, -1, -1, nil, topic); err != nil {
		t.Fatal(err)
	}
	records := make([]*kgo.Record, count)
	for i := range records {
		records[i] = kgo.StringRecord(fmt.Sprint(i))
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	id := clusterID(t, ctx, client)
	if err := kafka.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := dial(t, kafka.Addr).Ping(ctx); err == nil {
		t.Fatal("it answers although it was killed")
	}
	if err := kafka.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if now := clusterID(t, ctx, client); now != id {
		t.Fatalf("the cluster id was %s and is %s", id, now)
	}
	seen := map[string]bool{}
	for len(seen) < count {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("found %d of %d records: %v", len(seen), count, fetches.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)] = true })
	}
}

func TestKafkaTransactionsAndDefaults(t *testing.T) {
	brokers := testenv.Kafka(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	prefix := testenv.Prefix(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID(prefix+"tx"), kgo.DefaultProduceTopic(prefix+"t"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	created, err := kadm.NewClient(client).CreateTopic(ctx, -1, -1, nil, prefix+"t")
	if err != nil {
		t.Fatal(err)
	}
	if created.NumPartitions != 4 {
		t.Errorf("a topic has %d partitions by default, want 4", created.NumPartitions)
	}
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(ctx, kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addr), kgo.RequestRetries(3))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func clusterID(t *testing.T, ctx context.Context, client *kgo.Client) string {
	t.Helper()
	meta, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return meta.Cluster
}
