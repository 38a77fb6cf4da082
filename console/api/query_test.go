package api_test

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

func pointer[T any](v T) *T { return &v }

// TestQueriesComeBack: what is written is read again, empty fields left out.
func TestQueriesComeBack(t *testing.T) {
	tests := []struct {
		q    any
		want string
	}{
		{api.TopicQuery{}, ""},
		{api.TopicQuery{PageQuery: api.PageQuery{Search: "a b&c", Limit: 5}, Internal: true}, "internal=true&limit=5&search=a+b%26c"},
		{api.MessageQuery{Topic: "t", Partition: pointer(int32(0)), From: "time:2026-01-01T00:00:00+01:00"}, "from=time%3A2026-01-01T00%3A00%3A00%2B01%3A00&partition=0&topic=t"},
		{api.RowQuery{Service: "s", RowQuery: outbox.RowQuery{Status: "FAILED", EventIDs: []string{"a,b", "c"}, After: -1}}, "after=-1&eventIds=a%2Cb&eventIds=c&service=s&status=FAILED"},
		{api.WaitingQuery{Service: "s", WaitingQuery: inbox.WaitingQuery{Offset: pointer(int64(7)), After: &inbox.Place{Topic: "t", Partition: 1, Offset: 2}}},
			"after=%7B%22topic%22%3A%22t%22%2C%22partition%22%3A1%2C%22offset%22%3A2%7D&offset=7&service=s"},
		{struct {
			Rate float64 `json:"rate"`
		}{0.5}, "rate=0.5"},
	}
	for _, test := range tests {
		values, err := api.EncodeQuery(test.q)
		if err != nil || values.Encode() != test.want {
			t.Errorf("%+v: %s, %v; want %s", test.q, values.Encode(), err, test.want)
			continue
		}
		back := reflect.New(reflect.TypeOf(test.q))
		if err := api.DecodeQuery(values, back.Interface()); err != nil || !reflect.DeepEqual(back.Elem().Interface(), test.q) {
			t.Errorf("%s became %+v, %v", test.want, back.Elem().Interface(), err)
		}
	}
}

// FuzzDecodeQuery: no parameter brings the decoder down, and every refusal is one.
func FuzzDecodeQuery(f *testing.F) {
	for _, text := range []string{"", "limit=1", "limit=x", "after={}", "after={\"topic\":1}", "partition=-1&partition=2", "offset=9223372036854775808", "payload=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		for _, q := range []any{&api.WaitingQuery{}, &api.RowQuery{}, &api.MessageQuery{}} {
			if err := api.DecodeQuery(values, q); err != nil && !errors.Is(err, api.ErrInvalid) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// TestFieldsFollowJSON: of two fields with one JSON name the outer one counts, and one
// Go name hides nothing.
func TestFieldsFollowJSON(t *testing.T) {
	names := map[string]int{}
	for _, f := range api.FieldsOf(reflect.TypeFor[api.Topic]()) {
		names[f.Name]++
	}
	for _, want := range []string{"name", "partitions", "partitionList", "config"} {
		if names[want] != 1 {
			t.Errorf("%s is there %d times: %v", want, names[want], names)
		}
	}
	type inner struct {
		A int `json:"a"`
		B int `json:"b,omitempty"`
		c int
		D int `json:"-"`
	}
	type Outer struct {
		inner
		A string `json:"a"`
		E int
	}
	var got []string
	for _, f := range api.FieldsOf(reflect.TypeFor[Outer]()) {
		got = append(got, f.Name+" "+f.Type.String())
	}
	if text := strings.Join(got, ", "); text != "b int, a string, E int" {
		t.Errorf("got %s", text)
	}
	_ = inner{}.c
}
