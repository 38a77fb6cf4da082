package main

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

const (
	lineSchema   = `{"type":"record","name":"Line","namespace":"com.example","fields":[{"name":"sku","type":"string"}]}`
	ordersSchema = `{"type":"record","name":"Order","namespace":"com.example","fields":[{"name":"id","type":"string"},{"name":"lines","type":{"type":"array","items":"Line"}}]}`
	brokenSchema = `{"type":"record","name":"Line","namespace":"com.example","fields":[{"name":"sku","type":"string"},{"name":"quantity","type":"int"}]}`
)

// schemaFolder has the files, by their names.
func schemaFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestSchemaGo(t *testing.T) {
	folder := schemaFolder(t, map[string]string{"shop/orders.avsc": ordersSchema, "line.avsc": lineSchema, "README": "no schema"})
	out := filepath.Join(folder, "events", "events.go")
	if err := os.Mkdir(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	if r := pabal(t, "schema", "go", "--out="+out, folder); r.code != exitOK || r.stdout != "" || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"package events", "of shop/orders.avsc.", "Lines []Line `avro:\"lines\"`", "const OrderSchema = "} {
		if !strings.Contains(string(written), part) {
			t.Errorf("no %s in\n%s", part, written)
		}
	}
	// The files' names are those that were given; what is made of them is the same.
	r := pabal(t, "schema", "go", "--package=events", filepath.Join(folder, "shop", "orders.avsc"), filepath.Join(folder, "line.avsc"))
	if r.code != exitOK || r.stdout != strings.ReplaceAll(string(written), "shop/orders.avsc", "orders.avsc") {
		t.Errorf("%+v\n%s", r, written)
	}
	refused(t, "Name it with --package", "schema", "go", folder)
	refused(t, "no name of a package", "schema", "go", "--package=a-b", folder)
	refused(t, "which no file defines", "schema", "go", "--package=a", filepath.Join(folder, "shop"))
	refused(t, "there are no schemas", "schema", "go", "--package=a", filepath.Join(folder, "events"))
	refused(t, "no such file", "schema", "go", "--package=a", filepath.Join(folder, "none.avsc"))
}

func TestSchemaCheck(t *testing.T) {
	reg, err := registry.Open(t.Context(), registry.Config{Kafka: kafkatest.Start(t).Config, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	server := httptest.NewServer(reg.Handler())
	defer server.Close()
	c, err := client.New(client.Config{URLs: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Register(t.Context(), "com.example.Line", client.Schema{Text: lineSchema}); err != nil {
		t.Fatal(err)
	}
	folder := schemaFolder(t, map[string]string{"orders.avsc": ordersSchema, "line.avsc": lineSchema})
	r := pabal(t, "schema", "check", "--registry="+server.URL, "--subject-by=record", folder)
	if want := "line.avsc: ok (subject com.example.Line)\n"; r.code != exitOK || !strings.Contains(r.stdout, want) || !strings.Contains(r.stdout, "orders.avsc: ok, new (subject com.example.Order)\n") {
		t.Errorf("%+v, want %s", r, want)
	}
	broken := schemaFolder(t, map[string]string{"orders.avsc": ordersSchema, "line.avsc": brokenSchema})
	r = pabal(t, "schema", "check", "--registry="+server.URL, "--subject=com.example.Line", filepath.Join(broken, "line.avsc"))
	want := regexp.MustCompile(`line.avsc: not compatible \(subject com.example.Line, version 1, BACKWARD\)\n  READER_FIELD_MISSING_DEFAULT_VALUE: .*'/fields/1'.*\n$`)
	if r.code != exitError || !want.MatchString(r.stdout) || r.stderr != "pabal: 1 of 1 schemas would break those who read or write with what is there\n" {
		t.Errorf("%+v, want %s", r, want)
	}
	refused(t, "is for one file", "schema", "check", "--registry="+server.URL, "--subject=a", folder)
	refused(t, "no version", "schema", "check", "--registry="+server.URL, "--reference=a=b:c", folder)
	server.Close()
	if r := refusedWith(t, 7, "schema", "check", "--registry="+server.URL, folder); !strings.Contains(r.stderr, "does not answer") || !strings.Contains(r.stderr, "--against") {
		t.Errorf("%+v", r)
	}
	hidden := strings.Replace(server.URL, "://", "://ann:secret@", 1)
	if r := refusedWith(t, 7, "schema", "check", "--registry="+hidden, folder); strings.Contains(r.stderr, "secret") || !strings.Contains(r.stderr, "ann:xxxxx@") {
		t.Errorf("%+v", r)
	}
	refused(t, "no URL", "schema", "check", "--registry=localhost", folder)
}

func refusedWith(t *testing.T, code int, args ...string) result {
	t.Helper()
	r := pabal(t, args...)
	if r.code != code || r.stdout != "" {
		t.Errorf("%v: %+v, want exit code %d", args, r, code)
	}
	return r
}

func TestSchemaCheckAgainst(t *testing.T) {
	before := schemaFolder(t, map[string]string{"shop/orders.avsc": ordersSchema, "line.avsc": lineSchema})
	now := schemaFolder(t, map[string]string{"shop/orders.avsc": ordersSchema, "line.avsc": brokenSchema, "shop/new.json": `{"type":"object"}`})
	r := pabal(t, "schema", "check", "--output=json", "--against="+before, now)
	var got struct {
		Schemas []checkedSchema `json:"schemas"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != exitError || len(got.Schemas) != 3 {
		t.Fatalf("%+v: %v", r, err)
	}
	for i, want := range []struct {
		file            string
		compatible, new bool
	}{{"line.avsc", false, false}, {"shop/new.json", true, true}, {"shop/orders.avsc", false, false}} {
		if s := got.Schemas[i]; !strings.HasSuffix(s.File, want.file) || s.Compatible != want.compatible || s.New != want.new || s.Compatible == (len(s.Reasons) > 0) {
			t.Errorf("%+v, want %+v", s, want)
		}
	}
	if r := pabal(t, "schema", "check", "--level=FORWARD", "--against="+before, now); r.code != exitOK || strings.Count(r.stdout, ": ok (FORWARD)\n") != 2 {
		t.Errorf("%+v", r)
	}
	one := filepath.Join(now, "line.avsc")
	if r := pabal(t, "schema", "check", "--against="+filepath.Join(before, "line.avsc"), one); r.code != exitError || !strings.Contains(r.stdout, "'/fields/1'") {
		t.Errorf("%+v", r)
	}
	order := filepath.Join(now, "shop", "orders.avsc")
	if r := pabal(t, "schema", "check", "--against="+before, one, order); r.code != exitError || strings.Count(r.stdout, ": not compatible (BACKWARD)\n") != 2 {
		t.Errorf("two files, and one of them in a folder there: %+v", r)
	}
	if r := pabal(t, "schema", "check", "--against="+before, filepath.Join(now, "shop"), one); r.code != exitError || strings.Count(r.stdout, ": not compatible (BACKWARD)\n") != 2 {
		t.Errorf("a folder of a folder: %+v", r)
	}
	other := schemaFolder(t, map[string]string{"line.avsc": strings.ReplaceAll(lineSchema, "Line", "Other")})
	refused(t, "would both be compared with", "schema", "check", "--against="+before, now, other)
	refused(t, "has none of the schemas", "schema", "check", "--against="+before, filepath.Join(now, "shop", "new.json"))
	refused(t, "name a folder", "schema", "check", "--against="+one, now)
	refused(t, "--against: ", "schema", "check", "--against="+filepath.Join(now, "none"), now)
}
