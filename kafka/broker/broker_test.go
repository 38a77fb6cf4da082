package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestStartTakesMilliseconds(t *testing.T) {
	took := time.Hour
	for range 5 { // on a busy machine one may wait for a processor
		begin := time.Now()
		kafkatest.Start(t)
		took = min(took, time.Since(begin))
	}
	if took > 500*time.Millisecond {
		t.Errorf("the fastest of five brokers took %v to start", took)
	}
}

func TestBusyPortIsNamed(t *testing.T) {
	first := kafkatest.Start(t)
	_, err := broker.Start(t.Context(), broker.Config{Addr: first.Addr()})
	if !errors.Is(err, broker.ErrAddr) || !strings.Contains(err.Error(), first.Addr()) {
		t.Errorf("got %v", err)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, addr := range []string{"localhost", "127.0.0.1:http", "127.0.0.1:70000", "0.0.0.0:9092", "example.org:9092"} {
		if b, err := broker.Start(t.Context(), broker.Config{Addr: addr}); !errors.Is(err, broker.ErrAddr) {
			t.Errorf("%s: got %v, %v", addr, b, err)
		}
	}
}

func TestRestartKeepsFolder(t *testing.T) {
	config := broker.Config{Addr: "127.0.0.1:0", DataDir: t.TempDir()}
	first := start(t, config)
	produce(t, first, "kept", "a", "b")
	id := first.ClusterID()
	if !strings.Contains(first.Durability(), "power cuts") {
		t.Errorf("durability: %s", first.Durability())
	}
	stop(t, first)
	stop(t, first) // twice is allowed

	second := start(t, config)
	if second.ClusterID() != id {
		t.Errorf("cluster id %s became %s", id, second.ClusterID())
	}
	produce(t, second, "kept", "c")
	if got := consume(t, second, "kept", 3); got != "a b c" {
		t.Errorf("got %s", got)
	}
}

func TestClusterIDsDiffer(t *testing.T) {
	if a, b := kafkatest.Start(t), kafkatest.Start(t); a.ClusterID() == b.ClusterID() {
		t.Error("two brokers have one cluster id")
	}
}

func TestFolderIsOneBrokersOnly(t *testing.T) {
	dir := t.TempDir()
	if os.Getenv("BROKER_TEST_HOLD") != "" {
		start(t, broker.Config{Addr: "127.0.0.1:0", DataDir: os.Getenv("BROKER_TEST_HOLD")})
		fmt.Println("holding")
		fmt.Scanln() // until the parent closes standard input
		return
	}
	holder := exec.Command(os.Args[0], "-test.run=^TestFolderIsOneBrokersOnly$")
	holder.Env = append(os.Environ(), "BROKER_TEST_HOLD="+dir)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("holding"))
	if _, err := out.Read(line); err != nil || string(line) != "holding" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	_, err = broker.Start(t.Context(), broker.Config{Addr: "127.0.0.1:0", DataDir: dir})
	if !errors.Is(err, broker.ErrFolderInUse) || !strings.Contains(err.Error(), fmt.Sprint(holder.Process.Pid)) {
		t.Errorf("got %v, want the process %d named", err, holder.Process.Pid)
	}
	holder.Process.Kill() // the lock goes with the process
	in.Close()
	holder.Wait()
	start(t, broker.Config{Addr: "127.0.0.1:0", DataDir: dir})
}

func TestAutoCreationIsAChoice(t *testing.T) {
	with := start(t, broker.Config{Addr: "127.0.0.1:0", Partitions: 3})
	produce(t, with, "new", "x")
	topics, err := kadm.NewClient(connect(t, with)).ListTopics(t.Context(), "new")
	if err != nil || len(topics["new"].Partitions) != 3 {
		t.Errorf("got %v, %v, want 3 partitions", topics["new"], err)
	}
	without := kafkatest.Start(t)
	strict := without.Client(t, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(0))
	err = strict.ProduceSync(t.Context(), &kgo.Record{Topic: "new", Value: []byte("x")}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("a topic nobody created: got %v", err)
	}
}

func TestOversizedRecordIsAnAnswer(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "t")
	client := cluster.Client(t, kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: make([]byte, 3<<20)}).FirstErr()
	if !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("got %v, want MESSAGE_TOO_LARGE", err)
	}
}

// start runs a broker until the test ends.
func start(t *testing.T, c broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, b) })
	return b
}

func stop(t *testing.T, b *broker.Broker) {
	t.Helper()
	if err := b.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if conn, err := net.DialTimeout("tcp", b.Addr(), time.Second); err == nil {
		conn.Close()
		t.Error("the port is still served after Stop")
	}
}

func connect(t *testing.T, b *broker.Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kafka.NewClient(kafka.Config{Brokers: []string{b.Addr()}}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// produce writes values under one key, so that they are in one partition.
func produce(t *testing.T, b *broker.Broker, topic string, values ...string) {
	t.Helper()
	client := connect(t, b, kgo.AllowAutoTopicCreation())
	for _, v := range values {
		record := &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte(v)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// consume reads n committed records of a topic.
func consume(t *testing.T, b *broker.Broker, topic string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	client := connect(t, b, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	var got []string
	for len(got) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	return strings.Join(got, " ")
}
