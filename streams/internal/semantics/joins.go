package semantics

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
)

type (
	stream = *streams.Stream[string, string]
	table  = *streams.Table[string, string]
)

var text = serde.String()

// The input of the tables of joins; late is what follows its first 13 records out of order.
const (
	inOrder = "L∅@1 R∅@2 LA@3 Ra@4 LB@5 Rb@6 L∅@7 R∅@8 LC@9 Rc@10 R∅@11 L∅@12 R∅@13 Rd@14 LD@15"
	late    = "Rd@7 LD@6 L∅@2 R∅@3 Re@14 LE@15 L∅@10 R∅@9 LF@4 Rf@3"
)

// joinCases are the input in order, and with its end out of order.
func joinCases(name string, build func(b *streams.Builder), outputs, lateOutputs string) []Case {
	first := func(s string) string { return strings.Join(strings.Fields(s)[:13], " ") }
	return []Case{
		{name, build, oneKey(inOrder, outputs)},
		{name + ", out of order", build, oneKey(first(inOrder)+" "+late, first(outputs)+" "+lateOutputs)},
	}
}

// The joiners write "-" for the side that is missing.
func both(l, r string) string { return l + r }

func leftOr(l string, r *string) string { return l + orNone(r) }

func eitherOr(l, r *string) string { return orNone(l) + orNone(r) }

func orNone(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

func joinsOfTables() []Case {
	tables := func(join func(l, r table) table) func(b *streams.Builder) {
		return func(b *streams.Builder) {
			join(streams.TableFrom(b, "L", text, text), streams.TableFrom(b, "R", text, text)).ToStream().To("out")
		}
	}
	streamAndTable := func(join func(l stream, r table) stream) func(b *streams.Builder) {
		return func(b *streams.Builder) {
			join(streams.From(b, "L", text, text), streams.TableFrom(b, "R", text, text)).To("out")
		}
	}
	const (
		outer     = "· · A-@3 Aa@4 Ba@5 Bb@6 -b@7 ∅@8 C-@9 Cc@10 C-@11 ∅@12 · -d@14 Dd@15"
		outerLate = "-d@7 Dd@7 -d@7 ∅@3 -e@14 Ee@15 -e@14 ∅@9 F-@4 Ff@4"
	)
	var all []Case
	for _, opts := range [][]streams.Option{nil, {streams.Materialized("joined")}} {
		stored := strings.Repeat(", stored", len(opts))
		all = append(all, joinCases("table-table inner"+stored, tables(func(l, r table) table {
			return streams.JoinTables(l, r, both, text, opts...)
		}), "· · · Aa@4 Ba@5 Bb@6 ∅@7 · · Cc@10 ∅@11 · · · Dd@15", "· Dd@7 ∅@7 · · Ee@15 ∅@14 · · Ff@4")...)
		all = append(all, joinCases("table-table left"+stored, tables(func(l, r table) table {
			return streams.LeftJoinTables(l, r, leftOr, text, opts...)
		}), "· · A-@3 Aa@4 Ba@5 Bb@6 ∅@7 · C-@9 Cc@10 C-@11 ∅@12 · · Dd@15", "· Dd@7 ∅@7 · · Ee@15 ∅@14 · F-@4 Ff@4")...)
		all = append(all, joinCases("table-table outer"+stored, tables(func(l, r table) table {
			return streams.OuterJoinTables(l, r, eitherOr, text, opts...)
		}), outer, outerLate)...)
	}
	all = append(all, joinCases("table-table outer, of tables without stores", func(b *streams.Builder) {
		l := streams.MapTableValues(streams.TableFrom(b, "L", text, text), func(v string) string { return v }, text)
		r := streams.TableFrom(b, "R", text, text).Filter(func(string, string) bool { return true })
		streams.OuterJoinTables(l, r, eitherOr, text, streams.Materialized("joined")).ToStream().To("out")
	}, outer, outerLate)...)
	all = append(all, joinCases("stream-table inner", streamAndTable(func(l stream, r table) stream {
		return streams.JoinTable(l, r, both, text)
	}), "· · · · Ba@5 · · · · · · · · · Dd@15", "· Dd@6 · · · Ee@15 · · · ·")...)
	all = append(all, joinCases("stream-table left", streamAndTable(func(l stream, r table) stream {
		return streams.LeftJoinTable(l, r, leftOr, text)
	}), "· · A-@3 · Ba@5 · · · C-@9 · · · · · Dd@15", "· Dd@6 · · · Ee@15 · · F-@4 ·")...)
	return append(all, globalJoins()...)
}

// globalJoins: the key of the global table is the stream's value.
func globalJoins() []Case {
	value := func(_, v string) string { return v }
	global := func(join func(s stream, g *streams.GlobalTable[string, string]) stream) func(b *streams.Builder) {
		return func(b *streams.Builder) {
			g := streams.GlobalTableFrom(b, "G", text, text)
			join(streams.From(b, "L", text, text), g).To("out")
		}
	}
	script := func(missing1, missing2 string) string {
		return `
			L k=a@1 -> ` + missing1 + `
			G a=1@9
			L k=a@2 -> k=a1@2
			L -=a@3 -> -=a1@3
			L k=∅@4
			G a=∅@9
			L k=a@5 -> ` + missing2
	}
	return []Case{
		{"stream-global inner", global(func(s stream, g *streams.GlobalTable[string, string]) stream {
			return streams.JoinGlobal(s, g, value, both, text)
		}), script("", "")},
		{"stream-global left", global(func(s stream, g *streams.GlobalTable[string, string]) stream {
			return streams.LeftJoinGlobal(s, g, value, leftOr, text)
		}), script("k=a-@1", "k=a-@5")},
	}
}

// joinsOfStreams: inner, left and outer are alike while all have met within the window.
func joinsOfStreams() []Case {
	var all []Case
	joins := map[string]func(l, r stream, w streams.JoinWindows) stream{
		"inner": func(l, r stream, w streams.JoinWindows) stream { return streams.JoinStreams(l, r, both, w, text) },
		"left":  func(l, r stream, w streams.JoinWindows) stream { return streams.LeftJoinStreams(l, r, leftOr, w, text) },
		"outer": func(l, r stream, w streams.JoinWindows) stream {
			return streams.OuterJoinStreams(l, r, eitherOr, w, text)
		},
	}
	for _, kind := range []string{"inner", "left", "outer"} {
		build := func(w streams.JoinWindows) func(b *streams.Builder) {
			return func(b *streams.Builder) {
				joins[kind](streams.From(b, "L", text, text), streams.From(b, "R", text, text), w).To("out")
			}
		}
		all = append(all, Case{"stream-stream " + kind, build(streams.JoinWithin(time.Hour)),
			oneKey(inOrder, "· · · Aa@4 Ba@5 Ab@6,Bb@6 · · Ca@9,Cb@9 Ac@10,Bc@10,Cc@10 · · · Ad@14,Bd@14,Cd@14 Da@15,Db@15,Dc@15,Dd@15")})
		all = append(all, Case{"stream-stream bounds " + kind, build(streams.JoinWithin(10 * time.Millisecond)), boundsOf(kind)})
	}
	return all
}

// boundsOf a window of 10 ms on both sides: they are inclusive. Unmatched records come with
// their own time when stream time is past the end of their window.
func boundsOf(kind string) string {
	unmatched := map[string]map[string]string{
		"inner": {},
		"left":  {"a": "k=A-@0", "c": "k=C-@45"},
		"outer": {"a": "k=A-@0", "b": "k=-b@11", "c": "k=C-@45"},
	}[kind]
	return `
		L k=A@0
		R k=b@11 -> ` + unmatched["a"] + `
		L k=B@30 -> ` + unmatched["b"] + `
		R k=c@20 -> k=Bc@30
		R k=d@40 -> k=Bd@40
		L k=C@45 -> k=Cd@45
		R k=e@34 -> k=Be@34
	`
}
