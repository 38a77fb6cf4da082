package semantics

import (
	"strings"

	"github.com/pabal-dev/pabal/streams"
)

func stateless() []Case {
	from := func(f func(s stream) stream) func(b *streams.Builder) {
		return func(b *streams.Builder) { f(streams.From(b, "L", text, text)).To("out") }
	}
	return []Case{
		{"filter", from(func(s stream) stream {
			return s.Filter(func(k, v string) bool { return v != "b" }).FilterNot(func(k, v string) bool { return v == "c" })
		}), `
			L k=a@1 -> k=a@1
			L k=b@2
			L k=c@3
			L -=d@4 -> -=d@4
			L k=∅@5 -> k=∅@5`},
		{"map", from(func(s stream) stream {
			return streams.Map(s, func(r streams.Record[string, string]) streams.Record[string, string] {
				r.Key, r.Value, r.NoKey = r.Value, r.Key, r.NoValue
				r.NoValue = false
				r.Timestamp++
				return r
			}, text, text)
		}), `
			L k=a@1 -> a=k@2
			L k=b@1 -> b=k@2`},
		{"map values", from(func(s stream) stream { return streams.MapValues(s, strings.ToUpper, text) }), `
			L k=a@1 -> k=A@1
			L -=b@2 -> -=B@2
			L k=∅@3 -> k=∅@3`},
		{"flat map values", from(func(s stream) stream {
			return streams.FlatMapValues(s, func(v string) []string { return strings.Split(v, ",") }, text)
		}), `
			L k=a,b@1 -> k=a@1 k=b@1
			L k=c@2 -> k=c@2`},
		{"select key", from(func(s stream) stream {
			return streams.SelectKey(s, func(k, v string) string { return v }, text)
		}), `
			L k=a@1 -> a=a@1
			L -=b@2 -> b=b@2`},
		{"merge", func(b *streams.Builder) {
			streams.From(b, "L", text, text).Merge(streams.From(b, "R", text, text)).To("out")
		}, `
			L k=a@2 -> k=a@2
			R k=b@1 -> k=b@1`},
		{"split", func(b *streams.Builder) {
			parts := streams.From(b, "L", text, text).Split(func(k, v string) bool { return v < "c" }, func(k, v string) bool { return v < "e" })
			for i, p := range parts {
				streams.MapValues(p, func(v string) string { return v + string(rune('1'+i)) }, text).To("out")
			}
		}, `
			L k=a@1 -> k=a1@1
			L k=d@2 -> k=d2@2
			L k=f@3 -> k=f3@3`},
		{"repartition", from(func(s stream) stream {
			return streams.SelectKey(s, func(k, v string) string { return v }, text).Repartition()
		}), `
			L k=a@5 -> a=a@5
			L k=b@1 -> b=b@1`},
		{"to chosen topics", func(b *streams.Builder) {
			streams.From(b, "L", text, text).ToTopics(func(r streams.Record[string, string]) string { return r.Value })
		}, `
			L k=out@1 -> k=out@1
			L k=R@2`},
		{"to table and back", from(func(s stream) stream { return s.ToTable().ToStream() }), `
			L k=a@5 -> k=a@5
			L k=b@1 -> k=b@1
			L k=∅@6 -> k=∅@6
			L -=c@7`},
	}
}
