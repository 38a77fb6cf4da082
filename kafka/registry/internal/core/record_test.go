package core_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

// Keys decide what compaction keeps, so that they are to the byte those of Confluent's registry.
func TestRecords(t *testing.T) {
	w := newWorld()
	w.setConfig(t, "", "compatibility", `"FULL"`)
	w.setConfig(t, "s", "compatibility", `"none"`)
	w.setMode(t, "s", core.ReadWrite)
	w.register(t, "s", core.Request{Schema: `"int"`})
	w.register(t, ":.x:s<", core.Request{Schema: `"string"`})
	w.register(t, "s", core.Request{Type: core.JSON, Schema: `{"a":"<&>"}`})
	w.deleteVersion(t, "s", 1, false)
	w.deleteVersion(t, "s", 1, true)
	w.deleteSubject(t, "s", false)
	w.deleteSubject(t, "s", true)
	want := []string{
		`{"keytype":"CONFIG","magic":0}={"compatibilityLevel":"FULL"}`,
		`{"keytype":"CONFIG","subject":"s","magic":0}={"compatibilityLevel":"NONE","subject":"s"}`,
		`{"keytype":"MODE","subject":"s","magic":0}={"subject":"s","mode":"READWRITE"}`,
		`{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}={"subject":"s","version":1,"id":1,"schemaType":"AVRO","schema":"\"int\"","deleted":false}`,
		`{"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}={"tenant":"default","context":".x"}`,
		`{"keytype":"SCHEMA","subject":":.x:s<","version":1,"magic":1}={"subject":":.x:s<","version":1,"id":1,"schemaType":"AVRO","schema":"\"string\"","deleted":false}`,
		`{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}={"subject":"s","version":2,"id":2,"schemaType":"JSON","schema":"{\"a\":\"<&>\"}","deleted":false}`,
		`{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}={"subject":"s","version":1,"id":1,"schemaType":"AVRO","schema":"\"int\"","deleted":true}`,
		`{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}=`,
		`{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}={"subject":"s","version":2}`,
		`{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}=`,
		`{"keytype":"MODE","subject":"s","magic":0}=`,
		`{"keytype":"CONFIG","subject":"s","magic":0}=`,
		`{"keytype":"NOOP","magic":0}={"highestIds":{".":2,".x":1}}`,
	}
	for i := range max(len(want), len(w.log)) {
		got := ""
		if i < len(w.log) {
			got = fmt.Sprintf("%s=%s", w.log[i].Key, w.log[i].Value)
		}
		if i >= len(want) || got != want[i] {
			t.Errorf("record %d is %s", i, got)
		}
	}
}

// What Confluent's registry, this and older ones, has written.
func TestConfluentRecords(t *testing.T) {
	w := newWorld()
	for _, r := range [][2]string{
		{`{"keytype":"NOOP","magic":0}`, ``},
		{`{"keytype":"CONFIG","subject":null,"magic":0}`, `{"compatibilityLevel":"FORWARD"}`},
		{`{"keytype":"CONFIG","subject":"s","magic":0}`, `{"subject":"s","compatibilityLevel":"NONE","defaultMetadata":{"properties":{"a":"b"}},"offset":3,"ts":5}`},
		{`{"keytype":"MODE","subject":"t","magic":0}`, `{"mode":"READONLY"}`},
		{`{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}`, `{"subject":"s","version":1,"id":4,"schema":"\"int\"","deleted":false}`},
		{`{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}`, `{"subject":"s","version":2,"id":5,"md5":"AAECAwQFBgcICQoLDA0ODw==","schemaType":"JSON","references":[{"name":"a","subject":"b","version":1}],"metadata":null,"ruleSet":null,"schema":"{}","deleted":false,"unknown":1}`},
		{`{"keytype":"SCHEMA","subject":"t","version":1,"magic":0}`, `{"subject":"t","version":1,"id":6,"schema":"not even json"}`},
		{`{"keytype":"DELETE_SUBJECT","subject":"t","magic":0}`, `{"subject":"t","version":1}`},
		{`{"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}`, `{"tenant":"default","context":".x"}`},
		{`{"keytype":"ASSOC","tenant":"default"}`, `{"guid":"g"}`},
	} {
		value := []byte(r[1])
		if r[1] == "" {
			value = nil
		}
		w.apply(t, []core.Record{{Key: []byte(r[0]), Value: value}})
	}
	if got := w.ConfigInScope("u").Level(); got != core.Forward {
		t.Errorf("the global level is %s", got)
	}
	if m := w.ModeInScope("t"); m != core.ReadOnly {
		t.Errorf("the mode is %s", m)
	}
	v, err := w.Version("s", 2, false)
	if err != nil || v.Type != core.JSON || v.GUID() != "00010203-0405-0607-0809-0a0b0c0d0e0f" {
		t.Errorf("version 2: %+v %v", v, err)
	}
	if v, err := w.Version("t", 1, true); err != nil || !v.Deleted {
		t.Errorf("version 1 of t: %+v %v", v, err)
	}
	if c, _ := w.ConfigOf("s"); string(c.Answer()["defaultMetadata"]) == "" || len(c.Answer()) != 2 {
		t.Errorf("the configuration is %s", c.Answer())
	}
	isVersion(t, w.register(t, "s", core.Request{Schema: `"long"`}), 3, 7)

	err = w.Apply(core.Record{Key: []byte(`{"keytype":"SCHEMA","subject":"z","version":1,"magic":1}`), Value: []byte(`{"id":4,"schema":"\"bytes\""}`)}, 0)
	if err == nil {
		t.Error("an id has two schemas")
	}
	for _, r := range []core.Record{{Key: []byte("x")}, {Key: []byte(`{"keytype":"SCHEMA","subject":"z","version":1}`), Value: []byte("7")}, {Key: nil}} {
		if w.Apply(r, 0) == nil {
			t.Errorf("%s is taken", r.Key)
		}
	}
}
