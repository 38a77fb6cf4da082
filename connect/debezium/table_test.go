package debezium_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
)

func fields(s *data.Schema) string {
	if s == nil {
		return ""
	}
	var names []string
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	return s.Name + " " + strings.Join(names, ",")
}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		set        []string
		key, value string
	}{
		{nil, "shop.public.orders.Key id", "shop.public.orders.Value id,name,note"},
		{[]string{"column.include.list", `public\.orders\.(name|note)`}, "shop.public.orders.Key id", "shop.public.orders.Value name,note"},
		{[]string{"column.exclude.list", "PUBLIC.ORDERS.ID"}, "shop.public.orders.Key id", "shop.public.orders.Value name,note"},
		{[]string{"message.key.columns", "public.(.*):note,name;x.y:z"}, "shop.public.orders.Key note,name", "shop.public.orders.Value id,name,note"},
		{[]string{"message.key.columns", "public.others:note"}, "shop.public.orders.Key id", "shop.public.orders.Value id,name,note"},
		{[]string{"topic.prefix", "my-shop", "schema.name.adjustment.mode", "avro"}, "my_shop.public.orders.Key id", "my_shop.public.orders.Value id,name,note"},
	} {
		table := relational(t, c.set...).Table(orders, columns(), []string{"id"}, sourceSchema)
		if fields(table.Key) != c.key || fields(table.Value) != c.value || !table.Value.Optional || table.Key.Optional {
			t.Errorf("%v: %s, %s", c.set, fields(table.Key), fields(table.Value))
		}
	}
	table := relational(t).Table(orders, columns(), nil, sourceSchema)
	if table.Key != nil || table.KeyOf([]any{int32(1), nil, nil}) != nil {
		t.Error("a table without a primary key has a key")
	}
	if got := fields(table.Envelope); got != "shop.public.orders.Envelope before,after,source,transaction,op,ts_ms,ts_us,ts_ns" || table.Envelope.Version != 2 {
		t.Errorf("got %s", got)
	}
}

// TestMappers truncate, mask, hash and tell types; keys have the values as they are.
func TestMappers(t *testing.T) {
	row := func() []any { return []any{int32(1), "abcdef", "secret"} }
	for _, c := range []struct {
		set        []string
		values     []any
		parameters map[string]string // of the columns
	}{
		{[]string{"column.truncate.to.3.chars", "public.orders.name"}, []any{int32(1), "abc", "secret"}, map[string]string{"name": "truncateLength=3"}},
		{[]string{"column.truncate.to.30.chars", "public.orders.name"}, []any{int32(1), "abcdef", "secret"}, map[string]string{}},
		{[]string{"column.mask.with.4.chars", "public.orders.n.*"}, []any{int32(1), "****", "****"}, map[string]string{"name": "masked=true", "note": "masked=true"}},
		{[]string{"column.mask.with.4.chars", "public.orders.id"}, []any{int32(1), "abcdef", "secret"}, map[string]string{"id": "masked=true"}},
		{[]string{"column.mask.hash.v2.SHA-256.with.salt.CzQMA0cB5K", "public.orders.name"}, []any{int32(1), "4b53bd5a42", "secret"}, map[string]string{"name": "masked=true"}},
		{
			[]string{"column.propagate.source.type", "public.orders.name", "datatype.propagate.source.type", `public\.orders\.INT4`},
			row(), map[string]string{
				"id":   "__debezium.source.column.type=INT4 __debezium.source.column.name=id",
				"name": "__debezium.source.column.type=VARCHAR __debezium.source.column.length=10 __debezium.source.column.comment=who __debezium.source.column.name=name",
			},
		},
	} {
		table := relational(t, c.set...).Table(orders, columns(), []string{"id", "name"}, sourceSchema)
		given := row()
		value, key := table.ValueOf(given), table.KeyOf(given)
		if strings.Contains(c.set[0], "hash") {
			if text := value.Values[1].(string); len(text) != 10 {
				t.Errorf("%v: %q in a varchar(10)", c.set, text)
			}
			value.Values[1] = c.values[1]
		}
		if !reflect.DeepEqual(value.Values, c.values) || !reflect.DeepEqual(key.Values, []any{int32(1), "abcdef"}) {
			t.Errorf("%v: %v, key %v", c.set, value.Values, key.Values)
		}
		for _, f := range table.Value.Fields {
			var all []string
			for _, p := range f.Schema.Parameters {
				all = append(all, p.Name+"="+p.Value)
			}
			if got := strings.Join(all, " "); got != c.parameters[f.Name] {
				t.Errorf("%v: %s has %q", c.set, f.Name, got)
			}
		}
	}
}

func TestUses(t *testing.T) {
	table := relational(t, "column.exclude.list", `.*\.(id|note)`).Table(orders, columns(), []string{"id"}, sourceSchema)
	if !table.Uses(0) || !table.Uses(1) || table.Uses(2) {
		t.Error("id is in the key, name in the value, note in neither")
	}
	if v := table.ValueOf([]any{int32(1), "x", "y"}); !reflect.DeepEqual(v.Values, []any{"x"}) || table.ValueOf(nil) != nil {
		t.Errorf("got %v", v.Values)
	}
}

func TestSignalTables(t *testing.T) {
	for _, name := range []string{"public.signals", "shop.public.signals"} {
		r := relational(t, "signal.data.collection", name, "table.include.list", "public.orders")
		if want := (debezium.TableID{Schema: "public", Table: "signals"}); len(r.Signals) != 1 || r.Signals[0] != want || !r.Tables.Captured(want) {
			t.Errorf("%s is %+v", name, r.Signals)
		}
	}
}

func TestTableFilter(t *testing.T) {
	for _, c := range []struct {
		set   []string
		table string
		want  bool
	}{
		{nil, "public.orders", true},
		{nil, "pg_catalog.pg_class", false},
		{[]string{"table.ignore.builtin", "false"}, "pg_catalog.pg_class", true},
		{[]string{"table.include.list", "public.orders,public.b.*"}, "public.bills", true},
		{[]string{"table.include.list", "public.orders"}, "public.orders2", false},
		{[]string{"table.exclude.list", "public.orders"}, "public.orders", false},
		{[]string{"table.exclude.list", "public.orders"}, "public.bills", true},
		{[]string{"schema.include.list", "public", "table.include.list", ".*orders"}, "other.orders", false},
		{[]string{"schema.exclude.list", "public"}, "public.orders", false},
		{[]string{"table.include.list", "public.orders", "signal.data.collection", "public.signals"}, "public.signals", true},
	} {
		id, _ := debezium.ParseTableID(c.table, false)
		f := relational(t, c.set...).Tables
		if f.Captured(id) != c.want || f.Captured(id) != c.want {
			t.Errorf("%v: %s %t", c.set, c.table, !c.want)
		}
	}
}
