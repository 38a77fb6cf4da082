package debezium_test

import (
	"log/slog"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestSignalTopic goes on after the signals that were done, and leaves those of others.
func TestSignalTopic(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "shop-signal")
	r := relational(t, "signal.enabled.channels", "source,kafka")
	client := cluster.Client(t)
	send := func(key, value string) {
		t.Helper()
		record := &kgo.Record{Topic: "shop-signal", Key: []byte(key), Value: []byte(value)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *debezium.SignalTopic {
		t.Helper()
		topic, err := debezium.NewSignalTopic(r.Settings, cluster.Config, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(topic.Close)
		return topic
	}
	next := func(topic *debezium.SignalTopic, want string) {
		t.Helper()
		signals, err := topic.Poll(t.Context())
		if err != nil || len(signals) != 1 || signals[0].ID != want {
			t.Fatalf("got %+v, %v, want %s", signals, err, want)
		}
	}
	topic := open()
	send("other", `{"id":"0","type":"log"}`)
	send("shop", `no JSON`)
	send("shop", `{"id":"1","type":"pause-snapshot"}`)
	next(topic, "1")
	send("shop", `{"id":"2","type":"resume-snapshot"}`)
	next(topic, "2")
	topic.Close()
	next(open(), "2") // it was not said to be done

	off := relational(t)
	if topic, err := debezium.NewSignalTopic(off.Settings, cluster.Config, nil); topic != nil || err != nil {
		t.Errorf("without the channel there is %v, %v", topic, err)
	}
}
