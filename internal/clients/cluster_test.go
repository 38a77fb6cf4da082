package clients_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// cluster is what a client is run against. Others use Apache Kafka at the same time: the prefix
// keeps names apart.
type cluster struct {
	addr, prefix string
	kafka        bool // Apache Kafka
}

// start runs a broker of ours that keeps its log in a folder, until the test ends.
func start(t *testing.T, changes ...func(*broker.Config)) cluster {
	t.Helper()
	c := broker.Config{
		Addr: "127.0.0.1:0", DataDir: t.TempDir(), NoAutoCreate: true,
		MinSessionTimeout: time.Second, Logger: slog.New(slog.DiscardHandler),
	}
	for _, change := range changes {
		change(&c)
	}
	b, err := broker.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return cluster{addr: b.Addr(), prefix: testenv.Prefix(t)}
}

// onBoth tests a client on our broker and then what the test expects on Apache Kafka.
func onBoth(t *testing.T, test func(*testing.T, cluster)) {
	t.Run("in process", func(t *testing.T) { test(t, start(t)) })
	t.Run("Apache Kafka", func(t *testing.T) { test(t, apacheKafka(t)) })
}

// onOurs is onBoth of what takes Apache Kafka long: that is left to long runs.
func onOurs(t *testing.T, test func(*testing.T, cluster)) {
	t.Run("in process", func(t *testing.T) { test(t, start(t)) })
	if testenv.Long() {
		t.Run("Apache Kafka", func(t *testing.T) { test(t, apacheKafka(t)) })
	}
}

func apacheKafka(t *testing.T) cluster {
	return cluster{addr: strings.Join(testenv.Kafka(t), ","), prefix: testenv.Prefix(t), kafka: true}
}
