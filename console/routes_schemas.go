package console

import (
	"cmp"
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
)

type subjectPath struct {
	Subject string `json:"subject"`
}

var schemaRoutes = []route{
	get("subjects", "Subjects of the schema registry by name", func(c *Console, ctx context.Context, q api.SubjectQuery) (api.Page[api.SubjectSummary], error) {
		return withSchemas(c, func(e api.Schemas) (api.Page[api.SubjectSummary], error) { return e.Subjects(ctx, q) })
	}),
	get("subjects/{subject}", "A subject with its versions, and the text of one", func(c *Console, ctx context.Context, q api.OneSubject) (api.Subject, error) {
		return withSchemas(c, func(e api.Schemas) (api.Subject, error) { return e.Subject(ctx, q) })
	}),
	get("subjects/{subject}/diff", "What makes of one version another", func(c *Console, ctx context.Context, q api.SchemaDiffQuery) (api.SchemaDiff, error) {
		return withSchemas(c, func(e api.Schemas) (api.SchemaDiff, error) { return e.DiffSchemas(ctx, q) })
	}),
	get("subjects/{subject}/use", "Topics and groups that use its schemas, by the newest records", func(c *Console, ctx context.Context, q subjectPath) (api.SubjectUse, error) {
		return withSchemas(c, func(e api.Schemas) (api.SubjectUse, error) { return e.SubjectUse(ctx, q.Subject) })
	}),
	post("subjects/{subject}/check", "What a candidate would break; it registers nothing", api.Viewer,
		act[api.SchemaCandidate]{name: "check schema", target: func(b api.SchemaCandidate) string { return b.Subject }, dryRun: func(api.SchemaCandidate) bool { return true }},
		func(c *Console, ctx context.Context, b api.SchemaCandidate) (api.SchemaChecked, error) {
			return withSchemas(c, func(e api.Schemas) (api.SchemaChecked, error) { return e.CheckSchema(ctx, b) })
		}),
	post("compatibility", "Set the compatibility of subjects that have none of their own", api.Admin, settingCompatibility, setCompatibility),
	post("subjects/{subject}/compatibility", "Set a subject's compatibility", api.Admin, settingCompatibility, setCompatibility),
	post("subjects/{subject}/delete", "Delete a version of a subject, or all of it", api.Admin,
		act[api.DeleteSchema]{name: "delete schema", target: func(b api.DeleteSchema) string { return b.Subject }},
		func(c *Console, ctx context.Context, b api.DeleteSchema) (api.SchemaDone, error) {
			return withSchemas(c, func(e api.Schemas) (api.SchemaDone, error) { return e.DeleteSchema(ctx, b) })
		}),
}

var settingCompatibility = act[api.SetCompatibility]{name: "set compatibility", target: func(b api.SetCompatibility) string { return cmp.Or(b.Subject, "all subjects") }}

func setCompatibility(c *Console, ctx context.Context, b api.SetCompatibility) (api.SchemaDone, error) {
	return withSchemas(c, func(e api.Schemas) (api.SchemaDone, error) { return e.SetCompatibility(ctx, b) })
}

func withSchemas[A any](c *Console, ask func(api.Schemas) (A, error)) (A, error) {
	if c.engines.Schemas == nil {
		var nothing A
		return nothing, fmt.Errorf("%w: there is no schema registry; pabal up --registry=127.0.0.1:8081, or another port, runs one, and --registry-url names another", api.ErrNotFound)
	}
	return ask(c.engines.Schemas)
}
