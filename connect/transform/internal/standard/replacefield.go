package standard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var replaceFieldConfig = withDefaults(
	config.Key{Name: "exclude", Type: config.List, Doc: "Fields to leave out, also where include names them."},
	config.Key{Name: "include", Type: config.List, Doc: "The only fields to keep; empty keeps all."},
	config.Key{
		Name: "renames", Type: config.List, Doc: "New names of fields: old:new, separated by commas.",
		Check: func(v any) error {
			list, _ := v.([]string)
			_, err := parseRenames(list)
			return err
		},
	},
)

// parseRenames reads old:new.
func parseRenames(list []string) (map[string]string, error) {
	all := map[string]string{}
	for _, mapping := range list {
		from, to, ok := strings.Cut(mapping, ":")
		if to = strings.TrimRight(to, ":"); !ok || to == "" || strings.Contains(to, ":") {
			return nil, fmt.Errorf("Invalid rename mapping: %s", mapping) //nolint:staticcheck // Kafka Connect's own words
		}
		all[from] = to
	}
	return all, nil
}

// replaceField leaves out and renames fields.
type replaceField struct {
	part             smt.Part
	exclude, include []string
	renames          map[string]string
	defaults         bool
	plans            smt.Cache[projection]
}

// projection is a schema, and where its fields are in the one it was made of.
type projection struct {
	schema *data.Schema
	from   []int
}

func newReplaceField(c config.Values, part smt.Part) (plugin.Transform, error) {
	renames, err := parseRenames(c.List("renames"))
	return &replaceField{
		part: part, exclude: c.List("exclude"), include: c.List("include"),
		renames: renames, defaults: c.Bool("replace.null.with.default"),
	}, err
}

// renamed is the name a field gets; keep is false where it is left out.
func (t *replaceField) renamed(name string) (_ string, keep bool) {
	if slices.Contains(t.exclude, name) || len(t.include) > 0 && !slices.Contains(t.include, name) {
		return "", false
	}
	if to, ok := t.renames[name]; ok {
		return to, true
	}
	return name, true
}

const replacePurpose = "field replacement"

func (t *replaceField) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	switch {
	case value == nil:
		return true, nil
	case s == nil:
		return true, t.inMap(r, value)
	}
	row, err := smt.Struct(value, replacePurpose)
	if err != nil {
		return false, err
	}
	plan, err := t.plans.Of(row.Schema, t.plan)
	if err != nil {
		return false, err
	}
	t.part.Put(r, plan.schema, plan.of(row, t.defaults))
	return true, nil
}

func (p projection) of(row *data.Struct, defaults bool) *data.Struct {
	out := data.NewStruct(p.schema)
	for i, from := range p.from {
		out.Values[i] = smt.At(row, from, defaults)
	}
	return out
}

func (t *replaceField) plan(s *data.Schema) (projection, error) {
	b := smt.BuilderLike(s)
	var from []int
	for i, f := range s.Fields {
		if name, keep := t.renamed(f.Name); keep {
			b.Add(name, f.Schema)
			from = append(from, i)
		}
	}
	made, err := b.Build()
	return projection{made, from}, err
}

func (t *replaceField) inMap(r *plugin.Record, value any) error {
	m, err := smt.Map(value, replacePurpose)
	if err != nil {
		return err
	}
	out := &data.Map{}
	for i, key := range m.Keys {
		name, ok := key.(string)
		if !ok {
			out.Put(key, m.Values[i])
			continue
		}
		if name, keep := t.renamed(name); keep {
			out.Put(name, m.Values[i])
		}
	}
	t.part.Put(r, nil, out)
	return nil
}
