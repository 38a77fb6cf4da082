package streams_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// described are topologies whose descriptions in testdata Kafka Streams 4.3.1 made.
var described = map[string]func(b *streams.Builder){
	"stateless": func(b *streams.Builder) {
		s := text(b, "in").Filter(always)
		s = streams.MapValues(s, same, str)
		s = streams.FlatMapValues(s, func(v string) []string { return []string{v} }, str)
		s.Peek(func(streams.Record[string, string]) {}).To("out")
	},
	"wordcount": func(b *streams.Builder) {
		s := streams.FlatMapValues(text(b, "text"), strings.Fields, str)
		streams.Count(streams.GroupBy(s, value, str)).ToStream().To("counts")
	},
	"grouped-reuse": func(b *streams.Builder) {
		g := streams.SelectKey(text(b, "in"), value, str).GroupByKey(streams.Named("words"))
		streams.Count(g)
		g.Reduce(last)
		streams.Aggregate(g, empty, aggregate, str, streams.Materialized("agg"))
	},
	"grouped-apart": func(b *streams.Builder) {
		g := streams.SelectKey(text(b, "in"), value, str).GroupByKey()
		streams.Count(g)
		g.Reduce(last)
		streams.Count(g, streams.Materialized("named"))
	},
	"table-joins": func(b *streams.Builder) {
		l, r := table(b, "left"), table(b, "right", streams.Materialized("right-store"))
		j := streams.JoinTables(l, r, last, str)
		third := table(b, "third")
		streams.LeftJoinTables(j, third, func(l string, _ *string) string { return l }, str, streams.Materialized("joined")).ToStream().To("out")
		m := streams.MapTableValues(j, same, str)
		o := streams.OuterJoinTables(l, m, func(*string, *string) string { return "" }, str, streams.Named("outer"))
		o.Filter(always, streams.Materialized("kept")).ToStream(streams.Named("changes")).To("out2", streams.Named("the-sink"))
	},
	"stream-table": func(b *streams.Builder) {
		t := table(b, "table")
		s := text(b, "stream")
		streams.JoinTable(s, t, last, str).To("a")
		m := streams.Map(s, func(r streams.Record[string, string]) streams.Record[string, string] { return r }, str, str)
		streams.LeftJoinTable(m, t, func(v string, _ *string) string { return v }, str).To("b")
		streams.JoinTable(m, t.Filter(always), last, str).To("c")
		streams.JoinTable(streams.SelectKey(s, value, str), t, last, str, streams.Named("enrich")).To("d")
	},
	"global": func(b *streams.Builder) {
		countries := streams.GlobalTableFrom(b, "countries", str, str)
		zones := streams.GlobalTableFrom(b, "zones", str, str, streams.Materialized("zones-store"))
		s := streams.JoinGlobal(text(b, "orders"), countries, value, last, str)
		streams.LeftJoinGlobal(s, zones, value, func(v string, _ *string) string { return v }, str).To("out")
		text(b, "other").To("out3")
	},
	"split": func(b *streams.Builder) {
		parts := text(b, "in").Split(always, always)
		parts[0].Merge(parts[1]).To("rest")
		parts[2].Foreach(func(streams.Record[string, string]) {})
	},
	"repartition": func(b *streams.Builder) {
		s := text(b, "in").Repartition(streams.Partitions(4)).Repartition(streams.Named("again"))
		s = streams.Map(s, func(r streams.Record[string, string]) streams.Record[string, string] { return r }, str, str)
		streams.MapTableValues(s.ToTable(), same, str, streams.Materialized("values")).ToStream().To("out")
		streams.FromTopics(b, []string{"x1", "x2", "another-topic"}, str, str).ToTable(streams.Named("tab"), streams.Materialized("tab-store"))
	},
	"grouped-table": func(b *streams.Builder) {
		g := streams.GroupTableBy(table(b, "users"), swap, str, str)
		streams.CountTable(g)
		streams.ReduceTable(g, last, last, streams.Materialized("reduced"))
		named := streams.GroupTableBy(table(b, "people"), swap, str, str, streams.Named("by-city"))
		streams.CountTable(named, streams.Named("counting"))
		streams.AggregateTable(named, empty, aggregate, aggregate, str)
	},
	"processors": func(b *streams.Builder) {
		b.AddStore(state.KeyValue("zebra", str, str))
		b.AddStore(state.KeyValue("alpha", str, str))
		streams.Process(text(b, "one"), newIdle, str, str, streams.Using("zebra", "alpha")).To("out")
		streams.Count(streams.Process(text(b, "two"), newIdle, str, str, streams.Named("second"), streams.Using("alpha")).GroupByKey())
		streams.Count(streams.ProcessValues(text(b, "three"), newIdle, str).GroupByKey())
	},
	"merged-sources": func(b *streams.Builder) {
		m := streams.MapValues(text(b, "same"), same, str)
		m.Merge(text(b, "same").Filter(always)).To("out")
		streams.Count(table(b, "t", streams.Materialized("t-store")).ToStream().GroupByKey())
		t := table(b, "t2", streams.Materialized("x")).FilterNot(always)
		streams.CountTable(streams.GroupTableBy(streams.MapTableValues(t, same, str), swap, str, str))
	},
}

func TestDescribeIsKafkaStreams(t *testing.T) {
	for name, build := range described {
		t.Run(name, func(t *testing.T) {
			b := streams.NewBuilder()
			build(b)
			topology, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join("testdata", "describe", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			if got := topology.Describe(); got != string(want) {
				t.Errorf("got:\n%s\nKafka Streams:\n%s", got, want)
			}
			again, err := b.Build()
			if err != nil || again.Describe() != topology.Describe() {
				t.Errorf("built twice, it is another: %v", err)
			}
		})
	}
}

// Many ways through a topology do not take its description long.
func TestDescribeManyWays(t *testing.T) {
	b := streams.NewBuilder()
	s := text(b, "in")
	for range 40 {
		parts := s.Split(always, always)
		s = parts[0].Merge(parts[1]).Merge(parts[2])
	}
	if n := strings.Count(built(t, b).Describe(), "Processor:"); n != 40*6 {
		t.Errorf("%d processors", n)
	}
}

var (
	str    = serde.String()
	int64s = serde.Int64()
)

func text(b *streams.Builder, topic string) *streams.Stream[string, string] {
	return streams.From(b, topic, str, str)
}

func table(b *streams.Builder, topic string, opts ...streams.Option) *streams.Table[string, string] {
	return streams.TableFrom(b, topic, str, str, opts...)
}

func always(string, string) bool        { return true }
func same(v string) string              { return v }
func value(_, v string) string          { return v }
func last(_, v string) string           { return v }
func empty() string                     { return "" }
func aggregate(_, v, a string) string   { return a + v }
func swap(k, v string) (string, string) { return v, k }

// idle does nothing.
type idle struct{}

func newIdle() streams.Processor[string, string, string, string] { return idle{} }

func (idle) Init(streams.Context[string, string]) error   { return nil }
func (idle) Process(streams.Record[string, string]) error { return nil }
func (idle) Close() error                                 { return nil }
