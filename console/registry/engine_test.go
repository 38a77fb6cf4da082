package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/registry"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

const (
	orderV1 = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}`
	orderV2 = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"note","type":["null","string"],"default":null}]}`
	broken  = `{"type":"record","name":"Order","fields":[{"name":"id","type":"int"}]}`
)

func (e *env) engine() *registry.Engine {
	return registry.New(e.decoder, e.config, e.cluster, e.cluster)
}

// TestSubjects: what is in force, what is deleted, in pages.
func TestSubjects(t *testing.T) {
	e := newEnv(t)
	r, ctx := e.engine(), t.Context()
	e.register("orders-value", client.Schema{Text: orderV1})
	e.register("orders-value", client.Schema{Text: orderV2})
	e.register("a/b ?", client.Schema{Type: client.JSON, Text: `{"type":"object"}`})
	e.register("old-value", client.Schema{Text: `"int"`})
	mustDo(t, func() error {
		_, err := r.SetCompatibility(ctx, api.SetCompatibility{Subject: "orders-value", Level: "FULL"})
		return err
	})
	mustDo(t, func() error { _, err := r.DeleteSchema(ctx, api.DeleteSchema{Subject: "old-value"}); return err })

	page, err := r.Subjects(ctx, api.SubjectQuery{})
	if err != nil || names(page) != "a/b ?,orders-value" || page.Total != 2 {
		t.Fatalf("%+v %v", page, err)
	}
	if s := page.Items[1]; s.Type != "AVRO" || s.Versions != 2 || s.Latest != 2 || s.Compatibility != "FULL" || !s.CompatibilityOwn || s.Problem != "" {
		t.Errorf("%+v", s)
	}
	if s := page.Items[0]; s.Type != "JSON" || s.Compatibility != "BACKWARD" || s.CompatibilityOwn {
		t.Errorf("%+v", s)
	}
	page, err = r.Subjects(ctx, api.SubjectQuery{Deleted: true, PageQuery: api.PageQuery{Limit: 2}})
	if err != nil || names(page) != "a/b ?,old-value" || page.Next == "" || !page.Items[1].Deleted || page.Items[1].Versions != 1 {
		t.Errorf("%+v %v", page, err)
	}
	page, err = r.Subjects(ctx, api.SubjectQuery{Deleted: true, PageQuery: api.PageQuery{Cursor: page.Next, Search: "ORD"}})
	if err != nil || names(page) != "orders-value" || page.Next != "" {
		t.Errorf("%+v %v", page, err)
	}
	if _, err = r.Subjects(ctx, api.SubjectQuery{PageQuery: api.PageQuery{Limit: 501}}); !errors.Is(err, api.ErrInvalid) {
		t.Error(err)
	}
	mustDo(t, func() error {
		_, err := r.SetCompatibility(ctx, api.SetCompatibility{Subject: "orders-value"})
		return err
	})
	mustDo(t, func() error { // it follows already
		_, err := r.SetCompatibility(ctx, api.SetCompatibility{Subject: "orders-value"})
		return err
	})
	if _, err := r.SetCompatibility(ctx, api.SetCompatibility{Subject: "none"}); !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
	mustDo(t, func() error { _, err := r.SetCompatibility(ctx, api.SetCompatibility{Level: "NONE"}); return err })
	s, err := r.Subject(ctx, api.OneSubject{Subject: "orders-value"})
	if err != nil || s.Compatibility != "NONE" || s.CompatibilityOwn || s.GlobalCompatibility != "NONE" || s.Mode != "READWRITE" || len(s.Problems) > 0 {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := r.SetCompatibility(ctx, api.SetCompatibility{Subject: "orders-value", Level: "LOOSE"}); !errors.Is(err, api.ErrInvalid) {
		t.Error(err)
	}
	e.down.Store(true)
	if _, err := r.Subjects(ctx, api.SubjectQuery{}); !errors.Is(err, api.ErrUnavailable) {
		t.Error(err)
	}
}

// TestSubject: versions, references, differences, and what a candidate would break.
func TestSubject(t *testing.T) {
	e := newEnv(t)
	r, ctx := e.engine(), t.Context()
	e.register("lines-value", client.Schema{Text: `{"type":"record","name":"Line","fields":[]}`})
	e.register("orders-value", client.Schema{Text: orderV1})
	e.register("orders-value", client.Schema{Text: orderV2})
	e.register("carts-value", client.Schema{Text: `{"type":"array","items":"Line"}`, References: []client.Reference{{Name: "Line", Subject: "lines-value", Version: 1}}})
	s, err := r.Subject(ctx, api.OneSubject{Subject: "orders-value", Version: 1})
	if err != nil || s.Shown.Version != 1 || s.Shown.Text != orderV1 || len(s.VersionList) != 2 || s.VersionList[0].Version != 2 || s.VersionList[0].Text != "" || s.ID != s.VersionList[0].ID {
		t.Errorf("%+v %v", s, err)
	}
	if s, err = r.Subject(ctx, api.OneSubject{Subject: "carts-value"}); err != nil || len(s.Shown.References) != 1 {
		t.Errorf("%+v %v", s, err)
	}
	if s, err = r.Subject(ctx, api.OneSubject{Subject: "lines-value"}); err != nil || len(s.Shown.ReferencedBy) != 1 {
		t.Errorf("%+v %v", s, err)
	}
	d, err := r.DiffSchemas(ctx, api.SchemaDiffQuery{Subject: "orders-value", From: 1, To: 2})
	if err != nil || len(d.Fields) != 1 || d.Fields[0] != (api.SchemaChange{Kind: api.Added, Field: "note", New: "null or string, default null"}) || len(d.Lines) == 0 {
		t.Errorf("%+v %v", d, err)
	}
	for _, c := range []struct {
		text, says string
		version    int
	}{
		{broken, "would be refused: it breaks BACKWARD", 0}, {orderV1, "version 1 already", 0}, {strings.Replace(orderV2, "note", "hint", 1), "the next version", 0},
		{broken, "It breaks BACKWARD with version 1.", 1}, {strings.Replace(orderV2, "note", "hint", 1), "It breaks nothing of version 1 under BACKWARD.", 1},
	} {
		checked, err := r.CheckSchema(ctx, api.SchemaCandidate{Subject: "orders-value", Text: c.text, Version: c.version})
		if err != nil || !strings.Contains(checked.Said, c.says) || checked.Compatible != (len(checked.Reasons) == 0) {
			t.Errorf("%s: %+v %v", c.text, checked, err)
		}
	}
	if c, err := r.CheckSchema(ctx, api.SchemaCandidate{Subject: "orders-value", Text: "{"}); err == nil && c.Compatible {
		t.Errorf("%+v", c)
	}
	for _, bad := range []api.SchemaCandidate{{Subject: "orders-value"}, {Subject: "orders-value", Text: strings.Repeat(" ", 2<<20)}, {Subject: "orders-value", Text: orderV1, Type: "PROTOBUF"}} {
		if c, err := r.CheckSchema(ctx, bad); err == nil && c.Compatible {
			t.Errorf("%.40s: %+v", bad.Text, c)
		}
	}
	mustDo(t, func() error {
		_, err := r.DeleteSchema(ctx, api.DeleteSchema{Subject: "orders-value", Version: 1})
		return err
	})
	if s, err = r.Subject(ctx, api.OneSubject{Subject: "orders-value"}); err != nil || s.Versions != 1 || s.Latest != 2 || !s.VersionList[1].Deleted {
		t.Errorf("%+v %v", s, err)
	}
	for _, q := range []api.OneSubject{{Subject: "none"}, {Subject: "orders-value", Version: 9}, {Subject: ".."}} {
		if _, err := r.Subject(ctx, q); !errors.Is(err, api.ErrNotFound) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := r.DeleteSchema(ctx, api.DeleteSchema{Subject: "none"}); !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
}

// TestUse finds a schema by the topic's name and by ids in the records, and who reads there.
func TestUse(t *testing.T) {
	e := newEnv(t)
	r, ctx := e.engine(), t.Context()
	id, other := e.register("orders-value", client.Schema{Text: `"string"`}), e.register("com.example.Other", client.Schema{Text: `"int"`})
	c, err := kafka.NewClient(e.config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	if _, err := admin.CreateTopics(ctx, 1, 1, nil, "orders", "events", "plain"); err != nil {
		t.Fatal(err)
	}
	for _, record := range []*kgo.Record{
		{Topic: "orders", Value: wire(other, "\x02")}, {Topic: "events", Value: wire(id, "\x02a")}, {Topic: "events", Value: wire(id, "\x02b")},
		{Topic: "events", Value: wire(other, "\x02"), Key: wire(other, "\x02")}, {Topic: "plain", Value: []byte("{}")},
	} {
		if err := c.ProduceSync(ctx, record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "events", Partition: 0, At: 1, LeaderEpoch: -1})
	if err := admin.CommitAllOffsets(ctx, "billing", offsets); err != nil {
		t.Fatal(err)
	}
	use, err := r.SubjectUse(ctx, "orders-value")
	want := "[orders value true 0/1 [] others [2] read by []] [events value false 2/3 [1] others [2] read by [billing]]"
	if got := told(use); err != nil || got != want || use.Looked != 4 || use.Left != 0 || len(use.Problems) > 0 {
		t.Errorf("%s\n%s\n%+v %v", got, want, use, err)
	}
	// The fourth topic is the registry's own.
	use, err = r.SubjectUse(ctx, "com.example.Other")
	want = "[events key false 1/3 [1] others [] read by [billing]] [events value false 1/3 [1] others [1] read by [billing]] [orders value false 1/1 [1] others [] read by []]"
	if got := told(use); err != nil || got != want {
		t.Errorf("%s\n%s\n%v", got, want, err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.SubjectUse(gone, "orders-value"); err == nil {
		t.Error("it answers without having asked")
	}
}

func told(u api.SubjectUse) string {
	var all []string
	for _, t := range u.Topics {
		all = append(all, fmt.Sprintf("[%s %s %v %d/%d %v others %v read by %v]", t.Topic, t.Part, t.Named, t.Found, t.Looked, t.Versions, t.Others, t.Groups))
	}
	return strings.Join(all, " ")
}

func names(p api.Page[api.SubjectSummary]) string {
	var all []string
	for _, s := range p.Items {
		all = append(all, s.Name)
	}
	return strings.Join(slices.Clone(all), ",")
}

func mustDo(t *testing.T, do func() error) {
	t.Helper()
	if err := do(); err != nil {
		t.Fatal(err)
	}
}
