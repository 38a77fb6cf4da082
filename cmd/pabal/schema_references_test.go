package main

import (
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

const (
	basketSchema  = `{"type":"record","name":"Basket","namespace":"com.example","fields":[{"name":"lines","type":{"type":"array","items":"Line"}}]}`
	parcelSchema  = `{"type":"record","name":"Parcel","namespace":"com.example","fields":[{"name":"basket","type":"Basket"}]}`
	personSchema  = `{"type":"object","properties":{"home":{"$ref":"address.json"}}}`
	addressSchema = `{"type":"object","properties":{"country":{"$ref":"country.json"}}}`
)

// TestSchemaCheckReferences: what schemas refer to in the registry, over one or more of its schemas, is
// compared as a part of them.
func TestSchemaCheckReferences(t *testing.T) {
	url := registered(t, map[string]string{"country": "country.json", "line": "com.example.Line", "basket": "com.example.Basket", "address": "address.json"}, []schemaVersion{
		{"line", client.Avro, lineSchema, nil},
		{"line", client.Avro, strings.Replace(brokenSchema, `"int"`, `"int","default":1`, 1), nil},
		{"line", client.Avro, brokenSchema, nil},
		{"basket", client.Avro, basketSchema, []string{"line"}},
		{"parcel-value", client.Avro, parcelSchema, []string{"basket"}},
		{"orders-value", client.Avro, ordersSchema, []string{"line"}},
		{"country", client.JSON, `{"type":"string","maxLength":2}`, nil},
		{"address", client.JSON, addressSchema, []string{"country"}},
		{"person-value", client.JSON, personSchema, []string{"address"}},
	})
	folder := schemaFolder(t, map[string]string{
		"orders.avsc": ordersSchema, "parcel.avsc": parcelSchema, "person.json": personSchema,
		"shut/person.json":  strings.Replace(personSchema, `"home":{`, `"home":{"type":"array","items":{`, 1) + "}",
		"local/person.json": strings.Replace(personSchema, "address.json", "country.json", 1),
		"both/line.avsc":    lineSchema, "both/orders.avsc": ordersSchema,
	})
	check := func(file string, references ...string) result {
		t.Helper()
		args := []string{"schema", "check", "--registry=" + url, "--subject-by=topic"}
		for _, r := range references {
			args = append(args, "--reference="+r)
		}
		return pabal(t, append(args, filepath.Join(folder, file))...)
	}
	line, basket, address := "com.example.Line=line:1", "com.example.Basket=basket:1", "address.json=address:1"
	for _, ok := range []struct {
		file       string
		references []string
	}{
		{"orders.avsc", []string{line}},
		{"orders.avsc", []string{"com.example.Line=line:2", address}}, // of which it needs one
		{"parcel.avsc", []string{basket}},
		{"parcel.avsc", []string{basket, line}}, // the other one refers to that, too
		{"person.json", []string{address}},
		{"person.json", []string{address, line}},
		{"both", []string{line}}, // which says the same as the file
	} {
		if r := check(ok.file, ok.references...); r.code != exitOK || !strings.Contains(r.stdout, ": ok (subject ") {
			t.Errorf("%+v: %+v", ok, r)
		}
	}
	for _, breaks := range []struct{ file, reference, says string }{
		{"orders.avsc", "com.example.Line=line:3", "READER_FIELD_MISSING_DEFAULT_VALUE: the field 'quantity' at '/fields/1/type/items/fields/1'"},
		{"shut/person.json", address, "TYPE_CHANGED"},
		{"local/person.json", "country.json=country:1", "TYPE_CHANGED"},
	} {
		if r := check(breaks.file, breaks.reference); r.code != exitError || !strings.Contains(r.stdout, breaks.says) || !strings.Contains(r.stdout, ", version 1, BACKWARD)") {
			t.Errorf("%+v: %+v", breaks, r)
		}
	}
	for says, wrong := range map[string][]string{
		"names com.example.Line, which no file defines":                    {"orders.avsc"},
		"none of its references has that name":                             {"person.json"},
		"--reference: " + url + ": its reference \"com.example.Line\": ":   {"orders.avsc", "com.example.Line=line:4"},
		"which both/line.avsc and line version 2 define":                   {"both", "com.example.Line=line:2"},
		"com.example.Line, which line version 1 and line version 2 define": {"parcel.avsc", basket, "com.example.Line=line:2"},
	} {
		r := check(wrong[0], wrong[1:]...)
		if text := strings.ReplaceAll(r.stderr, folder+string(filepath.Separator), ""); r.code != exitError || r.stdout != "" || !strings.Contains(filepath.ToSlash(text), says) {
			t.Errorf("%q: %+v, want %s", wrong, r, says)
		}
	}
	if r := refusedWith(t, exitUsage, "schema", "check", "--reference="+line, "--against="+folder, folder); !strings.Contains(r.stderr, "--against asks none") {
		t.Errorf("%+v", r)
	}
}

type schemaVersion struct {
	subject, kind, text string
	refers              []string // to the first versions of subjects
}

// registered are versions in a registry, and names what a reference to a subject is called.
func registered(t *testing.T, names map[string]string, versions []schemaVersion) (url string) {
	t.Helper()
	reg, err := registry.Open(t.Context(), registry.Config{Kafka: kafkatest.Start(t).Config, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reg.Close)
	server := httptest.NewServer(reg.Handler())
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URLs: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, v := range versions {
		s := client.Schema{Type: v.kind, Text: v.text}
		for _, to := range v.refers {
			s.References = append(s.References, client.Reference{Name: names[to], Subject: to, Version: 1})
		}
		if _, err := c.Register(t.Context(), v.subject, s); err != nil {
			t.Fatalf("%+v: %v", v, err)
		}
	}
	return server.URL
}
