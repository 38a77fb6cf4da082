package streams_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// Each case pipes entries into topic in, see parseEntry; want is what is in topic out in the
// end.
var stateless = []struct {
	name     string
	build    func(s *streams.Stream[string, string]) *streams.Stream[string, string]
	in, want string
}{
	{"null is the zero value to a filter", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return s.FilterNot(func(k, v string) bool { return k == "" && v != "" })
	}, "-=x k=- -=-", "k=-@0,-=-@0"},
	{"tombstones pass what maps values", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		s = streams.MapValues(s, func(v string) string { return v + "!" }, str)
		s = streams.MapValuesWithKey(s, func(k, v string) string { return k + v }, str)
		return streams.FlatMapValues(s, func(v string) []string { return []string{v, v} }, str)
	}, "k=x@1 k=-@2", "k=kx!@1,k=kx!@1,k=-@2"},
	{"flat map makes any number", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return streams.FlatMap(s, func(r streams.Record[string, string]) []streams.Record[string, string] {
			return slices.Repeat([]streams.Record[string, string]{r}, len(r.Value))
		}, str, str)
	}, "k=xy@1 k=-@2 k=z@3", "k=xy@1,k=xy@1,k=z@3"},
	{"a selected key is not null", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return streams.SelectKey(s, func(k, v string) string { return k + "/" + v }, str)
	}, "-=x k=-", "/x=x@0,k/=-@0"},
	{"split takes the first that says so", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		has := func(part string) func(string, string) bool {
			return func(_, v string) bool { return strings.Contains(v, part) }
		}
		mark := func(i int) func(string) string { return func(v string) string { return fmt.Sprint(v, i) } }
		parts := s.Split(has("a"), has("b"))
		out := streams.MapValues(parts[0], mark(0), str)
		return out.Merge(streams.MapValues(parts[1], mark(1), str)).Merge(streams.MapValues(parts[2], mark(2), str))
	}, "k=ab k=b k=c", "k=ab0@0,k=b1@0,k=c2@0"},
	{"a repartition topic drops null keys", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return s.Repartition()
	}, "-=x k=-@1 k=y@2", "k=-@1,k=y@2"},
	{"one that leads to a left join does not", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		s = streams.Map(s, func(r streams.Record[string, string]) streams.Record[string, string] { return r }, str, str)
		return streams.LeftJoinTable(s, s.ToTable(), leftOnly, str)
	}, "-=x@1", "-=x-@1"},
}

func TestStateless(t *testing.T) {
	for _, c := range stateless {
		t.Run(c.name, func(t *testing.T) {
			b := streams.NewBuilder()
			c.build(text(b, "in")).To("out")
			d := streamstest.New(t, built(t, b))
			in := streamstest.Input(d, "in", str, str)
			for _, e := range strings.Fields(c.in) {
				in.PipeRecord(parseEntry(t, e))
			}
			if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestPeekAndForeach(t *testing.T) {
	b := streams.NewBuilder()
	var seen []string
	see := func(r streams.Record[string, string]) {
		seen = append(seen, entries([]streams.Record[string, string]{r}))
	}
	s := text(b, "in").Peek(see)
	s.Foreach(see)
	s.To("out")
	d := streamstest.New(t, built(t, b))
	streamstest.Input(d, "in", str, str).Pipe("k", "v", time.UnixMilli(3))
	if want := []string{"k=v@3", "k=v@3"}; !slices.Equal(seen, want) {
		t.Errorf("saw %q", seen)
	}
	if n := streamstest.Output(d, "out", str, str).Len(); n != 1 {
		t.Errorf("%d records", n)
	}
}

func TestPartitionBy(t *testing.T) {
	b := streams.NewBuilder()
	text(b, "in").Repartition(streams.Partitions(3), streams.Named("by-value"), streams.PartitionBy(func(_, v string, n int32) int32 {
		return min(int32(v[0])-'0', n)
	})).Peek(func(streams.Record[string, string]) {}).To("out")
	skip := func(*streams.Failure) streams.Verdict { return streams.Skip }
	d := streamstest.New(t, built(t, b), streamstest.WithConfig(streams.Config{ApplicationID: "app", OnFailure: skip}))
	in := streamstest.Input(d, "in", str, str)
	in.Pipe("k", "0", time.UnixMilli(1))
	for _, wrong := range []string{"/", "9"} { // -1, and one more than there are
		in.Pipe("k", wrong, time.UnixMilli(2))
	}
	if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != "k=0@1" {
		t.Error(got)
	}
}

// A cached table sends one change of a key for each commit, with the value before.
func TestCachedTables(t *testing.T) {
	b := streams.NewBuilder()
	n := streams.Count(text(b, "in").GroupByKey(), streams.Materialized("n", streams.Cached()))
	n.ToStream().To("counts")
	total := streams.GroupTableBy(n, func(_ string, n int64) (string, int64) { return "all", n }, str, int64s)
	add := func(a, v int64) int64 { return a + v }
	numbers(streams.ReduceTable(total, add, func(a, v int64) int64 { return a - v })).To("out")
	d := streamstest.New(t, built(t, b), streamstest.WithConfig(streams.Config{ApplicationID: "app", CacheBytes: 1 << 20}),
		streamstest.WithCommitEvery(4))
	in := streamstest.Input(d, "in", str, str)
	counts, out := streamstest.Output(d, "counts", str, int64s), streamstest.Output(d, "out", str, str)
	for i, k := range []string{"a", "a", "b", "a"} {
		in.Pipe(k, "v", time.UnixMilli(int64(i)))
	}
	if got := counts.ReadAll(); len(got) != 2 || got[0].Key != "b" || got[0].Value != 1 || got[1].Value != 3 || got[1].Timestamp != 3 {
		t.Errorf("first commit: %v", got)
	}
	d.Commit()
	if got := entries(out.ReadAll()); !strings.HasSuffix(got, "all=4@3") {
		t.Errorf("total: %s", got)
	}
}
