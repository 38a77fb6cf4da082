package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Topics of the bulk processor as stream processing: lines come in, batches of them go out, and
// that everything before a drain went out.
const (
	linesTopic   = "bulk-lines"
	batchesTopic = "bulk-batches"
	drainedTopic = "bulk-drained"
)

// waitingStore has the lines that are in no batch yet.
const waitingStore = "bulk-waiting"

// limits of a batch.
type limits struct {
	items int
	bytes int // as size counts them
	// linger is how long the first line of a batch waits.
	linger time.Duration
}

// line is an entry of linesTopic: a text, or where Drain is not "", the wish that what is
// waiting goes at once; then Drain is what is said when it has gone.
type line struct {
	Text  string `json:"text,omitempty"`
	Drain string `json:"drain,omitempty"`
}

// waiting is a line with when it came, in ms since 1970.
type waiting struct {
	Text string `json:"text"`
	Came int64  `json:"came"`
}

// flushed is a batch, or the answer to a drain.
type flushed struct {
	Lines   []string `json:"lines,omitempty"`
	Drained string   `json:"drained,omitempty"`
}

// newTopology has each partition of linesTopic gather for itself. A batch, the offsets of its
// lines and that they do not wait any more are one transaction: none is lost or in two
// batches. What waits is in a store: it survives restarts, with the time it has waited.
func newTopology(l limits) (*streams.Topology, error) {
	b := streams.NewBuilder()
	b.AddStore(state.KeyValue(waitingStore, serde.Int64(), serde.JSON[waiting]()))
	lines := streams.From(b, linesTopic, serde.String(), serde.JSON[line]())
	out := streams.Process(lines, func() streams.Processor[string, line, string, flushed] { return &gatherer{limits: l} },
		serde.String(), serde.JSON[flushed](), streams.Using(waitingStore))
	out.Filter(func(_ string, f flushed) bool { return f.Drained == "" }).To(batchesTopic)
	out.Filter(func(_ string, f flushed) bool { return f.Drained != "" }).To(drainedTopic)
	return b.Build()
}

// gatherer is idle while it has no lines, and has no timer then.
type gatherer struct {
	limits limits
	c      streams.Context[string, flushed]
	store  state.KeyValueStore[int64, waiting]

	count, bytes int
	next         int64 // number of the next line
	cancel       func()
}

// Init goes on with what waits.
func (g *gatherer) Init(c streams.Context[string, flushed]) (err error) {
	g.c = c
	if g.store, err = streams.StoreOf[state.KeyValueStore[int64, waiting]](c, waitingStore); err != nil {
		return err
	}
	for p, err := range g.store.All() {
		if err != nil {
			return err
		}
		if g.count == 0 {
			if err := g.startTimer(p.Value.Came); err != nil {
				return err
			}
		}
		g.count, g.bytes, g.next = g.count+1, g.bytes+size(p.Value.Text), p.Key+1
	}
	return nil
}

// Close leaves what waits in the store.
func (g *gatherer) Close() error { return nil }

func (g *gatherer) Process(r streams.Record[string, line]) error {
	switch {
	case r.NoValue:
		return nil
	case r.Value.Drain != "":
		return g.drain(r.Value.Drain)
	}
	text := r.Value.Text
	if g.count > 0 && g.bytes+size(text) > g.limits.bytes { // a larger one goes alone
		if err := g.flush(); err != nil {
			return err
		}
	}
	now := g.c.Now()
	if g.count == 0 {
		if err := g.startTimer(now); err != nil {
			return err
		}
	}
	if err := g.store.Put(g.next, waiting{text, now}); err != nil {
		return err
	}
	g.next, g.count, g.bytes = g.next+1, g.count+1, g.bytes+size(text)
	if g.count >= g.limits.items || g.bytes >= g.limits.bytes {
		return g.flush()
	}
	return nil
}

// size of a line in a batch, which is JSON: escapes make it longer.
func size(text string) int {
	quoted, err := json.Marshal(text)
	if err != nil { // of a string there is none
		return len(text)
	}
	return len(quoted) + len(",")
}

func (g *gatherer) drain(name string) error {
	if err := g.flush(); err != nil {
		return err
	}
	return g.forward(flushed{Drained: name})
}

// startTimer for a batch whose first line came then.
func (g *gatherer) startTimer(came int64) (err error) {
	left := max(time.Duration(came-g.c.Now())*time.Millisecond+g.limits.linger, time.Millisecond)
	g.cancel, err = g.c.Schedule(left, streams.WallClock, func(int64) error { return g.flush() })
	return err
}

// flush sends what waits, and stops the timer: it is not the next batch's.
func (g *gatherer) flush() error {
	if g.count == 0 {
		return nil
	}
	g.cancel()
	var batch flushed
	for p, err := range g.store.All() {
		if err != nil {
			return err
		}
		batch.Lines = append(batch.Lines, p.Value.Text)
		if _, _, err := g.store.Delete(p.Key); err != nil {
			return err
		}
	}
	g.count, g.bytes, g.next = 0, 0, 0
	return g.forward(batch)
}

// forward gives all of one task the same key, so that they keep their order.
func (g *gatherer) forward(f flushed) error {
	_, partition := g.c.Task()
	return g.c.Forward(streams.Record[string, flushed]{Key: fmt.Sprint(partition), Value: f, Timestamp: g.c.Now()})
}

// runTopology gathers lines of linesTopic until ctx ends.
func runTopology(ctx context.Context, cluster kafka.Config, l limits) error {
	topology, err := newTopology(l)
	if err != nil {
		return err
	}
	client, err := kafka.NewClient(cluster)
	if err != nil {
		return err
	}
	defer client.Close()
	topics := []kafka.Topic{{Name: linesTopic}, {Name: batchesTopic}, {Name: drainedTopic}}
	if err := kafka.EnsureTopics(ctx, client, cluster, topics...); err != nil {
		return err
	}
	app, err := streams.New(topology, streams.Config{ApplicationID: "bulk", Kafka: cluster})
	if err != nil {
		return err
	}
	return app.Run(ctx)
}
