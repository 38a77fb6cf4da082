package compat_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/compat"
)

const (
	line    = `{"type":"record","name":"Line","namespace":"o","fields":[{"name":"sku","type":"string"}]}`
	order   = `{"type":"record","name":"Order","namespace":"o","fields":[{"name":"id","type":"string"},{"name":"lines","type":{"type":"array","items":"Line"}}]}`
	newLine = `{"type":"record","name":"Line","namespace":"o","fields":[{"name":"sku","type":"string"},{"name":"n","type":"int"}]}`
	person  = `{"title":"Person","type":"object","properties":{"name":{"type":"string"}}}`
	strict  = `{"title":"Person","type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["age"]}`
)

func read(t *testing.T, files ...compat.File) []compat.Schema {
	t.Helper()
	out, err := compat.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func connect(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URLs: []string{url}, RetryFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestAskAndCompare: a registry and the comparison without one say the same.
func TestAskAndCompare(t *testing.T) {
	r, err := registry.Open(t.Context(), registry.Config{Kafka: kafkatest.Start(t).Config, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	c := connect(t, server.URL)

	before := read(t, compat.File{Name: "order.avsc", Text: order}, compat.File{Name: "line.avsc", Text: line}, compat.File{Name: "person.json", Text: person})
	now := read(t, compat.File{Name: "order.avsc", Text: order}, compat.File{Name: "line.avsc", Text: newLine}, compat.File{Name: "person.json", Text: strict})
	for i, want := range []struct{ kind, place string }{
		{"READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1/type/items/fields/1"}, {"READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1"}, {"REQUIRED_PROPERTY_ADDED", "#/properties/age"},
	} {
		subject, err := compat.Subject("record", now[i])
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := compat.Ask(t.Context(), c, subject, now[i])
		if err != nil || !fresh.New || !fresh.Compatible {
			t.Errorf("%s, which nobody has registered: %+v %v", subject, fresh, err)
		}
		if _, err := c.Register(t.Context(), subject, before[i].Schema); err != nil {
			t.Fatal(err)
		}
		same, err := compat.Ask(t.Context(), c, subject, before[i])
		if err != nil || !same.Compatible || same.New || same.Reasons != nil {
			t.Errorf("%s as it is: %+v %v", subject, same, err)
		}
		asked, err := compat.Ask(t.Context(), c, subject, now[i])
		if err != nil || asked.Compatible || asked.Version != "1" || asked.Level != "BACKWARD" {
			t.Errorf("%s: %+v %v", subject, asked, err)
		}
		if !strings.Contains(strings.Join(asked.Reasons, "\n"), want.kind) || !strings.Contains(strings.Join(asked.Reasons, "\n"), want.place) {
			t.Errorf("%s: %q says nothing of %+v", subject, asked.Reasons, want)
		}
		compared, err := compat.Compare(now[i], before[i], compat.Backward)
		if err != nil || compared.Compatible || !reflect.DeepEqual(compared.Reasons, asked.Reasons) {
			t.Errorf("%s: without a registry\n%q, with one\n%q (%v)", subject, compared.Reasons, asked.Reasons, err)
		}
		if same, err := compat.Compare(before[i], before[i], compat.Full); err != nil || !same.Compatible {
			t.Errorf("%s as it is: %+v %v", subject, same, err)
		}
	}
}

func TestLevels(t *testing.T) {
	all := read(t, compat.File{Name: "1.avsc", Text: line})
	more := read(t, compat.File{Name: "2.avsc", Text: newLine})
	for level, want := range map[string]bool{compat.Backward: false, compat.Forward: true, compat.Full: false} {
		if got, err := compat.Compare(more[0], all[0], level); err != nil || got.Compatible != want || got.Level != level {
			t.Errorf("%s: %+v %v", level, got, err)
		}
	}
	other := read(t, compat.File{Name: "1.json", Text: person})
	if got, err := compat.Compare(other[0], all[0], compat.Full); err != nil || got.Compatible || !strings.Contains(got.Reasons[0], "AVRO") {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := compat.Compare(all[0], all[0], "NONE"); !errors.Is(err, compat.ErrLevel) {
		t.Error(err)
	}
}

// TestConfluentsAnswer is one of Confluent's registry, 7.9.
func TestConfluentsAnswer(t *testing.T) {
	messages := []string{
		`{errorType:'TYPE_MISMATCH', description:'The type (path '/fields/0/type') of a field in the new schema does not match with the old schema', additionalInfo:'reader type: INT not compatible with writer type: STRING'}`,
		`{oldSchemaVersion: 3}`, `{oldSchema: '{"type":"record"}'}`, `{validateFields: 'false', compatibility: 'FULL'}`, "something else",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = client.Registered{Subject: "s", Version: 3, ID: 7, Schema: client.Schema{Text: `[{"type":"array","items":"Lost"}]`}}
		if r.Method == http.MethodPost {
			answer = map[string]any{"is_compatible": false, "messages": messages}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	got, err := compat.Ask(t.Context(), connect(t, server.URL), "s", read(t, compat.File{Name: "a.avsc", Text: line})[0])
	want := compat.Result{Level: "FULL", Version: "3", Reasons: []string{
		"TYPE_MISMATCH: The type (path '/fields/0/type') of a field in the new schema does not match with the old schema (reader type: INT not compatible with writer type: STRING)",
		"something else",
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v (%v)", got, want, err)
	}
	server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := compat.Ask(ctx, connect(t, server.URL), "s", compat.Schema{}); !errors.Is(err, client.ErrUnavailable) {
		t.Error(err)
	}
}

// TestReasons leaves out what is beside the reasons, and nothing else.
func TestReasons(t *testing.T) {
	got := compat.Reasons([]string{
		`{errorType:'TYPE_MISMATCH', description:'the type at '/fields/1' differs', additionalInfo:'reader type: STRING'}`,
		` {errorType:"NAME_MISMATCH", description:"other"}`, `{errorType:what}`, "in words", `{oldSchemaVersion: 2}`, `{oldSchema: '"int"'}`,
		`{validateFields: 'false', compatibility: 'BACKWARD'}`, `{compatibility: 'FULL'}`,
	})
	want := []string{"TYPE_MISMATCH: the type at '/fields/1' differs (reader type: STRING)", "NAME_MISMATCH: other", "{errorType:what}", "in words"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestNew: only the registry's word makes a subject new, not any 404.
func TestNew(t *testing.T) {
	var answer string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	s := read(t, compat.File{Name: "a.avsc", Text: line})[0]
	for text, isNew := range map[string]bool{
		`{"error_code":40401,"message":"Subject 's' not found."}`: true,
		`{"error_code":40402,"message":"Version -1 not found."}`:  true,
		`{"error_code":404,"message":"HTTP 404 Not Found"}`:       false,
		`{"message":"no Route matched with those values"}`:        false,
		`<html><body>404</body></html>`:                           false,
		`{"error_code":40403,"message":"Schema 99 not found"}`:    false,
	} {
		answer = text
		if got, err := compat.Ask(t.Context(), connect(t, server.URL), "s", s); got.New != isNew || (err == nil) != isNew {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
}

// TestReadReferring: a reference that cannot be read is named.
func TestReadReferring(t *testing.T) {
	var answer client.Registered
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(answer) }))
	t.Cleanup(server.Close)
	reference := client.Reference{Name: "o.Line", Subject: "line", Version: 1}
	for says, schema := range map[string]client.Schema{
		"line version 1 is PROTOBUF": {Type: "PROTOBUF", Text: "message Line {}"},
		"refers to itself":           {Text: line, References: []client.Reference{reference}},
		"too large":                  {Text: strings.Repeat(" ", 2<<20)},
		"line version 1: not JSON":   {Text: "{"},
		"":                           {Text: line},
	} {
		answer = client.Registered{Subject: "line", Version: 1, ID: 1, Schema: schema}
		got, err := compat.ReadReferring(t.Context(), connect(t, server.URL), []client.Reference{reference}, []compat.File{{Name: "order.avsc", Text: order}})
		if says == "" && (err != nil || got[0].References != nil || !strings.Contains(got[0].Text, `"sku"`)) {
			t.Errorf("%+v %v", got, err)
		}
		if says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%v, want %s", err, says)
		}
	}
}

func TestRead(t *testing.T) {
	for says, f := range map[string]compat.File{
		"a.txt: its name":   {Name: "a.txt", Text: line},
		"a.avsc: not JSON":  {Name: "a.avsc", Text: "{"},
		"a.avsc names o.Li": {Name: "a.avsc", Text: order},
		"a.avsc: ":          {Name: "a.avsc", Text: `{"type":"enum","name":"E","symbols":["a","a"]}`},
		"a.json: ":          {Name: "a.json", Text: `{"type":7}`},
		"nested deeper":     {Name: "a.json", Text: strings.Repeat(`{"not":`, 500) + "{}" + strings.Repeat("}", 500)},
	} {
		if _, err := compat.Read([]compat.File{f}); !errors.Is(err, compat.ErrSchema) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	s := read(t, compat.File{Name: "shop/orders.avsc", Text: line}, compat.File{Name: "n.avsc", Text: `"int"`})
	for rule, want := range map[string]string{"file": "orders", "topic": "orders-value", "record": "o.Line"} {
		if got, err := compat.Subject(rule, s[0]); got != want || err != nil {
			t.Errorf("%s: %q %v", rule, got, err)
		}
	}
	for _, rule := range []string{"record", "other"} {
		if got, err := compat.Subject(rule, s[1]); err == nil {
			t.Errorf("%s: %q", rule, got)
		}
	}
}
