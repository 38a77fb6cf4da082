package semantics_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/semantics"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

func TestOnTheDriver(t *testing.T) { semantics.Run(t, onDriver{}) }

// onDriver runs topologies on the test driver, with options.
type onDriver struct {
	options []streamstest.Option
	// after each record.
	after func(d *streamstest.Driver)
}

func (r onDriver) Start(t testing.TB, topology *streams.Topology, topics []string) semantics.App {
	return &driven{d: streamstest.New(t, topology, r.options...), after: r.after, in: map[string]input{}, out: map[string]output{}}
}

type (
	input  = *streamstest.InputTopic[[]byte, []byte]
	output = *streamstest.OutputTopic[[]byte, []byte]
)

type driven struct {
	d     *streamstest.Driver
	after func(d *streamstest.Driver)
	in    map[string]input
	out   map[string]output
}

func (a *driven) Pipe(t testing.TB, r *kgo.Record) {
	if a.in[r.Topic] == nil {
		a.in[r.Topic] = streamstest.Input(a.d, r.Topic, serde.Bytes(), serde.Bytes())
	}
	a.in[r.Topic].PipeRecord(streams.Record[[]byte, []byte]{
		Key: r.Key, Value: r.Value, NoKey: r.Key == nil, NoValue: r.Value == nil, Timestamp: r.Timestamp.UnixMilli(),
	})
	if a.after != nil {
		a.after(a.d)
	}
}

func (a *driven) Read(t testing.TB, topic string) (all []*kgo.Record) {
	if a.out[topic] == nil {
		a.out[topic] = streamstest.Output(a.d, topic, serde.Bytes(), serde.Bytes())
	}
	for _, r := range a.out[topic].ReadAll() {
		rec := &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value, Timestamp: r.Time()}
		if r.NoKey {
			rec.Key = nil
		}
		if r.NoValue {
			rec.Value = nil
		}
		all = append(all, rec)
	}
	return all
}
