package pages

import (
	"context"
	"net/http"
	"strconv"

	"github.com/pabal-dev/pabal/console/api"
)

// subjectsBody is the list. Off says that there is no registry.
type subjectsBody struct {
	Off   bool
	Query api.SubjectQuery
	part[api.Page[api.SubjectSummary]]
	Levels []string
}

func (h *handler) subjects(ctx context.Context, r *http.Request) (content, error) {
	c := content{template: "subjects", title: "Schemas", section: "schemas"}
	b := subjectsBody{Off: h.Engines.Schemas == nil, Levels: api.CompatibilityLevels}
	b.Query = api.SubjectQuery{PageQuery: pageQuery(r), Deleted: param(r, "deleted") == "true"}
	if b.Off {
		c.body = b
		return c, nil
	}
	page, err := h.Engines.Schemas.Subjects(ctx, b.Query)
	b.part = ask(page, err)
	c.body = b
	return c, onlyFatal(err)
}

var noSchemas = errorf(api.ErrNotFound, "there is no schema registry here; `pabal up --registry=127.0.0.1:8081`, or another port, runs one, and --registry-url names another")

// subjectBody is a subject; Tab says which part is open, and only that is filled.
type subjectBody struct {
	Name string
	Tab  string
	part[api.Subject]
	Use      part[api.SubjectUse]
	From, To int
	Diff     part[api.SchemaDiff]
	Levels   []string
}

func (h *handler) subject(ctx context.Context, r *http.Request) (content, error) {
	b := subjectBody{Name: r.PathValue("subject"), Tab: param(r, "tab"), Levels: api.CompatibilityLevels}
	c := content{template: "subject", title: b.Name, section: "schemas"}
	if h.Engines.Schemas == nil {
		return c, noSchemas
	}
	version, err := versionParam(r, "version")
	if err != nil {
		return c, err
	}
	one, err := h.Engines.Schemas.Subject(ctx, api.OneSubject{Subject: b.Name, Version: version})
	b.part = ask(one, err)
	if fatal(err) {
		return c, err
	}
	switch {
	case err != nil:
	case b.Tab == "diff":
		if err := b.chooseVersions(r); err != nil {
			return c, err
		}
		if b.From > 0 {
			b.Diff = ask(h.Engines.Schemas.DiffSchemas(ctx, api.SchemaDiffQuery{Subject: b.Name, From: b.From, To: b.To}))
		}
	case b.Tab == "use":
		b.Use = ask(h.Engines.Schemas.SubjectUse(ctx, b.Name))
	}
	c.body = b
	return c, nil
}

// ReferencesText are those of the version shown, as a candidate has them.
func (b subjectBody) ReferencesText() string {
	if len(b.Value.Shown.References) == 0 {
		return "[]"
	}
	return editable(b.Value.Shown.References)
}

// chooseVersions takes the latest and the one before where nobody says which.
func (b *subjectBody) chooseVersions(r *http.Request) (err error) {
	if b.From, err = versionParam(r, "from"); err != nil {
		return err
	}
	if b.To, err = versionParam(r, "to"); err != nil {
		return err
	}
	all := b.Value.VersionList
	if b.To == 0 && len(all) > 0 {
		b.To = all[0].Version
	}
	for _, v := range all {
		if b.From == 0 && v.Version < b.To {
			b.From = v.Version
		}
	}
	return nil
}

// versionParam is 0 where it is not given.
func versionParam(r *http.Request, name string) (int, error) {
	text := param(r, name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, errorf(api.ErrInvalid, "%s=%q is no version: give a number from 1", name, text)
	}
	return int(n), nil
}
