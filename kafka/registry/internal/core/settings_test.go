package core_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func TestSettings(t *testing.T) {
	w := newWorld()
	if _, ok := w.ConfigOf("s"); ok {
		t.Error("a configuration is there")
	}
	if got := w.ConfigInScope("s").Level(); got != core.Backward {
		t.Errorf("the level is %s", got)
	}
	w.setConfig(t, ":.__GLOBAL:", "compatibility", `"FULL"`)
	w.setConfig(t, ":.x:", "compatibility", `"NONE"`)
	for subject, want := range map[string]string{"s": core.Full, ":.x:s": core.None, ":.y:s": core.Full} {
		if got := w.ConfigInScope(subject).Level(); got != want {
			t.Errorf("%s: %s, want %s", subject, got, want)
		}
	}
	w.setConfig(t, "s", "normalize", "true")
	if c := w.ConfigInScope("s"); !c.Normalize() || c.Level() != core.Full {
		t.Errorf("merged: %s", c)
	}
	for name, value := range map[string]string{
		"compatibility": `"SIDEWAYS"`, "compatibilityPolicy": `"LOGICAL"`, "normalize": `"yes"`, "alias": `7`, "defaultRuleSet": `{}`, "validateFields": "true",
	} {
		if _, _, err := w.SetConfig("s", core.Config{name: []byte(value)}); err == nil {
			t.Errorf("%s=%s is taken", name, value)
		}
	}
	w.setConfig(t, "s", "alias", `"t"`)
	w.register(t, "t", record(fieldA))
	if got := w.Alias("s"); got != "t" {
		t.Errorf("the alias is %s", got)
	}
	w.setConfig(t, "s", "alias", "null")
	if got := w.Alias("s"); got != "s" {
		t.Errorf("the alias is %s", got)
	}
	old, records, err := w.DeleteConfig("s")
	if err != nil || !old.Normalize() {
		t.Errorf("deleted: %s %v", old, err)
	}
	w.apply(t, records)
	_, _, err = w.DeleteConfig("s")
	refusedWith(t, err, core.SubjectNotFound)
}

func TestRefusedSchemas(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		name    string
		request core.Request
		code    int
		want    string
	}{
		{"empty", core.Request{}, core.InvalidSchema, "Empty schema"},
		{"protobuf", core.Request{Type: "PROTOBUF", Schema: `syntax = "proto3";`}, core.InvalidSchema, "no PROTOBUF"},
		{"another type", core.Request{Type: "THRIFT", Schema: `{}`}, core.InvalidSchema, "AVRO and JSON"},
		{"default of another type", record(`{"name":"a","type":"int","default":"x"}`), core.InvalidSchema, "details"},
		{"long", core.Request{Schema: `"int"` + strings.Repeat(" ", 10_000)}, core.SchemaTooLarge, "10005 bytes"},
		{"deep", core.Request{Schema: strings.Repeat(`{"type":"array","items":`, 30) + `"int"` + strings.Repeat("}", 30)}, core.SchemaTooLarge, "deeper"},
		{"wide", core.Request{Type: core.JSON, Schema: `{"enum":[` + strings.Repeat("1,", 200) + `1]}`}, core.SchemaTooLarge, "more than 100"},
		{"choices", core.Request{Type: core.JSON, Schema: `{"anyOf":[` + strings.Repeat("{},", 20) + `{}]}`}, core.SchemaTooLarge, "branches"},
		{"version", core.Request{Schema: `"int"`, Version: 5}, core.InvalidSchema, "Version is not one more than previous version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := w.Register("s", c.request)
			refusedWith(t, err, c.code)
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the text is %s", err)
			}
		})
	}
	for _, subject := range []string{"", "*", "__GLOBAL", "a\x00b", ":.__GLOBAL:s", ":.x:"} {
		_, _, err := w.Register(subject, record())
		refusedWith(t, err, core.InvalidSubject)
	}
}
