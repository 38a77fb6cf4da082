package debezium_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// TestAdjusters against what Debezium 3.6.1 makes of the names.
func TestAdjusters(t *testing.T) {
	for _, want := range [][5]string{ // name, schemas avro and avro_unicode, fields avro and avro_unicode
		{"a.b", "a.b", "a.b", "a_b", "a_u002eb"},
		{"1ab", "_1ab", "_u0031ab", "_1ab", "_u0031ab"},
		{"a-b", "a_b", "a_u002db", "a_b", "a_u002db"},
		{"_a", "_a", "_u005fa", "_a", "_u005fa"},
		{"éx", "_x", "_u00e9x", "_x", "_u00e9x"},
		{"a b.c", "a_b.c", "a_u0020b.c", "a_b_c", "a_u0020b_u002ec"},
		{"😀", "__", "_ud83d_ude00", "__", "_ud83d_ude00"},
		{"a.1b", "a.1b", "a.1b", "a_1b", "a_u002e1b"},
		{"āx", "_x", "_u101x", "_x", "_u101x"},
		{".a", "_a", "_u002ea", "_a", "_u002ea"},
	} {
		got := [5]string{
			want[0], debezium.SchemaAdjuster("avro").Adjust(want[0]), debezium.SchemaAdjuster("AVRO_UNICODE").Adjust(want[0]),
			debezium.FieldAdjuster("avro").Adjust(want[0]), debezium.FieldAdjuster("avro_unicode").Adjust(want[0]),
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if same := debezium.SchemaAdjuster("none").Adjust(want[0]); same != want[0] {
			t.Errorf("none makes %q of %q", same, want[0])
		}
	}
}

// TestTopics against what Debezium 3.6.1 names them.
func TestTopics(t *testing.T) {
	for _, c := range []struct {
		id   debezium.TableID
		want [3]string // by the strategies schema, default, schema with unicode
	}{
		{debezium.TableID{Catalog: "c", Schema: "s", Table: "t"}, [3]string{"shop.s.t", "shop.c.t", "shop.s.t"}},
		{debezium.TableID{Schema: "s", Table: "t_x"}, [3]string{"shop.s.t_x", "shop.t_x", "shop.s.t_u005fx"}},
		{debezium.TableID{Catalog: "c", Table: "t y"}, [3]string{"shop.t_y", "shop.c.t_y", "shop.t_u0020y"}},
		{debezium.TableID{Schema: " ", Table: "é"}, [3]string{"shop._", "shop._", "shop._u00e9"}},
		{debezium.TableID{Schema: "s", Table: "a$b#c"}, [3]string{"shop.s.a_b_c", "shop.a_b_c", "shop.s.a_u0024b_u0023c"}},
	} {
		for i, strategy := range []string{debezium.SchemaStrategy, debezium.DefaultStrategy, debezium.SchemaUnicodeStrategy} {
			if got := (debezium.Naming{Prefix: "shop", Strategy: strategy}).Changes(c.id); got != c.want[i] {
				t.Errorf("%s by %s is %q, want %q", c.id, strategy, got, c.want[i])
			}
		}
	}
	n := debezium.Naming{Prefix: "shop"}
	if n.Heartbeat() != "__debezium-heartbeat.shop" || n.Transactions() != "shop.transaction" || n.SchemaChanges() != "shop" {
		t.Errorf("got %s, %s, %s", n.Heartbeat(), n.Transactions(), n.SchemaChanges())
	}
	if long := n.Changes(debezium.TableID{Schema: "s", Table: strings.Repeat("x", 300)}); len(long) != 249 {
		t.Errorf("%d bytes", len(long))
	}
	if n := (debezium.Naming{Prefix: "shop", Delimiter: "-", HeartbeatName: "beats"}); n.Heartbeat() != "beats" || n.Transactions() != "shop-transaction" {
		t.Errorf("got %s, %s", n.Heartbeat(), n.Transactions())
	}
}

func TestParseTableID(t *testing.T) {
	for text, want := range map[string]debezium.TableID{
		"a.b.c":    {Catalog: "a", Schema: "b", Table: "c"},
		"a.b":      {Schema: "a", Table: "b"},
		" a ":      {Table: "a"},
		`"a.b".c`:  {Schema: "a.b", Table: "c"},
		"`x.y`.z":  {Schema: "x.y", Table: "z"},
		`a."b""c"`: {Schema: "a", Table: `b"c`},
		`"a"`:      {Table: "a"},
		"a..b":     {},
		".a":       {},
		"a.":       {},
		"":         {},
		`"a`:       {},
		`"a"b`:     {},
		"a.b.c.d":  {},
	} {
		if got, ok := debezium.ParseTableID(text, false); got != want || ok != (want.Table != "") {
			t.Errorf("%s is %+v, %t", text, got, ok)
		}
	}
	if got, _ := debezium.ParseTableID("a.b", true); got != (debezium.TableID{Catalog: "a", Table: "b"}) {
		t.Errorf("got %+v", got)
	}
}
