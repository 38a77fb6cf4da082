package api

import "context"

var _ Schemas = (*Client)(nil)

// Subjects implements Schemas.
func (c *Client) Subjects(ctx context.Context, q SubjectQuery) (Page[SubjectSummary], error) {
	return get[Page[SubjectSummary]](ctx, c, "subjects", q)
}

// Subject implements Schemas.
func (c *Client) Subject(ctx context.Context, q OneSubject) (Subject, error) {
	return get[Subject](ctx, c, path("subjects", q.Subject), q, "subject")
}

// DiffSchemas implements Schemas.
func (c *Client) DiffSchemas(ctx context.Context, q SchemaDiffQuery) (SchemaDiff, error) {
	return get[SchemaDiff](ctx, c, path("subjects", q.Subject, "diff"), q, "subject")
}

// CheckSchema implements Schemas.
func (c *Client) CheckSchema(ctx context.Context, s SchemaCandidate) (SchemaChecked, error) {
	return post[SchemaChecked](ctx, c, path("subjects", s.Subject, "check"), s)
}

// SubjectUse implements Schemas.
func (c *Client) SubjectUse(ctx context.Context, subject string) (SubjectUse, error) {
	return get[SubjectUse](ctx, c, path("subjects", subject, "use"), nil)
}

// SetCompatibility implements Schemas.
func (c *Client) SetCompatibility(ctx context.Context, s SetCompatibility) (SchemaDone, error) {
	if s.Subject == "" {
		return post[SchemaDone](ctx, c, "compatibility", s)
	}
	return post[SchemaDone](ctx, c, path("subjects", s.Subject, "compatibility"), s)
}

// DeleteSchema implements Schemas.
func (c *Client) DeleteSchema(ctx context.Context, d DeleteSchema) (SchemaDone, error) {
	return post[SchemaDone](ctx, c, path("subjects", d.Subject, "delete"), d)
}
