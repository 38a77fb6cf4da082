package streams_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Each topology has one problem, which Build names.
var problems = []struct {
	name  string
	build func(b *streams.Builder)
	want  string
}{
	{"nothing", func(b *streams.Builder) {}, "it is empty"},
	{"serde of a source", func(b *streams.Builder) { streams.From[string, string](b, "in", nil, str) }, "KSTREAM-SOURCE-0000000000: no serde of keys"},
	{"serde of a sink", func(b *streams.Builder) {
		streams.MapValues(text(b, "in"), same, nil).To("out")
	}, "KSTREAM-SINK-0000000002: no serde of values"},
	{"serde of a store", func(b *streams.Builder) {
		streams.Aggregate(text(b, "in").GroupByKey(), empty, aggregate, nil, streams.Materialized("agg"))
	}, "store agg of KSTREAM-AGGREGATE-0000000001: no serde of values"},
	{"serde of a repartition topic", func(b *streams.Builder) {
		streams.Count(streams.GroupBy(text(b, "in"), value, nil, streams.Named("again")))
	}, "repartition topic again: no serde of keys"},
	{"function", func(b *streams.Builder) { text(b, "in").Filter(nil) }, "KSTREAM-FILTER-0000000001: no function"},
	{"names of nodes", func(b *streams.Builder) {
		text(b, "in").Filter(always, streams.Named("same")).Filter(always, streams.Named("same"))
	}, "same: there are two nodes of this name"},
	{"names of stores", func(b *streams.Builder) {
		table(b, "a", streams.Materialized("s"))
		table(b, "b", streams.Materialized("s"))
	}, "store s: there are two stores of this name"},
	{"characters", func(b *streams.Builder) { text(b, "in").To("a/b") }, `topic "a/b": only ASCII letters`},
	{"empty topic", func(b *streams.Builder) { text(b, "") }, "a topic is empty"},
	{"length", func(b *streams.Builder) { text(b, strings.Repeat("x", 250)) }, "is longer than 249"},
	{"no topic", func(b *streams.Builder) { streams.FromTopics(b, nil, str, str) }, "no topic"},
	{"topic twice in one source", func(b *streams.Builder) { streams.FromTopics(b, []string{"a", "a"}, str, str) }, "topic a is named twice"},
	{"topic as stream and table", func(b *streams.Builder) { text(b, "in"); table(b, "in") }, "topic in is read by"},
	{"topics that overlap", func(b *streams.Builder) {
		text(b, "a")
		streams.FromTopics(b, []string{"a", "b"}, str, str)
	}, "topic a is read by"},
	{"topic of two types", func(b *streams.Builder) {
		text(b, "in")
		streams.From(b, "in", str, serde.Int64())
	}, "as string/string and as string/int64"},
	{"topic from both ends", func(b *streams.Builder) {
		text(b, "in")
		streams.From(b, "in", str, str, streams.Earliest())
	}, "from different ends"},
	{"topic with two times", func(b *streams.Builder) {
		text(b, "in")
		streams.From(b, "in", str, str, streams.WithTimestamp(func(streams.Record[string, string]) int64 { return 0 }))
	}, "with different times"},
	{"topic of a global table too", func(b *streams.Builder) { text(b, "in"); streams.GlobalTableFrom(b, "in", str, str) }, "topic in is read by"},
	{"store of nobody", func(b *streams.Builder) { text(b, "in"); b.AddStore(state.KeyValue("s", str, str)) }, "store s is used by no processor"},
	{"store that is not there", func(b *streams.Builder) {
		streams.Process(text(b, "in"), newIdle, str, str, streams.Using("s"))
	}, "KSTREAM-PROCESSOR-0000000001: there is no store s"},
	{"global store as one's own", func(b *streams.Builder) {
		streams.GlobalTableFrom(b, "g", str, str, streams.Materialized("s"))
		streams.Process(text(b, "in"), newIdle, str, str, streams.Using("s"))
	}, "store s is global"},
	{"option that is not known", func(b *streams.Builder) { text(b, "in").Filter(always, streams.InMemory(), streams.Partitions(3)) }, "Filter takes no option Materialized (and its like), Partitions"},
	{"option of other types", func(b *streams.Builder) {
		streams.From(b, "in", str, str, streams.WithTimestamp(func(r streams.Record[string, int]) int64 { return 0 }))
	}, "WithTimestamp takes a func(streams.Record[string,string]) int64"},
	{"partitions", func(b *streams.Builder) { text(b, "in").Repartition(streams.Partitions(0)) }, "Partitions(0): at least 1"},
	{"partitions of joined topics", func(b *streams.Builder) {
		l := text(b, "l").Repartition(streams.Named("left"), streams.Partitions(2)).ToTable()
		r := text(b, "r").Repartition(streams.Named("right"), streams.Partitions(3))
		streams.JoinTable(r, l, last, str).To("out")
	}, "topics right and left are joined, but Partitions gives them different numbers"},
	{"two builders", func(b *streams.Builder) { text(b, "in").Merge(text(streams.NewBuilder(), "in2")) }, "connects what two builders made"},
	{"history", func(b *streams.Builder) {
		table(b, "in", streams.Versioned(-time.Second), streams.Materialized("s"))
	}, "Versioned(-1s): longer than 0"},
	{"grace without versions", func(b *streams.Builder) {
		streams.JoinTable(text(b, "in"), table(b, "t", streams.Materialized("s")), last, str, streams.Grace(time.Second))
	}, "Grace needs a versioned table, and store s is key-value"},
	{"grace beyond history", func(b *streams.Builder) {
		streams.JoinTable(text(b, "in"), table(b, "t", streams.Materialized("s"), streams.Versioned(time.Second)), last, str, streams.Grace(time.Minute))
	}, "Grace(1m0s) is longer than the history of store s, 1s"},
	{"topic as changelog", func(b *streams.Builder) {
		table(b, "in", streams.TopicIsChangelog(), streams.NotLogged(), streams.Materialized("s"))
	}, "TopicIsChangelog goes with none of"},
}

func TestBuildFindsProblems(t *testing.T) {
	for _, p := range problems {
		t.Run(p.name, func(t *testing.T) {
			b := streams.NewBuilder()
			p.build(b)
			topology, err := b.Build()
			if err == nil {
				t.Fatalf("built:\n%s", topology.Describe())
			}
			if !strings.Contains(err.Error(), p.want) {
				t.Errorf("got %v\nwant ... %s ...", err, p.want)
			}
		})
	}
}

func TestBuildNamesAllProblemsAtOnce(t *testing.T) {
	b := streams.NewBuilder()
	var want []string
	for _, p := range problems {
		if p.name == "partitions" || p.name == "characters" || p.name == "function" || p.name == "store of nobody" {
			p.build(b)
			_, part, _ := strings.Cut(p.want, ": ")
			want = append(want, part)
		}
	}
	_, err := b.Build()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v\ndoes not name %s", err, w)
		}
	}
}

func TestCopartitioned(t *testing.T) {
	b := streams.NewBuilder()
	orders := streams.SelectKey(text(b, "orders"), value, str)
	j := streams.JoinTable(orders, table(b, "customers"), last, str, streams.Named("named"))
	streams.JoinTable(j, table(b, "regions"), last, str).To("out")
	text(b, "other").To("out2")
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, sub := range topology.Plan().Subs {
		for _, group := range sub.Copartitioned {
			var names []string
			for _, topic := range group {
				names = append(names, topic.Described())
			}
			slices.Sort(names)
			got = append(got, strings.Join(names, " "))
		}
	}
	if want := []string{"customers named-repartition regions"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGraph(t *testing.T) {
	b := streams.NewBuilder()
	g := streams.GlobalTableFrom(b, "cities", str, str, streams.Materialized("cities-store"))
	streams.Count(streams.GroupBy(streams.JoinGlobal(text(b, "in"), g, value, last, str), value, str, streams.Named("again")), streams.Materialized("counts"))
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	graph := topology.Graph()
	var nodes, edges, stores, topics []string
	for _, n := range graph.Nodes {
		nodes = append(nodes, n.Name)
	}
	for _, e := range graph.Edges {
		edges = append(edges, e.From+">"+e.To)
	}
	for _, s := range graph.Stores {
		stores = append(stores, s.Name)
	}
	for _, t := range graph.Topics {
		topics = append(topics, t.Name)
	}
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"stores", stores, []string{"counts", "cities-store"}},
		{"topics", topics, []string{"in", "again-repartition", "cities"}},
		{"nodes", nodes[len(nodes)-2:], []string{"KSTREAM-SOURCE-0000000000", "KTABLE-SOURCE-0000000001"}},
		{"edges", edges[len(edges)-1:], []string{"KSTREAM-SOURCE-0000000000>KTABLE-SOURCE-0000000001"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
}
