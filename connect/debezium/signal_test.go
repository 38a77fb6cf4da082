package debezium_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
)

func TestActions(t *testing.T) {
	for _, c := range []struct {
		kind, data string
		want       debezium.Action
		wrong      string
	}{
		{"execute-snapshot", `{"data-collections":[" public.a ","public.b.*"],"type":"incremental","additional-conditions":[{"data-collection":"public.a","filter":"x=1"}],"surrogate-key":"y"}`,
			debezium.ExecuteSnapshot{Tables: []string{"public.a", "public.b.*"}, Conditions: []debezium.Condition{{Tables: "public.a", Filter: "x=1"}}, SurrogateKey: "y"}, ""},
		{"execute-snapshot", `{"data-collections":["a"],"type":"BLOCKING"}`, debezium.ExecuteSnapshot{Tables: []string{"a"}, Blocking: true}, ""},
		{"execute-snapshot", `{}`, nil, "data-collections is missing"},
		{"execute-snapshot", ``, nil, "data-collections is missing"},
		{"execute-snapshot", `{"data-collections":["a"],"type":"other"}`, nil, `no snapshot of type "other"`},
		{"execute-snapshot", `{"data-collections":["a(?=b)"]}`, nil, "a lookahead (?=…) is not supported"},
		{"execute-snapshot", `{"data-collections":`, nil, "no JSON"},
		{"stop-snapshot", `{"type":"incremental"}`, debezium.StopSnapshot{}, ""},
		{"pause-snapshot", ``, debezium.PauseSnapshot{}, ""},
		{"resume-snapshot", `{}`, debezium.ResumeSnapshot{}, ""},
		{"log", `{"message":"at {}"}`, debezium.LogMessage{Message: "at {}"}, ""},
		{"log", `{}`, nil, "message is missing"},
		{"schema-changes", `{"database":"d","schema":"s","changes":[]}`, debezium.SchemaChanges{Database: "d", Schema: "s", Changes: []byte("[]")}, ""},
		{"snapshot-window-open", `anything`, debezium.OpenWindow{ID: "7"}, ""},
		{"dance", ``, nil, "no such type"},
	} {
		got, err := debezium.Signal{ID: "7", Type: c.kind, Data: c.data}.Action()
		if c.wrong == "" && (err != nil || !reflect.DeepEqual(got, c.want)) {
			t.Errorf("%s %s: %+v, %v", c.kind, c.data, got, err)
		}
		if c.wrong != "" && (!errors.Is(err, debezium.ErrSignal) || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s %s: %v, want %q", c.kind, c.data, err, c.wrong)
		}
	}
}

func TestSignalOfRow(t *testing.T) {
	s, ok := debezium.SignalOfRow(debezium.Create, nil, []any{"1", "log", `{"message":"x"}`})
	if !ok || s != (debezium.Signal{ID: "1", Type: "log", Data: `{"message":"x"}`}) {
		t.Errorf("got %+v, %t", s, ok)
	}
	s, ok = debezium.SignalOfRow(debezium.Delete, []any{"c-open", nil, nil}, nil)
	if a, err := s.Action(); !ok || err != nil || a != (debezium.CloseWindow{ID: "c-close"}) {
		t.Errorf("a deleted mark is %+v, %v", a, err)
	}
	for _, row := range [][]any{nil, {"1"}, {"1", nil, nil}} {
		if s, ok := debezium.SignalOfRow(debezium.Create, nil, row); ok {
			t.Errorf("%v is %+v", row, s)
		}
	}
	if _, ok := debezium.SignalOfRow(debezium.Update, []any{"1", "log", ""}, []any{"1", "log", ""}); ok {
		t.Error("an update is a signal")
	}
}

func TestSignalOfRecord(t *testing.T) {
	for value, want := range map[string]debezium.Signal{
		`{"type":"log","data":{"message":"x"}}`:                {Type: "log", Data: `{"message":"x"}`},
		`{"id":"9","type":"log","data":"{\"message\":\"x\"}"}`: {ID: "9", Type: "log", Data: `{"message":"x"}`},
	} {
		s, ok, err := debezium.SignalOfRecord("shop", []byte("shop"), []byte(value))
		if !ok || err != nil || s != want {
			t.Errorf("%s: %+v, %t, %v", value, s, ok, err)
		}
	}
	if _, ok, err := debezium.SignalOfRecord("shop", []byte("other"), nil); ok || err != nil {
		t.Error("another connector's signal", err)
	}
	if _, _, err := debezium.SignalOfRecord("shop", []byte("shop"), nil); !errors.Is(err, debezium.ErrSignal) {
		t.Error(err)
	}
}
