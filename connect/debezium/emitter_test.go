package debezium_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// place is a position that tells its name.
type place string

func (place) Partition() map[string]any { return nil }
func (p place) Offset() map[string]any  { return map[string]any{"at": string(p)} }

var sourceSchema = debezium.SourceSchema("Source")

func definition() config.Definition {
	return config.Definition{
		Keys:     append(debezium.CommonKeys(), debezium.RelationalKeys()...),
		Patterns: append(debezium.CommonPatterns(), debezium.RelationalPatterns()...),
	}
}

func relational(t *testing.T, set ...string) *debezium.Relational {
	t.Helper()
	given := map[string]string{"topic.prefix": "shop"}
	for i := 0; i < len(set); i += 2 {
		given[set[i]] = set[i+1]
	}
	v, err := definition().Must(given)
	if err != nil {
		t.Fatal(err)
	}
	r, err := debezium.NewRelational(v, debezium.Database{Schemas: true, System: func(id debezium.TableID) bool { return id.Schema == "pg_catalog" }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var orders = debezium.TableID{Schema: "public", Table: "orders"}

func columns() []debezium.Column {
	text := data.OptionalOf(data.String)
	return []debezium.Column{
		{Name: "id", Schema: data.Of(data.Int32), TypeName: "int4", Length: debezium.Unset, Scale: debezium.Unset},
		{Name: "name", Schema: text, TypeName: "varchar", Length: 10, Scale: debezium.Unset, Text: true, Comment: "who"},
		{Name: "note", Schema: text, TypeName: "text", Length: debezium.Unset, Scale: debezium.Unset, Text: true},
	}
}

// lines are records in short: key, value, position and headers.
func lines(t *testing.T, records []plugin.SourceRecord) []string {
	t.Helper()
	var json converter.JSON
	var out []string
	for _, r := range records {
		key, err := json.Encode("", r.KeySchema, r.Key)
		if err != nil {
			t.Fatal(err)
		}
		line := string(key) + " "
		if s, ok := r.Value.(*data.Struct); ok {
			line += s.Get("op").(string)
			for _, field := range []string{"before", "after"} {
				b, _ := json.Encode("", data.OptionalOf(data.StructType), s.Get(field))
				line += string(b)
			}
		}
		line += fmt.Sprint(" @", r.At)
		for _, h := range r.Headers {
			value, _ := json.Encode("", h.Schema, h.Value)
			line += " " + h.Key + "=" + string(value)
		}
		out = append(out, line)
	}
	return out
}

func expect(t *testing.T, records []plugin.SourceRecord, want ...string) {
	t.Helper()
	if got := lines(t, records); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRecordsOfChanges(t *testing.T) {
	r := relational(t, "extended.headers.enabled", "false")
	table := r.Table(orders, columns(), []string{"id"}, sourceSchema)
	e := debezium.NewEmitter(r.Settings, debezium.ContextHeaders(r.Settings, "postgresql", "0", "run"), place("start"))
	e.Now(time.UnixMilli(1))
	change := func(op debezium.Op, before, after []any, at string) []plugin.SourceRecord {
		return e.Append(nil, &debezium.Change{Op: op, Table: table, Before: before, After: after, At: place(at)})
	}
	row := func(id int32) []any { return []any{id, "x", nil} }
	expect(t, change(debezium.Create, nil, row(1), "a"), `{"id":1} cnull{"id":1,"name":"x","note":null} @a`)
	expect(t, change(debezium.Read, nil, row(1), "a"), `{"id":1} rnull{"id":1,"name":"x","note":null} @a`)
	expect(t, change(debezium.Update, nil, row(1), "b"), `{"id":1} unull{"id":1,"name":"x","note":null} @b`)
	expect(t, change(debezium.Update, row(1), row(2), "c"),
		`{"id":1} d{"id":1,"name":"x","note":null}null @b __debezium.newkey={"id":2}`,
		`{"id":1}  @b __debezium.newkey={"id":2}`,
		`{"id":2} cnull{"id":2,"name":"x","note":null} @c __debezium.oldkey={"id":1}`)
	expect(t, change(debezium.Delete, row(2), nil, "d"),
		`{"id":2} d{"id":2,"name":"x","note":null}null @c`,
		`{"id":2}  @d`)
	expect(t, change(debezium.Truncate, nil, nil, "e")) // skipped
	expect(t, change(debezium.Create, nil, row(3), "f"), `{"id":3} cnull{"id":3,"name":"x","note":null} @f`)
}

func TestSkippedAndHeaders(t *testing.T) {
	r := relational(t, "skipped.operations", "d,u", "tombstones.on.delete", "false", "skip.messages.without.change", "true")
	table := r.Table(orders, columns(), []string{"id"}, sourceSchema)
	e := debezium.NewEmitter(r.Settings, debezium.ContextHeaders(r.Settings, "postgresql", "0", "run"), nil)
	const context = " __debezium.context.connectorLogicalName=\"shop\" __debezium.context.taskId=\"0\" __debezium.context.connectorName=\"postgresql\" __debezium.context.runId=\"run\""
	expect(t, e.Append(nil, &debezium.Change{Op: debezium.Truncate, Table: table, At: place("a")}), ` tnullnull @a`+context)
	expect(t, e.Append(nil, &debezium.Change{Op: debezium.Update, Table: table, Before: []any{int32(1), nil, nil}, After: []any{int32(2), nil, nil}, At: place("b")}),
		`{"id":2} cnull{"id":2,"name":null,"note":null} @b __debezium.oldkey={"id":1}`+context)
	expect(t, e.Append(nil, &debezium.Change{Op: debezium.Delete, Table: table, Before: []any{int32(1), nil, nil}, At: place("c")}))

	r = relational(t, "skip.messages.without.change", "true", "column.exclude.list", `.*\.note`, "extended.headers.enabled", "false")
	table = r.Table(orders, columns(), []string{"id"}, sourceSchema)
	e = debezium.NewEmitter(r.Settings, nil, nil)
	expect(t, e.Append(nil, &debezium.Change{Op: debezium.Update, Table: table, Before: []any{int32(1), "a", "b"}, After: []any{int32(1), "a", "c"}, At: place("d")}))
	expect(t, e.Append(nil, &debezium.Change{Op: debezium.Update, Table: table, Before: []any{int32(1), "a", "b"}, After: []any{int32(1), "b", "c"}, At: place("e")}),
		`{"id":1} u{"id":1,"name":"a"}{"id":1,"name":"b"} @e`)
}

// TestTransactions across a restart.
func TestTransactions(t *testing.T) {
	r := relational(t, "provide.transaction.metadata", "true", "extended.headers.enabled", "false")
	table := r.Table(orders, columns(), []string{"id"}, sourceSchema)
	other := r.Table(debezium.TableID{Schema: "public", Table: "other"}, columns(), []string{"id"}, sourceSchema)
	e := debezium.NewEmitter(r.Settings, nil, nil)
	out := e.Transactions.Begin(nil, "7:1", time.UnixMilli(5), place("a"))
	change := func(table *debezium.Table) {
		out = e.Append(out, &debezium.Change{Op: debezium.Create, Table: table, After: []any{int32(1), nil, nil}, At: place("b")})
	}
	change(table)
	change(other)
	offset := map[string]any{}
	e.Transactions.State().Put(offset)
	if got := fmt.Sprint(offset); got != "map[transaction_data_collection_order_public.orders:1 transaction_data_collection_order_public.other:1 transaction_id:7:1]" {
		t.Errorf("stored %s", got)
	}
	e = debezium.NewEmitter(r.Settings, nil, nil)
	e.Transactions.Restore(offset)
	out = e.Transactions.Begin(out, "7:1", time.UnixMilli(5), place("a")) // again, after the restart
	change(table)
	out = e.Transactions.End(out, time.UnixMilli(6), place("c"))
	out = e.Transactions.End(out, time.UnixMilli(6), place("c"))
	var json converter.JSON
	var got []string
	for _, r := range out {
		var value any = r.Value.(*data.Struct)
		if r.Topic != "shop.transaction" {
			value = r.Value.(*data.Struct).Get("transaction")
		}
		b, err := json.Encode("", nil, value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	want := []string{
		`{"status":"BEGIN","id":"7:1","event_count":null,"data_collections":null,"ts_ms":5}`,
		`{"id":"7:1","total_order":1,"data_collection_order":1}`,
		`{"id":"7:1","total_order":2,"data_collection_order":1}`,
		`{"id":"7:1","total_order":3,"data_collection_order":2}`,
		`{"status":"END","id":"7:1","event_count":3,"data_collections":[{"data_collection":"public.orders","event_count":2},{"data_collection":"public.other","event_count":1}],"ts_ms":6}`,
	}
	if len(got) == len(want) { // the order of the two tables is that of Java's HashMap
		got[4] = strings.Replace(got[4], `{"data_collection":"public.other","event_count":1},{"data_collection":"public.orders","event_count":2}`, `{"data_collection":"public.orders","event_count":2},{"data_collection":"public.other","event_count":1}`, 1)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// TestRecordsAreCheap: a key, two values and an envelope per update, and nothing besides.
func TestRecordsAreCheap(t *testing.T) {
	r := relational(t)
	table := r.Table(orders, columns(), []string{"id"}, sourceSchema)
	e := debezium.NewEmitter(r.Settings, debezium.ContextHeaders(r.Settings, "postgresql", "0", "run"), nil)
	e.Now(time.UnixMilli(1))
	c := debezium.Change{Op: debezium.Update, Table: table, Before: []any{int32(1), "a", nil}, After: []any{int32(1), "b", nil}, At: place("a")}
	out := make([]plugin.SourceRecord, 0, 4)
	if n := testing.AllocsPerRun(100, func() { out = e.Append(out[:0], &c) }); n > 4 {
		t.Errorf("%.0f allocations", n)
	}
	blocks := debezium.NewSourceBlocks(sourceSchema, "postgresql", "shop")
	if n := testing.AllocsPerRun(100, func() { blocks.New(time.UnixMilli(1), debezium.NoSnapshot, "shop") }); n > 2 {
		t.Errorf("%.0f allocations of a source block", n)
	}
}
