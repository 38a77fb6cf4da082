package semantics

import (
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/streams"
)

// numbers are written as text, so that all outputs are.
func toText[K any](t *streams.Table[K, int64]) *streams.Table[K, string] {
	return streams.MapTableValues(t, func(n int64) string { return strconv.FormatInt(n, 10) }, text)
}

func aggregates() []Case {
	value := func(_, v string) string { return v }
	appended := func(_, v, a string) string { return a + v }
	without := func(_, v, a string) string { return strings.Replace(a, v, "", 1) }
	none := func() string { return "" }
	return append(countCases(), []Case{
		{"reduce", func(b *streams.Builder) {
			streams.From(b, "L", text, text).GroupByKey().Reduce(func(a, v string) string { return a + v }).ToStream().To("out")
		}, `
			L k=a@3 -> k=a@3
			L k=b@1 -> k=ab@3
			L k=∅@9
			L j=c@2 -> j=c@2
			L k=d@5 -> k=abd@5`},
		{"aggregate", func(b *streams.Builder) {
			streams.Aggregate(streams.From(b, "L", text, text).GroupByKey(), func() string { return "0" }, appended, text).ToStream().To("out")
		}, `
			L k=a@3 -> k=0a@3
			L -=a@3
			L k=b@1 -> k=0ab@3`},
		{"count a table by its values", func(b *streams.Builder) {
			t := streams.TableFrom(b, "L", text, text)
			toText(streams.CountTable(streams.GroupTableBy(t, func(k, v string) (string, string) { return v, k }, text, text))).ToStream().To("out")
		}, `
			L j=x@1 -> x=1@1
			L k=x@2 -> x=2@2
			L k=y@3 -> x=1@3 y=1@3
			L k=y@4 -> y=1@4
			L j=∅@5 -> x=0@5
			L k=z@1 -> y=0@4 z=1@1
			L -=z@9`},
		{"aggregate a table", func(b *streams.Builder) {
			t := streams.TableFrom(b, "L", text, text)
			g := streams.GroupTableBy(t, func(k, v string) (string, string) { return v[:1], v[1:] }, text, text)
			streams.AggregateTable(g, none, appended, without, text).ToStream().To("out")
		}, `
			L j=ax@1 -> a=x@1
			L k=ay@2 -> a=xy@2
			L j=bx@3 -> a=y@3 b=x@3
			L k=∅@4 -> a=@4`},
		{"reduce a table", func(b *streams.Builder) {
			t := streams.TableFrom(b, "L", text, text)
			g := streams.GroupTableBy(t, func(k, v string) (string, string) { return "all", v }, text, text)
			streams.ReduceTable(g, func(a, v string) string { return a + v }, func(a, v string) string { return strings.Replace(a, v, "", 1) }).ToStream().To("out")
		}, `
			L j=x@1 -> all=x@1
			L k=y@2 -> all=xy@2
			L j=z@3 -> all=yz@3
			L j=∅@4 -> all=y@4`},
		{"filter a table", func(b *streams.Builder) {
			streams.TableFrom(b, "L", text, text).Filter(func(k, v string) bool { return v != "no" }).ToStream().To("out")
		}, `
			L k=a@1 -> k=a@1
			L k=no@2 -> k=∅@2
			L k=∅@3 -> k=∅@3
			L -=b@4`},
		{"count by value through a topic", func(b *streams.Builder) {
			g := streams.GroupBy(streams.From(b, "L", text, text), value, text)
			toText(streams.Count(g)).ToStream().To("out")
		}, `
			L k=x@5 -> x=1@5
			L j=x@3 -> x=2@5
			L -=x@9 -> x=3@9
			L j=∅@9`},
	}...)
}

func countCases() []Case {
	script := `
		L k=a@5 -> k=1@5
		L k=b@3 -> k=2@5
		L k=∅@7
		L -=c@8
		L j=c@1 -> j=1@1
		L k=d@9 -> k=3@9`
	count := func(opts ...streams.Option) func(b *streams.Builder) {
		return func(b *streams.Builder) {
			toText(streams.Count(streams.From(b, "L", text, text).GroupByKey(), opts...)).ToStream().To("out")
		}
	}
	return []Case{
		{"count", count(), script},
		{"count in memory", count(streams.InMemory()), script},
		{"count without a changelog", count(streams.NotLogged()), script},
	}
}
