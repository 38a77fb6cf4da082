package streamstest_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

var text = serde.String()

func build(t testing.TB, f func(b *streams.Builder)) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	f(b)
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

// show is a record as key=value@time.
func show[K, V any](r streams.Record[K, V]) string {
	key, value := fmt.Sprint(r.Key), fmt.Sprint(r.Value)
	if r.NoKey {
		key = "-"
	}
	if r.NoValue {
		value = "∅"
	}
	return fmt.Sprintf("%s=%s@%d", key, value, r.Timestamp)
}

func rest[K, V any](t testing.TB, o *streamstest.OutputTopic[K, V]) string {
	t.Helper()
	var all []string
	for _, r := range o.ReadAll() {
		all = append(all, show(r))
	}
	return strings.Join(all, " ")
}

func expect[K, V any](t testing.TB, o *streamstest.OutputTopic[K, V], want string) {
	t.Helper()
	if got := rest(t, o); got != want {
		t.Errorf("came out:\n%s\nwant:\n%s", got, want)
	}
}

func at(ms int64) time.Time { return time.UnixMilli(ms) }

func copying(t testing.TB) *streams.Topology {
	return build(t, func(b *streams.Builder) { streams.From(b, "in", text, text).To("out") })
}

func TestRecordsPass(t *testing.T) {
	d := streamstest.New(t, copying(t), streamstest.WithConfig(streams.Config{Kafka: kafka.Config{Prefix: "dev."}}))
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, text)
	in.Pipe("a", "1", at(5))
	in.Tombstone("a", at(6))
	in.PipeRecord(streams.Record[string, string]{NoKey: true, Value: "2", Timestamp: 7})
	in.PipeRecord(streams.Record[string, string]{Key: "", NoValue: true, Timestamp: 8})
	expect(t, out, "a=1@5 a=∅@6 -=2@7 =∅@8")
	in.PipeRecord(streams.Record[string, string]{Key: "h", Headers: []kgo.RecordHeader{{Key: "k", Value: []byte("v")}}})
	if r := out.Read(); len(r.Headers) != 1 || r.Headers[0].Key != "k" || string(r.Headers[0].Value) != "v" || r.Value != "" {
		t.Errorf("%+v", r)
	}
	if out.Len() != 0 || len(out.ReadAll()) != 0 {
		t.Error("there is more")
	}
	again := streamstest.Output(d, "out", text, text)
	if again.Len() != 5 {
		t.Errorf("another reader begins with %d to be read", again.Len())
	}
	if got := d.Topics(); !reflect.DeepEqual(got, []string{"in", "out"}) {
		t.Errorf("topics %v", got)
	}
}

func TestTimesOfInput(t *testing.T) {
	start := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	d := streamstest.New(t, copying(t), streamstest.WithClock(start))
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, text)
	in.Pipe("a", "clock")
	d.Advance(time.Second)
	in.Pipe("a", "clock")
	in.StartAt(at(100), 10*time.Millisecond)
	in.Pipe("a", "step")
	in.Pipe("a", "given", at(7))
	in.Tombstone("a")
	for _, want := range []int64{start.UnixMilli(), start.UnixMilli() + 1000, 100, 7, 110} {
		if r := out.Read(); r.Timestamp != want {
			t.Errorf("%s is of %d, want %d", r.Value, r.Timestamp, want)
		}
	}
	if got := d.Now(); !got.Equal(start.Add(time.Second)) {
		t.Errorf("now is %v", got)
	}
}

func counting(t testing.TB, opts ...streams.Option) *streams.Topology {
	return build(t, func(b *streams.Builder) {
		words := streams.From(b, "in", text, text)
		byValue := streams.GroupBy(words, func(_, v string) string { return v }, text)
		streams.Count(byValue, append(opts, streams.Materialized("counts"))...).ToStream().To("out")
	})
}

func TestInternalTopics(t *testing.T) {
	d := streamstest.New(t, counting(t))
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, serde.Int64())
	in.Pipe("k", "x", at(1))
	in.Pipe("k", "y", at(2))
	in.Pipe("k", "x", at(3))
	expect(t, out, "x=1@1 y=1@2 x=2@3")
	if got := strings.Join(d.Topics(), " "); got != "in out streamstest-counts-changelog streamstest-counts-repartition" {
		t.Errorf("topics %s", got)
	}
	expect(t, streamstest.Output(d, "streamstest-counts-repartition", text, text), "x=x@1 y=y@2 x=x@3")
	logged := streamstest.Output(d, "streamstest-counts-changelog", text, serde.Bytes())
	if logged.Len() != 3 {
		t.Errorf("%d records in the changelog", logged.Len())
	}
}

func TestStores(t *testing.T) {
	d := streamstest.New(t, counting(t))
	in := streamstest.Input(d, "in", text, text)
	counts := streamstest.Store[state.KeyValueStore[string, state.Timestamped[int64]]](d, "counts")
	if err := counts.Put("x", state.Timestamped[int64]{Value: 41}); err != nil {
		t.Fatal(err)
	}
	in.Pipe("k", "x", at(1))
	if v, ok, err := counts.Get("x"); v.Value != 42 || !ok || err != nil {
		t.Error(v, ok, err)
	}
}

func TestRestartRestores(t *testing.T) {
	for _, opts := range [][]streams.Option{nil, {streams.InMemory()}} {
		d := streamstest.New(t, counting(t, opts...))
		in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, serde.Int64())
		in.Pipe("k", "x", at(1))
		d.Restart()
		in.Pipe("k", "x", at(2))
		d.Restart()
		d.Restart()
		in.Pipe("k", "x", at(3))
		expect(t, out, "x=1@1 x=2@2 x=3@3")
	}
}

func TestRestartLosesWhatIsNotLogged(t *testing.T) {
	d := streamstest.New(t, counting(t, streams.NotLogged()))
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, serde.Int64())
	in.Pipe("k", "x", at(1))
	d.Restart()
	in.Pipe("k", "x", at(2))
	expect(t, out, "x=1@1 x=1@2")
}

func TestCommitEvery(t *testing.T) {
	d := streamstest.New(t, copying(t), streamstest.WithCommitEvery(3))
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, text)
	for i, want := range []string{"", "", "k=0@0 k=1@1 k=2@2", ""} {
		in.Pipe("k", fmt.Sprint(i), at(int64(i)))
		expect(t, out, want)
	}
	d.Commit()
	expect(t, out, "k=3@3")
	in.Pipe("k", "4", at(4))
	d.Advance(0)
	expect(t, out, "k=4@4")
}

func TestFailCommit(t *testing.T) {
	for name, guarantee := range map[string]streams.Guarantee{"exactly once": streams.ExactlyOnce, "at least once": streams.AtLeastOnce} {
		t.Run(name, func(t *testing.T) {
			d := streamstest.New(t, counting(t), streamstest.WithCommitEvery(100), streamstest.WithConfig(streams.Config{Guarantee: guarantee}))
			in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, serde.Int64())
			in.Pipe("k", "x", at(1))
			in.Pipe("k", "x", at(2))
			d.FailCommit()
			d.Commit()
			d.Commit()
			if guarantee == streams.ExactlyOnce {
				expect(t, out, "x=1@1 x=2@2")
				return
			}
			// Outputs, changelog and repartition topic keep what was written (of which there are two
			// records then), and all of it is processed again.
			expect(t, out, "x=1@1 x=2@2 x=3@2 x=4@2 x=5@2 x=6@2")
		})
	}
}

func TestFailNextCommit(t *testing.T) {
	d := streamstest.New(t, counting(t))
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, serde.Int64())
	d.FailCommit() // nothing to be committed
	in.Pipe("k", "x", at(1))
	in.Pipe("k", "x", at(2))
	expect(t, out, "x=1@1 x=2@2")
}

func TestPartitions(t *testing.T) {
	d := streamstest.New(t, counting(t), streamstest.WithPartitions(3))
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, serde.Int64())
	for i := range 60 {
		in.Pipe(fmt.Sprint(i), fmt.Sprint(i%6), at(int64(i)))
	}
	final := map[string]int64{}
	for _, r := range out.ReadAll() {
		if r.Value != final[r.Key]+1 {
			t.Errorf("%s went from %d to %d", r.Key, final[r.Key], r.Value)
		}
		final[r.Key] = r.Value
	}
	total := int64(0)
	for p := range int32(3) {
		s := streamstest.Store[state.ReadOnlyKeyValue[string, state.Timestamped[int64]]](d, "counts", p)
		for e, err := range s.All() {
			if err != nil || e.Value.Value != 10 || final[e.Key] != 10 {
				t.Error(p, e, err)
			}
			total += e.Value.Value
		}
		if s.ApproximateCount() == 6 {
			t.Errorf("partition %d has all keys", p)
		}
	}
	if total != 60 {
		t.Errorf("%d counted", total)
	}
	d.Restart()
	in.Pipe("k", "0", at(100))
	expect(t, out, "0=11@100")
}

func TestFailureIsReturned(t *testing.T) {
	topology := build(t, func(b *streams.Builder) {
		s := streams.From(b, "in", text, text)
		streams.MapValues(s, func(v string) string {
			if v == "bad" {
				panic("no")
			}
			return v
		}, text).To("out")
	})
	d := streamstest.New(t, topology)
	in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, text)
	in.Pipe("a", "ok", at(1))
	err := in.TryPipe("a", "bad", at(2))
	var failure *streams.Failure
	if !errors.As(err, &failure) || failure.Record.Offset != 1 || !strings.HasPrefix(failure.Node, "KSTREAM-MAPVALUES-") {
		t.Errorf("%v", err)
	}
	if again := in.TryPipe("a", "ok", at(3)); !errors.Is(again, err) {
		t.Errorf("it goes on: %v", again)
	}
	if err := d.TryRestart(); err == nil {
		t.Error("the record is still bad")
	}
	expect(t, out, "a=ok@1")
}

func TestDeadLetters(t *testing.T) {
	for _, verdict := range []streams.Verdict{streams.Skip, streams.DeadLetter} {
		topology := build(t, func(b *streams.Builder) {
			streams.From(b, "in", text, serde.Int64()).To("out")
		})
		d := streamstest.New(t, topology, streamstest.WithConfig(streams.Config{
			DeadLetterTopic: "dead", OnFailure: func(f *streams.Failure) streams.Verdict { return verdict },
		}))
		in, out := streamstest.Input(d, "in", text, text), streamstest.Output(d, "out", text, serde.Int64())
		dead := streamstest.Output(d, "dead", text, text)
		in.Pipe("a", "short", at(1))
		in.Pipe("b", "\x00\x00\x00\x00\x00\x00\x00\x07", at(2))
		expect(t, out, "b=7@2")
		want := ""
		if verdict == streams.DeadLetter {
			want = "a=short@1"
		}
		expect(t, dead, want)
	}
}

func TestGlobalTable(t *testing.T) {
	topology := build(t, func(b *streams.Builder) {
		prices := streams.GlobalTableFrom(b, "prices", text, text, streams.Materialized("prices-store"))
		orders := streams.From(b, "orders", text, text)
		streams.JoinGlobal(orders, prices, func(_, v string) string { return v }, func(v, p string) string { return v + p }, text).To("out")
	})
	d := streamstest.New(t, topology, streamstest.WithPartitions(2))
	orders, prices := streamstest.Input(d, "orders", text, text), streamstest.Input(d, "prices", text, text)
	out := streamstest.Output(d, "out", text, text)
	orders.Pipe("1", "tea", at(1))
	for _, k := range []string{"tea", "milk", "rum", "cup"} {
		prices.Pipe(k, ":9", at(2))
	}
	orders.Pipe("1", "tea", at(3))
	d.Restart()
	orders.Pipe("2", "rum", at(4))
	prices.Tombstone("rum", at(5))
	orders.Pipe("2", "rum", at(6))
	expect(t, out, "1=tea:9@3 2=rum:9@4")
	s := streamstest.Store[state.ReadOnlyKeyValue[string, state.Timestamped[string]]](d, "prices-store")
	if v, ok, err := s.Get("milk"); v.Value != ":9" || !ok || err != nil {
		t.Error(v, ok, err)
	}
}

// upper fills a global store with other values than the topic has.
type upper struct {
	s state.KeyValueStore[string, string]
}

func (u *upper) Init(c streams.Context[struct{}, struct{}]) (err error) {
	u.s, err = streams.StoreOf[state.KeyValueStore[string, string]](c, "upper")
	return err
}

func (u *upper) Process(r streams.Record[string, string]) error {
	return u.s.Put(r.Key, strings.ToUpper(r.Value))
}
func (u *upper) Close() error { return nil }

// reading looks keys up in it.
type reading struct {
	c streams.Context[string, string]
	s state.ReadOnlyKeyValue[string, string]
}

func (u *reading) Init(c streams.Context[string, string]) (err error) {
	u.c = c
	u.s, err = streams.StoreOf[state.ReadOnlyKeyValue[string, string]](c, "upper")
	return err
}

func (u *reading) Process(r streams.Record[string, string]) error {
	v, ok, err := u.s.Get(r.Value)
	if err != nil || !ok {
		return err
	}
	r.Value = v
	return u.c.Forward(r)
}
func (u *reading) Close() error { return nil }

func TestGlobalStoreWithProcessor(t *testing.T) {
	topology := build(t, func(b *streams.Builder) {
		streams.AddGlobalStore(b, state.KeyValue("upper", text, text), "words", text, text,
			func() streams.Processor[string, string, struct{}, struct{}] { return &upper{} })
		streams.Process(streams.From(b, "in", text, text),
			func() streams.Processor[string, string, string, string] { return &reading{} }, text, text).To("out")
	})
	d := streamstest.New(t, topology, streamstest.WithPartitions(2))
	words, in := streamstest.Input(d, "words", text, text), streamstest.Input(d, "in", text, text)
	out := streamstest.Output(d, "out", text, text)
	for _, w := range []string{"a", "b", "c"} {
		words.Pipe(w, w+w, at(1))
	}
	in.Pipe("1", "b", at(2))
	d.Restart()
	in.Pipe("1", "c", at(3))
	in.Pipe("1", "d", at(4))
	expect(t, out, "1=BB@2 1=CC@3")
}
