package sourcetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Show a record on one line: topic, op, key, before and after.
func Show(r plugin.SourceRecord) string {
	value, ok := r.Value.(*data.Struct)
	if !ok {
		return fmt.Sprintf("%s tombstone %s", r.Topic, Plain(r.Key))
	}
	return fmt.Sprintf("%s %v %s %s -> %s", r.Topic, value.Get("op"), Plain(r.Key), Plain(value.Get("before")), Plain(value.Get("after")))
}

// Shown are records as Show has them.
func Shown(records []plugin.SourceRecord) []string {
	var out []string
	for _, r := range records {
		out = append(out, Show(r))
	}
	return out
}

// Plain is a value as short text.
func Plain(v any) string {
	switch v := v.(type) {
	case *data.Struct:
		if v == nil {
			return "-"
		}
		var parts []string
		for i, f := range v.Schema.Fields {
			parts = append(parts, f.Name+":"+Plain(v.Values[i]))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, Plain(one))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *data.Map:
		var parts []string
		for i := range v.Keys {
			parts = append(parts, Plain(v.Keys[i])+"="+Plain(v.Values[i]))
		}
		return "map[" + strings.Join(parts, " ") + "]"
	case []byte:
		return fmt.Sprintf("%x", v)
	case data.Decimal:
		return v.String()
	case nil:
		return "-"
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

// Field of a record's value, by the names of the structs' fields on the way.
func Field(r plugin.SourceRecord, names ...string) any {
	v := r.Value
	for _, name := range names {
		s, ok := v.(*data.Struct)
		if !ok || s == nil {
			return nil
		}
		v = s.Get(name)
	}
	return v
}

// Equal lines, or the test fails.
func Equal(t testing.TB, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
