package mask_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/twmb/franz-go/pkg/kgo"
)

func viewer(t testing.TB) context.Context {
	return api.WithUser(t.Context(), api.User{Name: "v", Role: api.Viewer})
}

func rules(t testing.TB, r ...mask.Rule) *mask.Rules {
	t.Helper()
	out, err := mask.New(r, "t1.")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func fields(t testing.TB, paths ...string) *mask.Rules { return rules(t, mask.Rule{Fields: paths}) }

func message(value string) api.Message {
	return record.Decode(&kgo.Record{Topic: "payments", Key: []byte("k"), Value: []byte(value)})
}

func TestFieldsAreHiddenAndAllElseIsKept(t *testing.T) {
	tests := []struct{ name, paths, value, want string }{
		{"a field", "card.number", `{"card": {"number":"4111", "cvc":1.50}}`, `{"card": {"number":"•••", "cvc":1.50}}`},
		{"bytes are kept", "b", "{\n \"z\" : 1e2,\"b\":2 , \"a\":1.000000000000000000001 }\n", "{\n \"z\" : 1e2,\"b\":\"•••\" , \"a\":1.000000000000000000001 }\n"},
		{"elements", "items[*].price", `{"items":[{"price":1},{"price":{"a":[2]}}]}`, `{"items":[{"price":"•••"},{"price":"•••"}]}`},
		{"one element", "items[1]", `{"items":[1,2,3]}`, `{"items":[1,"•••",3]}`},
		{"elements without [*]", "items.price", `{"items":[[{"price":1}]]}`, `{"items":[[{"price":"•••"}]]}`},
		{"an array at the root", "card.number", `[{"card":{"number":1}}]`, `[{"card":{"number":"•••"}}]`},
		{"at any depth", "**.password", `{"password":1,"a":{"password":2,"b":[{"password":[3]}]}}`, `{"password":"•••","a":{"password":"•••","b":[{"password":"•••"}]}}`},
		{"deep in the middle", "a.**.x", `{"x":1,"a":{"x":2,"b":{"x":3}}}`, `{"x":1,"a":{"x":"•••","b":{"x":"•••"}}}`},
		{"any field", "*.x", `{"x":1,"a":{"x":2},"b":{"c":{"x":3}}}`, `{"x":1,"a":{"x":"•••"},"b":{"c":{"x":3}}}`},
		{"another case", "card", `{"CARD":1,"Card":2}`, `{"CARD":"•••","Card":"•••"}`},
		{"an escaped name", "card", `{"c\u0061rd":1}`, `{"c\u0061rd":"•••"}`},
		{"a name twice", "a", `{"a":1,"a":2}`, `{"a":"•••","a":"•••"}`},
		{"a name with a dot", `["a.b"].c`, `{"a.b":{"c":1},"a":{"b":{"c":2}}}`, `{"a.b":{"c":"•••"},"a":{"b":{"c":2}}}`},
		{"quotes in strings", "b", `{"a":"\"b\":1,\\","b":"}{\\\""}`, `{"a":"\"b\":1,\\","b":"•••"}`},
		{"two rules", "a b.c", `{"a":{"b":1},"b":{"c":1,"d":2}}`, `{"a":"•••","b":{"c":"•••","d":2}}`},
		{"none there", "x", `{ "a" : [ ] , "b" : { } }`, `{ "a" : [ ] , "b" : { } }`},
		{"null", "a", `{"a":null}`, `{"a":"•••"}`},
		{"no JSON", "a", `a=1`, mask.Hidden},
		{"binary", "a", "\x00\xff", mask.Hidden},
		{"empty", "a", "", mask.Hidden},
		{"cut off", "a", `{"a":"secr`, mask.Hidden},
		{"JSON in a string", "a", `"{\"a\":1}"`, mask.Hidden},
		{"a number", "a", `4111`, mask.Hidden},
		{"two values", "a", `{"a":1}{"a":2}`, mask.Hidden},
		{"too deep", "**.a", strings.Repeat(`[`, 300) + `{"a":1}` + strings.Repeat(`]`, 300), mask.Hidden},
		{"far too deep", "**.a", strings.Repeat(`{"a":`, 100_000) + `1` + strings.Repeat(`}`, 100_000), mask.Hidden},
	}
	for _, tt := range tests {
		m := message(tt.value)
		fields(t, strings.Fields(tt.paths)...).Message(viewer(t), &m)
		if m.Value.Text != tt.want || m.Value.Base64 != nil || m.Value.Size != len(tt.want) {
			t.Errorf("%s: %s in %.80s became %.120s (%d)", tt.name, tt.paths, tt.value, m.Value.Text, m.Value.Size)
		}
		if changed := tt.value != tt.want; changed != (len(m.Masked) > 0) {
			t.Errorf("%s: masked names %v", tt.name, m.Masked)
		}
	}
}

func TestATombstoneStaysOne(t *testing.T) {
	m := record.Decode(&kgo.Record{Topic: "payments"})
	rules(t, mask.Rule{Fields: []string{"a"}, Keys: true}).Message(viewer(t), &m)
	if m.Value.Format != "null" || m.Key.Format != "null" || m.Masked != nil {
		t.Errorf("got %+v", m)
	}
}

func TestRulesBindByTopicAndRole(t *testing.T) {
	r := rules(t, mask.Rule{Topics: []string{"pay*"}, Fields: []string{"a"}, Reveal: api.Operator})
	tests := []struct {
		topic  string
		role   api.Role
		hidden bool
	}{
		{"payments", api.Viewer, true},
		{"payments", "", true},
		{"payments", "root", true},
		{"payments", api.Operator, false},
		{"payments", api.Admin, false},
		{"t1.payments", api.Viewer, true},
		{"t2.payments", api.Viewer, false},
		{"orders", api.Viewer, false},
	}
	for _, tt := range tests {
		ctx := api.WithUser(t.Context(), api.User{Role: tt.role})
		m := message(`{"a":1}`)
		m.Topic = tt.topic
		r.Message(ctx, &m)
		if got := m.Value.Text != `{"a":1}`; got != tt.hidden || r.Hides(ctx, tt.topic) != tt.hidden {
			t.Errorf("%+v: %s", tt, m.Value.Text)
		}
	}
	never := fields(t, "a")
	m := message(`{"a":1}`)
	never.Message(api.WithUser(t.Context(), api.User{Role: api.Admin}), &m)
	if m.Value.Text == `{"a":1}` {
		t.Error("a rule that reveals to nobody revealed to an admin")
	}
	var none *mask.Rules
	none.Message(t.Context(), &m) // hides nothing, and does not fail
}

func TestKeysAndHeaders(t *testing.T) {
	m := record.Decode(&kgo.Record{Topic: "payments", Key: []byte("customer-1"), Value: []byte("x"), Headers: []kgo.RecordHeader{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("1")}, {Key: "ce_type", Value: []byte("paid")},
		{Key: "ce_source", Value: []byte("/x")}, {Key: "ce_correlationid", Value: []byte("customer-1")},
		{Key: "Authorization", Value: []byte("secret")}, {Key: "other", Value: []byte("seen")},
	}})
	rules(t, mask.Rule{Keys: true, Headers: []string{"authorization", "ce_correlationid"}}).Message(viewer(t), &m)
	text, _ := json.Marshal(m)
	if strings.Contains(string(text), "customer-1") || strings.Contains(string(text), "secret") || !strings.Contains(string(text), "seen") {
		t.Errorf("got %s", text)
	}
	if want := []string{"header:ce_correlationid", "header:Authorization", "key"}; !slices.Equal(m.Masked, want) {
		t.Errorf("masked %v, want %v", m.Masked, want)
	}
}

func TestADeadLetterIsCoveredByTheRulesOfItsTopic(t *testing.T) {
	r := rules(t, mask.Rule{Topics: []string{"payments"}, Fields: []string{"card"}, Keys: true, Headers: []string{"token"}})
	for _, from := range []string{"payments", "t1.payments"} {
		m := record.Decode(&kgo.Record{Topic: "t1.charger.dead", Value: []byte(`{"card":4111}`), Headers: []kgo.RecordHeader{
			{Key: "pabal-topic", Value: []byte(from)}, {Key: "pabal-key-base64", Value: []byte("c2VjcmV0")},
			{Key: "pabal-raw-token", Value: []byte("base64:c2VjcmV0")},
		}})
		r.Message(viewer(t), &m)
		text, _ := json.Marshal(m)
		if strings.Contains(string(text), "4111") || strings.Contains(string(text), "c2VjcmV0") {
			t.Errorf("got %s", text)
		}
	}
}

func TestWrongRulesAreNamed(t *testing.T) {
	for _, tt := range []struct {
		rule mask.Rule
		want string
	}{
		{mask.Rule{}, "hides nothing"},
		{mask.Rule{Fields: []string{""}}, "empty"},
		{mask.Rule{Fields: []string{"a..b"}}, "empty"},
		{mask.Rule{Fields: []string{"a."}}, "empty"},
		{mask.Rule{Fields: []string{"a.**"}}, "** needs a name"},
		{mask.Rule{Fields: []string{"a[x]"}}, "[x]"},
		{mask.Rule{Fields: []string{"a[-1]"}}, "[-1]"},
		{mask.Rule{Fields: []string{"a[1"}}, "does not end"},
		{mask.Rule{Fields: []string{`["a`}}, "does not end"},
		{mask.Rule{Fields: []string{"a[0]b"}}, "dot is missing"},
		{mask.Rule{Fields: []string{"a*"}}, "a*"},
		{mask.Rule{Fields: []string{strings.Repeat("a.", 64) + "a"}}, "more than"},
		{mask.Rule{Topics: []string{"[a"}, Keys: true}, "[a"},
		{mask.Rule{Headers: []string{""}}, "headers"},
		{mask.Rule{Keys: true, Reveal: "root"}, "root"},
	} {
		_, err := mask.New([]mask.Rule{{Keys: true}, tt.rule}, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "rule 2") {
			t.Errorf("%+v: got %v", tt.rule, err)
		}
	}
}

// FuzzMasking: whatever the value, the secret is gone, and what was JSON is JSON.
func FuzzMasking(f *testing.F) {
	for _, seed := range []string{`{"secret":1}`, `[{"a":{"secret":[]}}]`, `{"s\u0065cret":"x","b":"\\"}`, `{"":{}}`, "{", "\"secret\"", `{"a":[1,{"secret":{"secret":2}},3]}`, "[1,]", `{"a" 1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		m := message(value)
		was := m.Value.Format
		fields(t, "**.secret").Message(viewer(t), &m)
		if m.Value.Text == mask.Hidden || was == "null" {
			return
		}
		var after any
		if err := json.Unmarshal([]byte(m.Value.Text), &after); err != nil {
			t.Fatalf("%q became %q: %v", value, m.Value.Text, err)
		}
		checkHidden(t, after)
	})
}

func checkHidden(t *testing.T, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if strings.EqualFold(name, "secret") && inner != mask.Hidden {
				t.Fatalf("%v is seen", inner)
			}
			checkHidden(t, inner)
		}
	case []any:
		for _, inner := range v {
			checkHidden(t, inner)
		}
	}
}

func BenchmarkMasking(b *testing.B) {
	value := `{"items":[` + strings.Repeat(`{"price":1,"name":"something","secret":"x"},`, 20_000) + `{}]}`
	r := fields(b, "**.secret", "items[*].price")
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		m := api.Message{Topic: "t", Value: api.Data{Format: "json", Text: value}}
		r.Message(b.Context(), &m)
	}
}

// TestDecodedValuesAreMasked: what was written with a schema is hidden by field, and what is wrong
// with it, which may quote it, is not told.
func TestDecodedValuesAreMasked(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Fields: []string{"card"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ format, text, want string }{
		{"json", `{"card":"4111","n":1}`, `{"card":"` + mask.Hidden + `","n":1}`}, {"json", `{"n":1}`, `{"n":1}`}, {"binary", "", mask.Hidden},
	} {
		schema := &api.DataSchema{ID: 7, Subject: "orders-value", Problem: "4111 is no card"}
		m := api.Message{Topic: "orders", Value: api.Data{Format: c.format, Text: c.text, Base64: []byte{0}, Schema: schema}}
		rules.Message(t.Context(), &m)
		if m.Value.Text != c.want || m.Value.Schema == nil || m.Value.Schema.ID != 7 || m.Value.Schema.Problem != "" || schema.Problem == "" {
			t.Errorf("%s: %+v %+v", c.text, m.Value, m.Value.Schema)
		}
	}
}
