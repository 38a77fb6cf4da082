package pages_test

import (
	"context"

	"github.com/pabal-dev/pabal/console/api"
)

var (
	schemaVersions = []api.SchemaVersion{
		{Version: 2, ID: 7, Type: "AVRO", At: before(60), References: []api.SchemaReference{{Name: "com.example.Line", Subject: "lines-value", Version: 1}}, ReferencedBy: []int64{9}},
		{Version: 1, ID: 5, Type: "AVRO", Deleted: true},
	}
	subject = api.Subject{
		SubjectSummary: api.SubjectSummary{Name: "shop.orders-value", Type: "AVRO", Versions: 2, Latest: 2, ID: 7, Compatibility: "FULL", CompatibilityOwn: true},
		Mode:           "READWRITE", GlobalCompatibility: "BACKWARD", VersionList: schemaVersions, Older: 3, Problems: []string{"mode: the registry is away"},
	}
)

func (f fake) Subjects(ctx context.Context, _ api.SubjectQuery) (api.Page[api.SubjectSummary], error) {
	return answer(ctx, f, page(subject.SubjectSummary, api.SubjectSummary{Name: "old-value", Type: "JSON", Versions: 1, Latest: 1, ID: 3, Compatibility: "BACKWARD", Deleted: true, Problem: "it is slow"}))
}

func (f fake) Subject(ctx context.Context, q api.OneSubject) (api.Subject, error) {
	s := subject
	s.Name, s.Shown = q.Subject, schemaVersions[0]
	s.Shown.Text = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}`
	return answer(ctx, f, s)
}

func (f fake) DiffSchemas(ctx context.Context, q api.SchemaDiffQuery) (api.SchemaDiff, error) {
	return answer(ctx, f, api.SchemaDiff{
		Subject: q.Subject, From: schemaVersions[1], To: schemaVersions[0], More: true, Cut: true,
		Fields: []api.SchemaChange{{Kind: api.Added, Field: "note", New: "null or string, default null"}, {Kind: api.Removed, Field: "gone", Old: "int"}},
		Lines:  []api.DiffLine{{Kind: "gap", Text: "9 lines are the same"}, {Kind: "removed", Text: "gone-line", Old: 10}, {Kind: "added", Text: "new-line", New: 10}, {Kind: "same", Text: "}", Old: 11, New: 11}},
	})
}

func (f fake) CheckSchema(context.Context, api.SchemaCandidate) (api.SchemaChecked, error) {
	panic("a page acts")
}

func (f fake) SubjectUse(ctx context.Context, subject string) (api.SubjectUse, error) {
	return answer(ctx, f, api.SubjectUse{
		Subject: subject, Looked: 3, Left: 1, Problems: []string{"groups: away"},
		Topics: []api.TopicUse{{Topic: "shop.orders", Part: "value", Named: true, Looked: 20, Found: 19, Versions: []int{1, 2}, Others: []int64{5}, Groups: []string{"shop.payment"}}, {Topic: "shop.paid", Part: "key", Looked: 20}},
	})
}

func (f fake) SetCompatibility(context.Context, api.SetCompatibility) (api.SchemaDone, error) {
	panic("a page acts")
}

func (f fake) DeleteSchema(context.Context, api.DeleteSchema) (api.SchemaDone, error) {
	panic("a page acts")
}
