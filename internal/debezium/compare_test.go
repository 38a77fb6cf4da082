package debezium

import (
	"regexp"
	"strings"
	"testing"
)

func TestBlankLeavesAllElseAsItIs(t *testing.T) {
	for value, want := range map[string]string{
		`{"op":"c", "ts_ms":12,"source":{"version":"3.6","ts_ms":5,"snapshot":"false"}}`:        `{"op":"c", "ts_ms":0,"source":{"version":0,"ts_ms":5,"snapshot":"false"}}`,
		`{"schema":{"ts_ms":1},"payload":{"ts_ms":null,"source":{"snapshot":"first","lsn":7}}}`: `{"schema":{"ts_ms":1},"payload":{"ts_ms":0,"source":{"snapshot":"first","lsn":0}}}`,
		`{"after":{"ts_ms":3,"lsn":4},"before":[{"ts_us":1}]}`:                                  `{"after":{"ts_ms":3,"lsn":4},"before":[{"ts_us":1}]}`,
		`not JSON`: `not JSON`,
	} {
		if got := string(Blank([]byte(value))); got != want {
			t.Errorf("%s becomes %s, want %s", value, got, want)
		}
	}
}

func TestDifferencesAreFound(t *testing.T) {
	record := func(key, value string, headers ...Header) Record {
		r := Record{Key: []byte(key), Headers: headers}
		if value != "" {
			r.Value = []byte(value)
		}
		return r
	}
	a := record(`{"id":1}`, `{"op":"c","after":{"id":1,"name":"a"}}`)
	tests := map[string]struct {
		reference, ours []Record
		want            string
	}{
		"none":    {[]Record{a}, []Record{a}, ""},
		"missing": {[]Record{a, a}, []Record{a}, "the reference has 2 records, ours 1"},
		"content": {[]Record{a}, []Record{record(`{"id":1}`, `{"op":"c","after":{"id":1,"name":"b"}}`)}, `value: after.name: the reference has "a", ours "b"`},
		"order":   {[]Record{a}, []Record{record(`{"id":1}`, `{"op":"c","after":{"name":"a","id":1}}`)}, "from byte"},
		"null":    {[]Record{a}, []Record{record(`{"id":1}`, "")}, "ours null"},
		"key":     {[]Record{a}, []Record{record(`{"id":2}`, `{"op":"c","after":{"id":1,"name":"a"}}`)}, "key: id: the reference has 1, ours 2"},
		"header":  {[]Record{record("1", "", Header{"a", []byte("b")})}, []Record{record("1", "")}, "the headers [a=b], ours []"},
	}
	for name, tt := range tests {
		got := strings.Join(Differences(Topics{"t": tt.reference}, Topics{"t": tt.ours}), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q in it", name, got, tt.want)
		}
	}
}

func TestKnownDifferencesAreLeftOut(t *testing.T) {
	topics := Topics{"m.a": {{Value: []byte(`{"after":{"x":1,"y":2}}`)}}, "m.b": {{}}}
	got := topics.Without("m", []Known{
		{Topic: "a", Paths: regexp.MustCompile(`after\.x$`)}, {Topic: "b"}, {Mode: "n", Topic: "a"}, {Topic: "c"},
	})
	if len(got) != 1 || string(got["m.a"][0].Value) != `{"after":{"x":0,"y":2}}` {
		t.Errorf("left are %v", got)
	}
	if string(topics["m.a"][0].Value) != `{"after":{"x":1,"y":2}}` {
		t.Error("the topics themselves are changed")
	}
}
