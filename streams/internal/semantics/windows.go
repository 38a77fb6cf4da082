package semantics

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/state"
)

const ms = time.Millisecond

type counts = *streams.Table[state.Windowed[string], int64]

// windowed writes a count of windows as key[start,end)=n.
func windowed(f func(g *streams.Grouped[string, string]) counts) func(b *streams.Builder) {
	return func(b *streams.Builder) {
		t := toText(f(streams.From(b, "L", text, text).GroupByKey()))
		streams.ToStreamWithKey(t, func(k state.Windowed[string], _ string) string {
			return fmt.Sprintf("%s[%d,%d)", k.Key, k.Window.Start, k.Window.End)
		}, text).To("out")
	}
}

func windows() []Case {
	count := func(w streams.Windows, opts ...streams.Option) func(b *streams.Builder) {
		return windowed(func(g *streams.Grouped[string, string]) counts { return streams.CountWindows(g, w, opts...) })
	}
	closed := func(w streams.Windows) func(b *streams.Builder) {
		return windowed(func(g *streams.Grouped[string, string]) counts {
			return streams.Suppress(streams.CountWindows(g, w), streams.UntilWindowCloses(streams.Unbounded()))
		})
	}
	// A window takes records while its end is after the stream time less the grace.
	final := `
		L k=a@1
		L k=b@14
		L k=c@9
		L j=d@15 -> k[0,10)=2@9
		L k=e@9
		L k=f@10
		L j=g@25 -> j[10,20)=1@15 k[10,20)=2@14`
	return append([]Case{
		{"tumbling", count(streams.Tumbling(10 * ms)), `
			L k=a@1 -> k[0,10)=1@1
			L k=b@9 -> k[0,10)=2@9
			L k=c@5 -> k[0,10)=3@9
			L k=d@12 -> k[10,20)=1@12
			L k=late@9
			L j=f@15 -> j[10,20)=1@15
			L j=g@20 -> j[20,30)=1@20
			L k=late@19
			L -=h@21
			L k=∅@21 -> k[20,30)=1@21`},
		{"tumbling with grace", count(streams.Tumbling(10 * ms).Grace(5 * ms)), `
			L k=a@1 -> k[0,10)=1@1
			L k=b@14 -> k[10,20)=1@14
			L k=c@9 -> k[0,10)=2@9
			L k=d@15 -> k[10,20)=2@15
			L k=late@9
			L k=f@10 -> k[10,20)=3@15`},
		{"hopping", count(streams.Hopping(10*ms, 5*ms)), `
			L k=a@7 -> k[0,10)=1@7 k[5,15)=1@7
			L k=b@12 -> k[5,15)=2@12 k[10,20)=1@12
			L k=c@6 -> k[5,15)=3@12
			L k=d@3`},
		{"sliding", count(streams.Sliding(50 * ms).Grace(300 * ms)), `
			L k=a@80 -> k[30,80)=1@80
			L k=b@92 -> k[81,131)=1@92 k[42,92)=2@92
			L k=c@124 -> k[81,131)=2@124 k[93,143)=1@124 k[74,124)=3@124
			L j=d@300 -> j[250,300)=1@300
			L k=e@20 -> k[0,50)=1@20`},
		{"suppress until windows close", closed(streams.Tumbling(10 * ms).Grace(5 * ms)), final},
		{"emit when windows close", count(streams.Tumbling(10*ms).Grace(5*ms), streams.EmitOnClose()), final},
		{"suppress until a time limit", func(b *streams.Builder) {
			t := streams.Count(streams.From(b, "L", text, text).GroupByKey())
			toText(streams.Suppress(t, streams.UntilTimeLimit(10*ms, streams.Unbounded()))).ToStream().To("out")
		}, `
			L k=a@1
			L k=b@5
			L j=c@10
			L j=d@11 -> k=2@5
			L k=e@11
			L k=f@30 -> j=2@11 k=4@30`},
		{"cogroup", func(b *streams.Builder) {
			l, r := streams.From(b, "L", text, text).GroupByKey(), streams.From(b, "R", text, text).GroupByKey()
			add := func(side string) func(_, v, a string) string {
				return func(_, v, a string) string { return a + side + v }
			}
			c := streams.AndCogroup(streams.Cogroup(l, add("l")), r, add("r"))
			c.Aggregate(func() string { return "" }, text).ToStream().To("out")
		}, `
			L k=1@1 -> k=l1@1
			R k=2@5 -> k=l1r2@5
			L k=3@2 -> k=l1r2l3@5`},
		{"windowed join of counts", func(b *streams.Builder) {
			g := streams.From(b, "L", text, text).GroupByKey()
			t := streams.AggregateWindows(g, streams.Tumbling(10*ms), func() string { return "" }, func(_, v, a string) string { return a + v }, text)
			n := toText(streams.CountWindows(g, streams.Tumbling(10*ms)))
			joined := streams.JoinTables(t, n, both, text)
			streams.ToStreamWithKey(joined, func(k state.Windowed[string], _ string) string { return k.Key + strconv.FormatInt(k.Window.Start, 10) }, text).To("out")
		}, `
			L k=a@1 -> k0=a1@1
			L k=b@5 -> k0=ab1@5 k0=ab2@5
			L k=c@10 -> k10=c1@10`},
	}, sessions()...)
}

func sessions() []Case {
	count := func(w streams.SessionWindows, opts ...streams.Option) func(b *streams.Builder) {
		return windowed(func(g *streams.Grouped[string, string]) counts { return streams.CountSessions(g, w, opts...) })
	}
	return []Case{
		{"sessions", count(streams.Sessions(5 * ms)), `
			L k=a@1 -> k[1,1)=1@1
			L k=b@6 -> k[1,1)=∅@1 k[1,6)=2@6
			L k=c@3 -> k[1,6)=∅@6 k[1,6)=3@6
			L k=d@20 -> k[20,20)=1@20
			L k=late@12
			L k=e@15 -> k[20,20)=∅@20 k[15,20)=2@20
			L j=f@14`},
		{"sessions with grace", count(streams.Sessions(5 * ms).Grace(10 * ms)), `
			L k=a@20 -> k[20,20)=1@20
			L k=b@12 -> k[12,12)=1@12
			L k=c@16 -> k[12,12)=∅@12 k[20,20)=∅@20 k[12,20)=3@20
			L k=late@4
			L k=d@5 -> k[5,5)=1@5`},
		{"suppress until sessions close", windowed(func(g *streams.Grouped[string, string]) counts {
			return streams.Suppress(streams.CountSessions(g, streams.Sessions(5*ms)), streams.UntilWindowCloses(streams.Unbounded()))
		}), `
			L k=a@1
			L k=b@6
			L j=c@10
			L j=d@11 -> k[1,6)=2@6`},
		{"emit when sessions close", count(streams.Sessions(5*ms), streams.EmitOnClose()), `
			L k=a@1
			L k=b@6
			L j=c@11
			L j=d@12 -> k[1,6)=2@6`},
	}
}

func foreign() []Case {
	key := func(v string) (string, bool) { return v[:1], v[0] != '0' }
	join := func(f func(l, r table) table) func(b *streams.Builder) {
		return func(b *streams.Builder) {
			f(streams.TableFrom(b, "L", text, text), streams.TableFrom(b, "R", text, text)).ToStream().To("out")
		}
	}
	return []Case{
		{"foreign-key inner", join(func(l, r table) table { return streams.JoinForeign(l, r, key, both, text) }), `
			L j=a1@1
			R a=X@2 -> j=a1X@2
			L k=a5@3 -> k=a5X@3
			R a=Y@4 -> j=a1Y@4 k=a5Y@4
			L j=b1@5 -> j=∅@5
			R b=Z@6 -> j=b1Z@6
			R b=∅@7 -> j=∅@7
			L j=01@8 -> j=∅@8
			L k=∅@9 -> k=∅@9`},
		{"foreign-key left", join(func(l, r table) table { return streams.LeftJoinForeign(l, r, key, leftOr, text) }), `
			L j=a1@1 -> j=a1-@1
			R a=X@2 -> j=a1X@2
			L k=a5@3 -> k=a5X@3
			R a=Y@4 -> j=a1Y@4 k=a5Y@4
			L j=b1@5 -> j=b1-@5
			R b=Z@6 -> j=b1Z@6
			R b=∅@7 -> j=b1-@7
			L j=01@8 -> j=01-@8
			L k=∅@9 -> k=∅@9`},
	}
}
