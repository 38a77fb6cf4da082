package semantics

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/streams"
)

// versioned has joins and aggregations of tables that keep a history of a minute.
func versioned() []Case {
	keeping := func(b *streams.Builder, topic string) table {
		return streams.TableFrom(b, topic, text, text, streams.Versioned(time.Minute), streams.Materialized(topic+"-store"))
	}
	joined := func(opts ...streams.Option) func(b *streams.Builder) {
		return func(b *streams.Builder) {
			streams.LeftJoinTable(streams.From(b, "L", text, text), keeping(b, "R"), leftOr, text, opts...).To("out")
		}
	}
	waiting := joined(streams.Grace(10 * time.Millisecond))
	return []Case{
		{"versioned: a stream finds what held at its time", joined(),
			oneKey("Ra@10 Rb@20 LA@15 LB@25 LC@5 R∅@18 LD@19 LE@21 LF@9", "· · Aa@15 Bb@25 C-@5 · D-@19 Eb@21 F-@9")},
		{"versioned: and waits for it as long as it is told", waiting,
			oneKey("Ra@10 LA@15 Rb@12 LB@24 LC@25 LD@14 LE@15 Rc@35 LF@50", "· · · · Ab@15 Db@14 Eb@15 · Bb@24,Cb@25")},
		{"versioned: held back, they come in the order of their times", waiting,
			oneKey("Ra@10 LA@15 LB@15 LA@14 LZ@30 LY@20 LX@20 LW@19 LV@100", "· · · · Aa@14,Aa@15,Ba@15 Ya@20 Xa@20 Wa@19 Za@30")},
		{"versioned: tables leave out what is late", func(b *streams.Builder) {
			streams.JoinTables(keeping(b, "L"), keeping(b, "R"), both, text).ToStream().To("out")
		}, oneKey("LA@10 Ra@10 LB@9 Rb@11 R∅@5 L∅@20 LC@15", "· Aa@10 · Ab@11 · ∅@20 ·")},
		{"versioned: so does what groups them", func(b *streams.Builder) {
			by := streams.GroupTableBy(keeping(b, "R"), func(k, v string) (string, string) { return v, k }, text, text)
			toText(streams.CountTable(by)).ToStream().To("out")
		}, `
			R k=x@10 -> x=1@10
			R k=x@9
			R k=y@5
			R k=y@20 -> x=0@20 y=1@20
			R k=∅@15`},
		{"versioned: and one that is made of them, if it is not stored", func(b *streams.Builder) {
			m := streams.MapTableValues(keeping(b, "R"), strings.ToUpper, text).Filter(func(string, string) bool { return true })
			streams.JoinTables(keeping(b, "L"), m, both, text).ToStream().To("out")
		}, oneKey("LA@10 Rx@20 Ry@15 Rz@20 Rw@21", "· AX@20 · AZ@20 AW@21")},
		{"versioned: changes pass in the order in which they came", func(b *streams.Builder) {
			keeping(b, "R").ToStream().To("out")
		}, oneKey("Rx@10 Ry@5 R∅@7 Rz@100000 Rold@1", "x@10 y@5 ∅@7 z@100000 ·")},
	}
}
