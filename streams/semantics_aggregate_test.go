package streams_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// Each case pipes "key=value@time" into topic in; "-" is null. What comes of each, key by
// key, is in want.
var aggregations = []struct {
	name     string
	build    func(b *streams.Builder)
	in, want string
}{
	{"count leaves nulls out, and keeps the highest time", func(b *streams.Builder) {
		numbers(streams.Count(text(b, "in").GroupByKey())).To("out")
	}, "a=x@5 a=-@6 -=x@7 a=y@3 b=z@1", "a=1@5 · · a=2@5 b=1@1"},
	{"reduce begins with the first value", func(b *streams.Builder) {
		text(b, "in").GroupByKey().Reduce(concat).ToStream().To("out")
	}, "a=x@5 a=y@9 b=- a=z@2", "a=x@5 a=xy@9 · a=xyz@9"},
	{"aggregate by another key goes through a topic", func(b *streams.Builder) {
		g := streams.GroupBy(text(b, "in"), func(_, v string) string { return v[:min(1, len(v))] }, str)
		streams.Aggregate(g, func() string { return "!" }, func(k, v, a string) string { return a + k + v }, str).ToStream().To("out")
	}, "k=x1@1 -=x2@2 k=y@3", "x=!xx1@1 x=!xx1xx2@2 y=!yy@3"},
	{"a table's count subtracts what moved", func(b *streams.Builder) {
		numbers(streams.CountTable(streams.GroupTableBy(table(b, "in"), swap, str, str))).To("out")
	}, "u=X@1 v=X@2 u=Y@3 u=Y@4 v=-@5 v=-@6", "X=1@1 X=2@2 X=1@3,Y=1@3 Y=1@4 X=0@5 ·"},
	{"a table's reduce subtracts and adds", func(b *streams.Builder) {
		g := streams.GroupTableBy(table(b, "in"), func(_, v string) (string, string) { return v[:1], v }, str, str)
		streams.ReduceTable(g, concat, func(a, v string) string { return strings.Replace(a, v, "", 1) }).ToStream().To("out")
	}, "u=X1@1 v=X2@9 u=X3@3 v=-@4", "X=X1@1 X=X1X2@9 X=X2X3@9 X=X3@9"},
	{"a filtered table tells only of what was there", func(b *streams.Builder) {
		table(b, "in", streams.Materialized("s")).Filter(func(_, v string) bool { return v != "x" }).ToStream().To("out")
	}, "a=x@1 a=y@2 a=x@3 a=x@4 a=-@5 a=z@1 a=-@6", "· a=y@2 a=-@3 · · a=z@1 a=-@6"},
	{"an unstored one tells of all", func(b *streams.Builder) {
		table(b, "in").Filter(func(_, v string) bool { return v != "x" }).ToStream().To("out")
	}, "a=x@1 a=y@2 -=y@2 a=x@3 a=-@5", "a=-@1 a=y@2 · a=-@3 a=-@5"},
	{"a stored filter looks at itself", func(b *streams.Builder) {
		t := table(b, "in", streams.Materialized("s")).FilterNot(func(_, v string) bool { return v == "x" }, streams.Materialized("kept"))
		streams.MapTableValues(t, strings.ToUpper, str, streams.Materialized("upper")).ToStream().To("out")
	}, "a=x@1 a=y@2 a=x@3 a=-@4", "· a=Y@2 a=-@3 ·"},
	{"a stream becomes a table of its last values", func(b *streams.Builder) {
		s := streams.Map(text(b, "in"), func(r streams.Record[string, string]) streams.Record[string, string] {
			r.Key = strings.ToUpper(r.Key)
			return r
		}, str, str)
		t := s.ToTable(streams.Materialized("t"))
		streams.MapTableValuesWithKey(t, func(k, v string) string { return k + v }, str).ToStream().To("out")
	}, "a=x@1 -=y@2 a=z@1 a=-@3", "A=Ax@1 · A=Az@1 A=-@3"},
}

func TestAggregations(t *testing.T) {
	for _, a := range aggregations {
		t.Run(a.name, func(t *testing.T) {
			b := streams.NewBuilder()
			a.build(b)
			topology, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			d := streamstest.New(t, topology)
			in, out := streamstest.Input(d, "in", str, str), streamstest.Output(d, "out", str, str)
			wants := strings.Fields(a.want)
			for i, record := range strings.Fields(a.in) {
				in.PipeRecord(parseEntry(t, record))
				if got := entries(out.ReadAll()); got != wants[i] {
					t.Errorf("input %d, %s: got %s, want %s", i+1, record, got, wants[i])
				}
			}
		})
	}
}

// Records pass with their headers through everything that has one for each.
func TestHeadersPass(t *testing.T) {
	b := streams.NewBuilder()
	s := streams.MapValues(text(b, "in").Filter(always), same, str)
	numbers(streams.Count(s.GroupByKey())).To("out")
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology)
	want := kgo.RecordHeader{Key: "trace", Value: []byte("7")}
	streamstest.Input(d, "in", str, str).PipeRecord(streams.Record[string, string]{Key: "k", Value: "v", Headers: []kgo.RecordHeader{want}})
	got := streamstest.Output(d, "out", str, str).Read().Headers
	if len(got) != 1 || got[0].Key != want.Key || string(got[0].Value) != "7" {
		t.Errorf("headers %v", got)
	}
}

func TestJoinGlobal(t *testing.T) {
	b := streams.NewBuilder()
	g := streams.GlobalTableFrom(b, "cities", str, str)
	s := text(b, "in")
	streams.JoinGlobal(s, g, value, both, str).To("inner")
	streams.LeftJoinGlobal(s, g, value, leftOnly, str).To("left")
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology)
	streamstest.Input(d, "cities", str, str).Pipe("B", "Berlin", time.UnixMilli(50))
	in, inner, left := streamstest.Input(d, "in", str, str), streamstest.Output(d, "inner", str, str), streamstest.Output(d, "left", str, str)
	for _, c := range []struct{ in, inner, left string }{
		{"k=B@1", "k=BBerlin@1", "k=BBerlin@1"}, // the stream's time
		{"k=C@2", "·", "k=C-@2"},
		{"-=B@3", "-=BBerlin@3", "-=BBerlin@3"}, // the key is not what is looked up
		{"k=-@4", "·", "·"},
	} {
		in.PipeRecord(parseEntry(t, c.in))
		if i, l := entries(inner.ReadAll()), entries(left.ReadAll()); i != c.inner || l != c.left {
			t.Errorf("%s: got %s and %s, want %s and %s", c.in, i, l, c.inner, c.left)
		}
	}
}

// A table's topic may be its changelog: a restart restores what was read of it.
func TestTopicIsChangelog(t *testing.T) {
	b := streams.NewBuilder()
	cities := table(b, "cities", streams.TopicIsChangelog(), streams.Materialized("cities-store"))
	streams.LeftJoinTable(text(b, "in"), cities, leftOnly, str).To("out")
	d := streamstest.New(t, built(t, b))
	c, in := streamstest.Input(d, "cities", str, str), streamstest.Input(d, "in", str, str)
	c.Pipe("k", "Berlin", time.UnixMilli(1))
	c.Pipe("gone", "x", time.UnixMilli(1))
	c.Tombstone("gone", time.UnixMilli(2))
	d.Restart()
	in.Pipe("k", "v", time.UnixMilli(3))
	in.Pipe("gone", "v", time.UnixMilli(4))
	if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != "k=vBerlin@3,gone=v-@4" {
		t.Error(got)
	}
	if topics := strings.Join(d.Topics(), " "); strings.Contains(topics, "changelog") {
		t.Errorf("topics %s", topics)
	}
}

// numbers are a table's changes as text.
func numbers(t *streams.Table[string, int64]) *streams.Stream[string, string] {
	return streams.MapValues(t.ToStream(), func(n int64) string { return fmt.Sprint(n) }, serde.String())
}

func concat(a, b string) string { return a + b }

// parseEntry reads key=value@time; "-" is null, the time 0 unless given.
func parseEntry(t *testing.T, entry string) (r streams.Record[string, string]) {
	entry, at, timed := strings.Cut(entry, "@")
	if timed {
		if _, err := fmt.Sscan(at, &r.Timestamp); err != nil {
			t.Fatalf("%q: %v", entry, err)
		}
	}
	r.Key, r.Value, _ = strings.Cut(entry, "=")
	if r.NoKey = r.Key == "-"; r.NoKey {
		r.Key = ""
	}
	if r.NoValue = r.Value == "-"; r.NoValue {
		r.Value = ""
	}
	return r
}

func entries(records []streams.Record[string, string]) string {
	if len(records) == 0 {
		return "·"
	}
	var out []string
	for _, r := range records {
		if r.NoKey {
			r.Key = "-"
		}
		if r.NoValue {
			r.Value = "-"
		}
		out = append(out, fmt.Sprintf("%s=%s@%d", r.Key, r.Value, r.Timestamp))
	}
	return strings.Join(out, ",")
}

// What processing skipped is not in the table after a restart either.
func TestTopicIsChangelogLeavesOutWhatCannotBeDecoded(t *testing.T) {
	b := streams.NewBuilder()
	counts := streams.TableFrom(b, "counts", str, serde.Int64(), streams.TopicIsChangelog(), streams.InMemory(), streams.Materialized("counts-store"))
	streams.LeftJoinTable(text(b, "in"), counts, func(_ string, n *int64) string {
		if n == nil {
			return "none"
		}
		return fmt.Sprint(*n)
	}, str).To("out")
	d := streamstest.New(t, built(t, b), streamstest.WithConfig(streams.Config{
		OnFailure: func(*streams.Failure) streams.Verdict { return streams.Skip },
	}))
	good, bad := streamstest.Input(d, "counts", str, serde.Int64()), streamstest.Input(d, "counts", str, str)
	good.Pipe("a", 1, time.UnixMilli(1))
	bad.Pipe("a", "one", time.UnixMilli(2))
	bad.Pipe("b", "two", time.UnixMilli(2))
	d.Restart()
	in := streamstest.Input(d, "in", str, str)
	in.Pipe("a", "v", time.UnixMilli(3))
	in.Pipe("b", "v", time.UnixMilli(4))
	if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != "a=1@3,b=none@4" {
		t.Error(got)
	}
}
