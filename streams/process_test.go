package streams_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// processor is made of functions.
type processor[KO, VO any] struct {
	init    func(c streams.Context[KO, VO]) error
	process func(c streams.Context[KO, VO], r streams.Record[string, string]) error
	c       streams.Context[KO, VO]
}

func (p *processor[KO, VO]) Init(c streams.Context[KO, VO]) error {
	p.c = c
	if p.init == nil {
		return nil
	}
	return p.init(c)
}
func (p *processor[KO, VO]) Process(r streams.Record[string, string]) error { return p.process(p.c, r) }
func (p *processor[KO, VO]) Close() error                                   { return nil }

type stringContext = streams.Context[string, string]

// start builds a topology around one processor, from topic in to topic out.
func start(t *testing.T, p processor[string, string], opts ...streams.Option) *streamstest.Driver {
	t.Helper()
	b := streams.NewBuilder()
	b.AddStore(state.KeyValue("used", serde.String(), serde.Int64()))
	b.AddStore(state.KeyValue("other", serde.String(), serde.Int64()))
	streams.Process(text(b, "elsewhere"), newIdle, str, str, streams.Using("other"))
	s := streams.Process(text(b, "in"), func() streams.Processor[string, string, string, string] { return &p }, str, str, append(opts, streams.Using("used"))...)
	s.Filter(always, streams.Named("one")).To("out")
	s.Filter(always, streams.Named("two")).To("out2")
	return streamstest.New(t, built(t, b))
}

func built(t *testing.T, b *streams.Builder) *streams.Topology {
	t.Helper()
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

func TestProcessorCounts(t *testing.T) {
	var store state.KeyValueStore[string, int64]
	d := start(t, processor[string, string]{
		init: func(c stringContext) (err error) {
			store, err = streams.StoreOf[state.KeyValueStore[string, int64]](c, "used")
			return err
		},
		process: func(c stringContext, r streams.Record[string, string]) error {
			n, _, err := store.Get(r.Key)
			if err != nil {
				return err
			}
			r.Value = fmt.Sprint(n + 1)
			return errors.Join(store.Put(r.Key, n+1), c.Forward(r))
		},
	})
	in := streamstest.Input(d, "in", str, str)
	for range 3 {
		in.Pipe("k", "v", time.UnixMilli(5))
	}
	for _, topic := range []string{"out", "out2"} {
		if got := entries(streamstest.Output(d, topic, str, str).ReadAll()); got != "k=1@5,k=2@5,k=3@5" {
			t.Errorf("%s: %s", topic, got)
		}
	}
}

func TestForwardTo(t *testing.T) {
	var unknown error
	d := start(t, processor[string, string]{process: func(c stringContext, r streams.Record[string, string]) error {
		unknown = c.ForwardTo("three", r)
		return c.ForwardTo(r.Value, r)
	}})
	in := streamstest.Input(d, "in", str, str)
	in.Pipe("a", "two", time.UnixMilli(1))
	in.Pipe("b", "one", time.UnixMilli(2))
	one, two := streamstest.Output(d, "out", str, str), streamstest.Output(d, "out2", str, str)
	if o, w := entries(one.ReadAll()), entries(two.ReadAll()); o != "b=one@2" || w != "a=two@1" {
		t.Errorf("one has %s, two %s", o, w)
	}
	if unknown == nil || !strings.Contains(unknown.Error(), `"three"`) {
		t.Errorf("a child that is not there: %v", unknown)
	}
}

func TestStoreOfSaysWhatIsWrong(t *testing.T) {
	var unconnected, wrong error
	start(t, processor[string, string]{init: func(c stringContext) error {
		_, unconnected = streams.StoreOf[state.KeyValueStore[string, int64]](c, "other")
		_, wrong = streams.StoreOf[state.KeyValueStore[string, string]](c, "used")
		return nil
	}})
	for _, c := range []struct {
		err  error
		want []string
	}{
		{unconnected, []string{"store other is not connected to KSTREAM-PROCESSOR-", "Using"}},
		{wrong, []string{"store used is a ", "string,int64]", "string,string]"}},
	} {
		for _, want := range c.want {
			if c.err == nil || !strings.Contains(c.err.Error(), want) {
				t.Errorf("%v\nlacks %s", c.err, want)
			}
		}
	}
}

func TestGlobalStoreIsReadWithoutNamingIt(t *testing.T) {
	b := streams.NewBuilder()
	streams.GlobalTableFrom(b, "cities", str, str, streams.Materialized("cities-store"))
	p := processor[string, string]{process: func(c stringContext, r streams.Record[string, string]) error {
		cities, err := streams.StoreOf[state.ReadOnlyKeyValue[string, state.Timestamped[string]]](c, "cities-store")
		if err != nil {
			return err
		}
		city, _, err := cities.Get(r.Value)
		r.Value = city.Value
		return errors.Join(err, c.Forward(r))
	}}
	streams.Process(text(b, "in"), func() streams.Processor[string, string, string, string] { return &p }, str, str).To("out")
	d := streamstest.New(t, built(t, b))
	streamstest.Input(d, "cities", str, str).Pipe("B", "Berlin", time.UnixMilli(9))
	streamstest.Input(d, "in", str, str).Pipe("k", "B", time.UnixMilli(1))
	if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != "k=Berlin@1" {
		t.Error(got)
	}
}

func TestPunctuators(t *testing.T) {
	var calls []string
	note := func(what string, c stringContext) func(int64) error {
		return func(at int64) error {
			calls = append(calls, what)
			return c.Forward(streams.Record[string, string]{Key: what, Timestamp: at})
		}
	}
	var cancel func()
	d := start(t, processor[string, string]{
		init: func(c stringContext) error {
			_, tooShort := c.Schedule(time.Microsecond, streams.WallClock, note("", c))
			if tooShort == nil {
				t.Error("a punctuator every microsecond")
			}
			_, err := c.Schedule(10*time.Millisecond, streams.StreamTime, note("stream", c))
			if err != nil {
				return err
			}
			cancel, err = c.Schedule(time.Second, streams.WallClock, note("wall", c))
			return err
		},
		process: func(stringContext, streams.Record[string, string]) error { return nil },
	})
	in, out := streamstest.Input(d, "in", str, str), streamstest.Output(d, "out", str, str)
	in.Pipe("k", "v", time.UnixMilli(100))
	in.Pipe("k", "v", time.UnixMilli(101))
	in.Pipe("k", "v", time.UnixMilli(200))
	d.Advance(time.Second)
	cancel()
	d.Advance(time.Minute)
	if want := []string{"stream", "stream", "wall"}; !slices.Equal(calls, want) {
		t.Errorf("called %q, want %q", calls, want)
	}
	if out.Len() != 3 {
		t.Errorf("%d records forwarded", out.Len())
	}
}

func TestProcessValuesKeepsTheKey(t *testing.T) {
	b := streams.NewBuilder()
	var late error
	p := &processor[string, string]{
		init: func(c stringContext) error {
			_, err := c.Schedule(time.Second, streams.WallClock, func(int64) error {
				late = c.Forward(streams.Record[string, string]{Key: "any"})
				return nil
			})
			return err
		},
		process: func(c stringContext, r streams.Record[string, string]) error {
			r.Key = "another"
			return c.Forward(r)
		},
	}
	s := streams.ProcessValues(text(b, "in"), func() streams.Processor[string, string, string, string] { return p }, str)
	numbers(streams.Count(s.GroupByKey())).To("out")
	topology := built(t, b)
	if subs := len(topology.Plan().Subs); subs != 1 {
		t.Errorf("%d sub-topologies: it was repartitioned", subs)
	}
	d := streamstest.New(t, topology)
	streamstest.Input(d, "in", str, str).Pipe("k", "v", time.UnixMilli(1))
	if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != "k=1@1" {
		t.Error(got)
	}
	d.Advance(time.Second)
	if late == nil {
		t.Error("a punctuator forwarded without a key to keep")
	}
}

func TestSource(t *testing.T) {
	var got string
	d := start(t, processor[string, string]{process: func(c stringContext, r streams.Record[string, string]) error {
		topic, partition, offset, ok := c.Source()
		sub, of := c.Task()
		got = fmt.Sprint(topic, partition, offset, ok, sub, of, c.StreamTime(), c.ApplicationID() != "", c.Logger() != nil, c.Now() > 0)
		return nil
	}})
	in := streamstest.Input(d, "in", str, str)
	in.Pipe("a", "1", time.UnixMilli(1))
	in.Pipe("b", "2", time.UnixMilli(2))
	if want := "in0 1 true 1 0 2 true true true"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
