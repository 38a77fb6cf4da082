package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka/registry/compat"
)

// Subject implements api.Schemas.
func (e *Engine) Subject(ctx context.Context, q api.OneSubject) (api.Subject, error) {
	var out api.Subject
	versions, err := e.versions(ctx, q.Subject)
	if err != nil {
		return out, err
	}
	out.Name, out.Deleted = q.Subject, true
	for _, n := range versions {
		out.Deleted = out.Deleted && n < 0
	}
	for _, n := range versions {
		if n > 0 || out.Deleted {
			out.Versions++
			out.Latest = max(out.Latest, abs(n))
		}
	}
	if q.Version == 0 {
		q.Version = out.Latest
	}
	shown, err := e.version(ctx, q.Subject, q.Version)
	if err != nil {
		return out, err
	}
	out.Shown = versionOf(shown, !slices.Contains(versions, q.Version))
	out.Shown.Text = shown.Schema
	e.fill(ctx, &out, versions)
	out.Type, out.ID = out.Shown.Type, out.Shown.ID
	for _, v := range out.VersionList {
		if v.Version == out.Latest {
			out.Type, out.ID = v.Type, v.ID
		}
	}
	return out, nil
}

// fill asks for the other parts at the same time.
func (e *Engine) fill(ctx context.Context, s *api.Subject, versions []int) {
	var mu sync.Mutex
	problem := func(what string, err error) {
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			s.Problems = append(s.Problems, what+": "+err.Error())
		}
	}
	slices.SortFunc(versions, func(a, b int) int { return abs(b) - abs(a) })
	if s.Older = max(0, len(versions)-maxVersions); s.Older > 0 {
		versions = versions[:maxVersions]
	}
	list := make([]api.SchemaVersion, len(versions))
	parts := []func(){
		func() {
			var err error
			s.Compatibility, s.CompatibilityOwn, err = e.level(ctx, s.Name)
			problem("compatibility", err)
		},
		func() {
			var err error
			s.GlobalCompatibility, _, err = e.level(ctx, "")
			problem("compatibility of all", err)
		},
		func() {
			var err error
			s.Mode, s.ModeOwn, err = e.mode(ctx, s.Name)
			problem("mode", err)
		},
		func() {
			err := e.rest.get(ctx, subjectPath(s.Name, "versions", fmt.Sprint(s.Shown.Version), "referencedby"), &s.Shown.ReferencedBy)
			problem("who refers to it", err)
		},
	}
	each(len(parts)+len(versions), func(i int) {
		if i < len(parts) {
			parts[i]()
			return
		}
		i -= len(parts)
		v, err := e.version(ctx, s.Name, abs(versions[i]))
		problem(fmt.Sprintf("version %d", abs(versions[i])), err)
		v.Version = abs(versions[i])
		list[i] = versionOf(v, versions[i] < 0)
	})
	s.VersionList = list
	slices.Sort(s.Problems)
}

// versionOf is without the text.
func versionOf(s stored, deleted bool) api.SchemaVersion {
	v := api.SchemaVersion{Version: s.Version, ID: s.ID, Type: typeOf(s.Type), Deleted: s.Deleted || deleted, References: s.References}
	if s.Time > 0 {
		v.At = time.UnixMilli(s.Time).UTC()
	}
	return v
}

// DiffSchemas implements api.Schemas.
func (e *Engine) DiffSchemas(ctx context.Context, q api.SchemaDiffQuery) (api.SchemaDiff, error) {
	out := api.SchemaDiff{Subject: q.Subject}
	from, err := e.version(ctx, q.Subject, q.From)
	if err != nil {
		return out, err
	}
	to, err := e.version(ctx, q.Subject, q.To)
	if err != nil {
		return out, err
	}
	out.From, out.To = versionOf(from, false), versionOf(to, false)
	out.Lines, out.Cut = diffLines(linesOf(from.Schema), linesOf(to.Schema))
	if typeOf(from.Type) == typeOf(to.Type) {
		out.Fields, out.More = diffFields(typeOf(from.Type), from.Schema, to.Schema)
	}
	return out, nil
}

// maxCandidate is how long a schema may be, in bytes.
const maxCandidate = 1 << 20

// CheckSchema implements api.Schemas.
func (e *Engine) CheckSchema(ctx context.Context, c api.SchemaCandidate) (api.SchemaChecked, error) {
	out := api.SchemaChecked{Subject: c.Subject, Reasons: []api.SchemaReason{}}
	switch {
	case c.Text == "":
		return out, api.BadField("text", "is missing: paste a schema")
	case len(c.Text) > maxCandidate:
		return out, api.BadField("text", "has %d bytes, more than %d", len(c.Text), maxCandidate)
	}
	if c.Type == "" {
		c.Type = e.typeOf(ctx, c.Subject)
	}
	body := map[string]any{"schema": c.Text, "schemaType": c.Type, "references": c.References}
	against := "versions"
	if c.Version > 0 {
		against = fmt.Sprintf("versions/%d", c.Version)
	}
	var answer struct {
		Is       bool     `json:"is_compatible"`
		Messages []string `json:"messages"`
	}
	err := e.rest.do(ctx, http.MethodPost, "/compatibility/subjects/"+url.PathEscape(c.Subject)+"/"+against+"?verbose=true", body, &answer)
	if err != nil {
		return out, err
	}
	if out.Level, _, err = e.level(ctx, c.Subject); err != nil {
		return out, err
	}
	out.Compatible = answer.Is
	for _, reason := range compat.Reasons(answer.Messages) {
		out.Reasons = append(out.Reasons, api.SchemaReason{Detail: reason})
	}
	if c.Version > 0 {
		out.Said = verdictOn(c.Version, out)
	} else {
		out.Said = e.verdict(ctx, c, body, out)
	}
	return out, nil
}

func (e *Engine) typeOf(ctx context.Context, subject string) string {
	var s stored
	_ = e.rest.get(ctx, subjectPath(subject, "versions/latest"), &s) // the check says what is wrong
	return typeOf(s.Type)
}

// verdictOn is the check with one version in a sentence. What would become of the schema, that does
// not say: registering compares with others, too.
func verdictOn(version int, found api.SchemaChecked) string {
	if found.Compatible {
		return fmt.Sprintf("It breaks nothing of version %d under %s.", version, found.Level)
	}
	return fmt.Sprintf("It breaks %s with version %d.", found.Level, version)
}

// verdict is the check in a sentence.
func (e *Engine) verdict(ctx context.Context, c api.SchemaCandidate, body any, found api.SchemaChecked) string {
	if !found.Compatible {
		return fmt.Sprintf("It would be refused: it breaks %s.", found.Level)
	}
	var same stored
	switch err := e.rest.do(ctx, http.MethodPost, subjectPath(c.Subject), body, &same); {
	case err == nil && same.Version > 0:
		return fmt.Sprintf("It is version %d already, with the id %d: registering it changes nothing.", same.Version, same.ID)
	case err != nil && !errors.Is(err, api.ErrNotFound):
		return fmt.Sprintf("It breaks nothing under %s.", found.Level)
	}
	return fmt.Sprintf("It breaks nothing under %s, and would become the next version.", found.Level)
}
