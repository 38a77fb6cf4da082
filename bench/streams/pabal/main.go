// The application of Pabal that is measured.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/bench/streams/side"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
)

func main() { side.Main(run) }

// run runs the same topologies as CountBench.java, with one worker.
func run(ctx context.Context, t side.Task, in *bufio.Reader, out io.Writer) error {
	var records atomic.Int64
	topology, err := topology(t, &records)
	if err != nil {
		return err
	}
	r := &side.Reporter{Out: json.NewEncoder(out)}
	c := config(t)
	c.OnState = func(_, _ streams.State) { r.Print() }
	app, err := streams.New(topology, c)
	if err != nil {
		return err
	}
	r.Look = func() side.Progress {
		return side.Progress{State: string(app.State()), Records: records.Load()}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	if err := r.UntilEnd(ctx, in, ended); err != nil {
		return err
	}
	cancel()
	return <-ended
}

func config(t side.Task) streams.Config {
	c := streams.Config{
		ApplicationID:  t.ID,
		Kafka:          kafka.Config{Brokers: strings.Split(t.Brokers, ","), Logger: measure.Quiet},
		InstanceID:     t.Instance,
		StateDir:       t.Dir,
		CommitInterval: time.Duration(t.CommitMs) * time.Millisecond,
		Workers:        1,
		CacheBytes:     t.CacheBytes,
		Logger:         measure.Quiet,
	}
	if t.AtLeastOnce {
		c.Guarantee = streams.AtLeastOnce
	}
	return c
}

func topology(t side.Task, records *atomic.Int64) (*streams.Topology, error) {
	b := streams.NewBuilder()
	from := streams.Earliest()
	if t.FromEnd {
		from = streams.Latest()
	}
	in := streams.From(b, t.In, serde.String(), serde.Bytes(), from).
		Peek(func(streams.Record[string, []byte]) { records.Add(1) })
	var store []streams.Option
	if t.CacheBytes > 0 {
		store = append(store, streams.Cached())
	}
	switch t.Kind {
	case "count":
		streams.Count(in.GroupByKey(), streams.Materialized("counts", store...)).ToStream().To(t.Out)
	case "window":
		size := time.Duration(t.WindowMs) * time.Millisecond
		w := streams.Tumbling(size).Grace(size)
		streams.CountWindows(in.GroupByKey(), w, streams.Materialized("counts", store...)).ToStream().To(t.Out)
	case "join":
		table := streams.TableFrom(b, t.Table, serde.String(), serde.Bytes(), streams.Materialized("table", store...))
		streams.JoinTable(in, table, both, serde.Bytes()).To(t.Out)
	default:
		return nil, fmt.Errorf("no kind %q", t.Kind)
	}
	return b.Build()
}

func both(l, r []byte) []byte {
	return append(append(make([]byte, 0, len(l)+len(r)), l...), r...)
}
