package console

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
)

var (
	aVersion = api.SchemaVersion{Version: 2, ID: 7, Type: "AVRO", At: at0, Text: `"string"`, References: []api.SchemaReference{{Name: "a", Subject: "b", Version: 1}}, ReferencedBy: []int64{9}}
	aSubject = api.Subject{
		SubjectSummary: api.SubjectSummary{Name: "orders-value", Type: "AVRO", Versions: 2, Latest: 2, ID: 7, Compatibility: "FULL", CompatibilityOwn: true},
		Mode:           "READWRITE", GlobalCompatibility: "BACKWARD", VersionList: []api.SchemaVersion{aVersion}, Shown: aVersion, Problems: []string{"mode: away"},
	}
)

func (f *fake) Subjects(ctx context.Context, q api.SubjectQuery) (api.Page[api.SubjectSummary], error) {
	return called(f, ctx, "subjects "+queryText(q), api.Page[api.SubjectSummary]{Items: []api.SubjectSummary{aSubject.SubjectSummary}, Total: 1})
}

func (f *fake) Subject(ctx context.Context, q api.OneSubject) (api.Subject, error) {
	return called(f, ctx, "subject "+queryText(q), aSubject)
}

func (f *fake) DiffSchemas(ctx context.Context, q api.SchemaDiffQuery) (api.SchemaDiff, error) {
	return called(f, ctx, "diff "+queryText(q), api.SchemaDiff{Subject: q.Subject, From: aVersion, To: aVersion,
		Fields: []api.SchemaChange{{Kind: api.Added, Field: "a", New: "int"}}, Lines: []api.DiffLine{{Kind: "added", Text: "x", New: 1}}})
}

func (f *fake) CheckSchema(ctx context.Context, c api.SchemaCandidate) (api.SchemaChecked, error) {
	return called(f, ctx, fmt.Sprintf("check %+v", c), api.SchemaChecked{Subject: c.Subject, Level: "FULL", Said: "no", Reasons: []api.SchemaReason{{Detail: "a is gone"}}})
}

func (f *fake) SubjectUse(ctx context.Context, subject string) (api.SubjectUse, error) {
	return called(f, ctx, "use "+subject, api.SubjectUse{Subject: subject, Looked: 3, Topics: []api.TopicUse{{Topic: "orders", Part: "value", Named: true, Looked: 20, Found: 19, Versions: []int{1, 2}, Others: []int64{5}, Groups: []string{"payment"}}}})
}

func (f *fake) SetCompatibility(ctx context.Context, s api.SetCompatibility) (api.SchemaDone, error) {
	return called(f, ctx, fmt.Sprintf("set compatibility %+v", s), api.SchemaDone{Subject: s.Subject, Said: "done"})
}

func (f *fake) DeleteSchema(ctx context.Context, d api.DeleteSchema) (api.SchemaDone, error) {
	return called(f, ctx, fmt.Sprintf("delete schema %+v", d), api.SchemaDone{Subject: d.Subject, Said: "done"})
}
