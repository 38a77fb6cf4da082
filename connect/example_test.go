package connect_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// The lines of a file go to a topic.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, _ := os.MkdirTemp("", "connect")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "lines.txt")
	os.WriteFile(path, []byte("one\ntwo\n"), 0o600)

	b, _ := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0"})
	defer b.Stop(ctx)
	cluster := kafka.Config{Brokers: []string{b.Addr()}, Logger: slog.New(slog.DiscardHandler)}
	w, err := connect.New(connect.Config{
		Kafka: cluster, ID: "worker-1",
		Plugins: plugin.Set{Sources: []plugin.Source{file.Source{}}, Converters: converters.Plugins(), Headers: converters.Headers()},
	})
	if err == nil {
		err = w.Start(ctx)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Stop(ctx)
	if _, err := w.Create(ctx, "lines", map[string]string{
		"connector.class": "FileStreamSource", "file": path, "topic": "lines",
		"value.converter":                   "org.apache.kafka.connect.storage.StringConverter",
		"topic.creation.default.partitions": "1", // lines keep their order
	}, connect.Started); err != nil {
		fmt.Println(err)
		return
	}

	c, _ := kafka.NewClient(cluster, kgo.ConsumeTopics("lines"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer c.Close()
	for n := 0; n < 2; {
		c.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			fmt.Println(string(r.Value))
			n++
		})
	}
	// Output:
	// one
	// two
}
