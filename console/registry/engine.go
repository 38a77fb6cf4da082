package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
)

// Engine implements api.Schemas over the registry of a Decoder that has one.
type Engine struct {
	rest   rest
	topics api.Topics
	groups api.Groups
	kafka  kafka.Config
	// useTime is how long topics are looked at for a subject.
	useTime time.Duration
}

var _ api.Schemas = (*Engine)(nil)

// New is the engine; topics and groups tell who uses a schema, and k has the tenant's prefix.
func New(d *Decoder, k kafka.Config, topics api.Topics, groups api.Groups) *Engine {
	return &Engine{rest: d.rest, topics: topics, groups: groups, kafka: k, useTime: d.limits.use}
}

// Limits of a page, and of questions at the same time.
const (
	defaultLimit = 50
	maxLimit     = 500
	atOnce       = 8
	// maxVersions of a subject that are listed.
	maxVersions = 100
)

// Subjects implements api.Schemas.
func (e *Engine) Subjects(ctx context.Context, q api.SubjectQuery) (api.Page[api.SubjectSummary], error) {
	var out api.Page[api.SubjectSummary]
	var live, all []string
	if err := e.rest.get(ctx, "/subjects", &live); err != nil {
		return out, err
	}
	if !q.Deleted {
		all = live
	} else {
		if err := e.rest.get(ctx, "/subjects?deleted=true", &all); err != nil {
			return out, err
		}
	}
	names, err := cut(all, q.PageQuery)
	if err != nil {
		return out, err
	}
	out.Next, out.Total = names.Next, names.Total
	out.Items = make([]api.SubjectSummary, len(names.Items))
	global, _, err := e.level(ctx, "")
	if err != nil {
		return out, err
	}
	each(len(names.Items), func(i int) {
		name := names.Items[i]
		s, err := e.summary(ctx, name, global, !slices.Contains(live, name))
		if err != nil {
			s.Problem = err.Error()
		}
		out.Items[i] = s
	})
	return out, ctx.Err()
}

// cut is the page of a list that is asked for.
func cut(all []string, q api.PageQuery) (api.Page[string], error) {
	limit := q.Limit
	switch {
	case limit == 0:
		limit = defaultLimit
	case limit < 0 || limit > maxLimit:
		return api.Page[string]{}, api.BadField("limit", "is %d, it goes from 1 to %d", limit, maxLimit)
	}
	search := strings.ToLower(q.Search)
	names := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !strings.Contains(strings.ToLower(name), search) })
	slices.Sort(names)
	out := api.Page[string]{Total: int64(len(names))}
	if q.Cursor != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name <= q.Cursor })
	}
	if len(names) > limit {
		names = names[:limit]
		out.Next = names[limit-1]
	}
	out.Items = names
	return out, nil
}

// each does something for 0 to n-1, a few at the same time.
func each(n int, do func(int)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	all.Wait()
}

// stored is a version as the registry answers it.
type stored struct {
	Subject    string                `json:"subject"`
	Version    int                   `json:"version"`
	ID         int64                 `json:"id"`
	Type       string                `json:"schemaType"`
	References []api.SchemaReference `json:"references"`
	Schema     string                `json:"schema"`
	Time       int64                 `json:"ts"`
	Deleted    bool                  `json:"deleted"`
}

func subjectPath(subject string, more ...string) string {
	at := "/subjects/" + url.PathEscape(subject)
	for _, m := range more {
		at += "/" + m
	}
	return at
}

func (e *Engine) summary(ctx context.Context, name, global string, deleted bool) (api.SubjectSummary, error) {
	s := api.SubjectSummary{Name: name, Deleted: deleted, Compatibility: global}
	versions, err := e.versions(ctx, name)
	if err != nil {
		return s, err
	}
	for _, n := range versions {
		if deleted || n > 0 {
			s.Versions++
			s.Latest = max(s.Latest, abs(n))
		}
	}
	if s.Compatibility, s.CompatibilityOwn, err = e.level(ctx, name); err != nil {
		return s, err
	}
	latest, err := e.version(ctx, name, s.Latest)
	s.Type, s.ID = typeOf(latest.Type), latest.ID
	return s, err
}

func typeOf(kind string) string {
	if kind == "" {
		return "AVRO"
	}
	return kind
}

func abs(n int) int { return max(n, -n) }

// versions of a subject; deleted ones are below zero.
func (e *Engine) versions(ctx context.Context, subject string) ([]int, error) {
	var live, all []int
	if err := e.rest.get(ctx, subjectPath(subject, "versions?deleted=true"), &all); err != nil {
		return nil, err
	}
	if err := e.rest.get(ctx, subjectPath(subject, "versions"), &live); err != nil && !errors.Is(err, api.ErrNotFound) {
		return nil, err
	}
	for i, n := range all {
		if !slices.Contains(live, n) {
			all[i] = -n
		}
	}
	return all, nil
}

func (e *Engine) version(ctx context.Context, subject string, n int) (stored, error) {
	var s stored
	return s, e.rest.get(ctx, subjectPath(subject, "versions", strconv.Itoa(n)+"?deleted=true"), &s)
}

// level in force for a subject, "" for all, and whether it is its own.
func (e *Engine) level(ctx context.Context, subject string) (string, bool, error) {
	return e.setting(ctx, "/config", subject, func(s setting) string { return s.Level })
}

// mode in force for a subject, and whether it is its own.
func (e *Engine) mode(ctx context.Context, subject string) (string, bool, error) {
	return e.setting(ctx, "/mode", subject, func(s setting) string { return s.Mode })
}

type setting struct {
	Level string `json:"compatibilityLevel"`
	Mode  string `json:"mode"`
}

func (e *Engine) setting(ctx context.Context, at, subject string, of func(setting) string) (string, bool, error) {
	var s setting
	if subject == "" {
		err := e.rest.get(ctx, at, &s)
		return of(s), err == nil, err
	}
	at += "/" + url.PathEscape(subject)
	err := e.rest.get(ctx, at, &s)
	if err == nil && of(s) != "" {
		return of(s), true, nil
	}
	if err != nil && !errors.Is(err, api.ErrNotFound) {
		return "", false, err
	}
	err = e.rest.get(ctx, at+"?defaultToGlobal=true", &s)
	return of(s), false, err
}

// SetCompatibility implements api.Schemas.
func (e *Engine) SetCompatibility(ctx context.Context, s api.SetCompatibility) (api.SchemaDone, error) {
	at, who := "/config", "All subjects that have no level of their own"
	if s.Subject != "" {
		at, who = at+"/"+url.PathEscape(s.Subject), s.Subject
	}
	done := api.SchemaDone{Subject: s.Subject}
	if s.Level == "" && s.Subject != "" {
		done.Said = s.Subject + " follows the others again."
		err := e.rest.do(ctx, http.MethodDelete, at, nil, nil)
		if errors.Is(err, api.ErrNotFound) { // it has none, or is none
			_, err = e.versions(ctx, s.Subject)
		}
		return done, err
	}
	if !slices.Contains(api.CompatibilityLevels, s.Level) {
		return done, api.BadField("level", "is %q, it must be one of %s", s.Level, strings.Join(api.CompatibilityLevels, ", "))
	}
	done.Said = fmt.Sprintf("%s: %s from now on. Versions that are there stay.", who, s.Level)
	return done, e.rest.do(ctx, http.MethodPut, at, map[string]string{"compatibility": s.Level}, nil)
}

// DeleteSchema implements api.Schemas.
func (e *Engine) DeleteSchema(ctx context.Context, d api.DeleteSchema) (api.SchemaDone, error) {
	at, what := subjectPath(d.Subject), d.Subject
	if d.Version != 0 {
		at, what = subjectPath(d.Subject, "versions", strconv.Itoa(d.Version)), fmt.Sprintf("Version %d of %s", d.Version, d.Subject)
	}
	done := api.SchemaDone{Subject: d.Subject, Said: what + " is deleted. Its id still decodes what was written with it."}
	if d.Permanent {
		at += "?permanent=true"
		done.Said = what + " is deleted for ever: what was written with it cannot be decoded unless another subject has the schema."
	}
	return done, e.rest.do(ctx, http.MethodDelete, at, nil, nil)
}
