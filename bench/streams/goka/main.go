// The application of goka that is measured.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"strings"
	"sync/atomic"

	"github.com/IBM/sarama"
	library "github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
	"github.com/pabal-dev/pabal/bench/streams/side"
)

func main() { side.Main(run) }

// run counts by key with goka's defaults: a table in LevelDB, at-least-once.
func run(ctx context.Context, t side.Task, in *bufio.Reader, out io.Writer) error {
	config := library.DefaultConfig()
	config.Version = sarama.V2_8_0_0 // what Apache Kafka 4 still speaks
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	library.ReplaceGlobalConfig(config)
	manager := library.NewTopicManagerConfig()
	manager.Table.Replication, manager.Stream.Replication = 1, 1
	var records atomic.Int64
	count := func(c library.Context, _ any) {
		n, _ := c.Value().(int64)
		c.SetValue(n + 1)
		records.Add(1)
	}
	graph := library.DefineGroup(library.Group(t.ID), library.Input(library.Stream(t.In), rawCodec{}, count), library.Persist(countCodec{}))
	p, err := library.NewProcessor(strings.Split(t.Brokers, ","), graph,
		library.WithLogger(log.New(io.Discard, "", 0)), library.WithStorageBuilder(storage.DefaultBuilder(t.Dir)),
		library.WithTopicManagerBuilder(library.TopicManagerBuilderWithTopicManagerConfig(manager)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	r := &side.Reporter{Out: json.NewEncoder(out), Look: func() side.Progress { return side.Progress{State: side.Running, Records: records.Load()} }}
	if err := r.UntilEnd(ctx, in, ended); err != nil {
		return err
	}
	cancel()
	return <-ended
}

// rawCodec leaves values as they are.
type rawCodec struct{}

func (rawCodec) Encode(v any) ([]byte, error)    { return v.([]byte), nil }
func (rawCodec) Decode(data []byte) (any, error) { return data, nil }

// countCodec writes counts as Kafka's long.
type countCodec struct{}

func (countCodec) Encode(v any) ([]byte, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(v.(int64))), nil
}

func (countCodec) Decode(data []byte) (any, error) {
	if len(data) != 8 {
		return nil, fmt.Errorf("a count of %d bytes", len(data))
	}
	return int64(binary.BigEndian.Uint64(data)), nil
}
