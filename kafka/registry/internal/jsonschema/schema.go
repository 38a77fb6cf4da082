// Package jsonschema reads JSON Schemas and decides whether data that one allows is allowed by
// another, as Confluent's registry does: by the differences of the two texts, of which each kind is
// compatible or not. Nothing here does I/O; a $ref leads to the schema itself or to those that were
// registered as its references, never to the network.
package jsonschema

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Reference is another schema that a $ref may name.
type Reference struct{ Name, Text string }

// Schema is what one text says. It is not changed after Parse.
type Schema struct {
	source *tree.Value
	refs   []document
}

type document struct {
	name  string
	value *tree.Value
}

// Parse reads a schema. refs are all that it refers to, directly and not.
func Parse(text string, refs []Reference, limits tree.Limits) (*Schema, error) {
	v, err := tree.Parse(text, limits)
	if err != nil {
		return nil, err
	}
	if v.Kind != tree.Object && v.Kind != tree.Bool {
		return nil, fmt.Errorf("a JSON Schema is an object or a boolean, not %s", v.Kind)
	}
	if err := choices(v, limits); err != nil {
		return nil, err
	}
	s := &Schema{source: v}
	for _, ref := range refs {
		v, err := tree.Parse(ref.Text, tree.Limits{})
		if err != nil {
			return nil, fmt.Errorf("the reference %q: %w", ref.Name, err)
		}
		s.refs = append(s.refs, document{ref.Name, v})
	}
	return s, nil
}

func choices(v *tree.Value, limits tree.Limits) error {
	for _, m := range v.Members {
		if m.Name == "oneOf" || m.Name == "anyOf" || m.Name == "allOf" {
			if err := limits.CheckChoices(len(m.Value.Items)); err != nil {
				return err
			}
		}
		if err := choices(m.Value, limits); err != nil {
			return err
		}
	}
	for _, item := range v.Items {
		if err := choices(item, limits); err != nil {
			return err
		}
	}
	return nil
}

// Canonical is the text without spaces.
func (s *Schema) Canonical() string { return s.source.Compact() }

// Normalized is the text with the members of all objects sorted.
func (s *Schema) Normalized() string { return s.source.Sorted().Compact() }

// base is what relative references are relative to.
func (s *Schema) base() *url.URL {
	for _, key := range []string{"$id", "id"} {
		if id := s.source.Get(key); id.Is(tree.String) {
			if u, err := url.Parse(id.Text); err == nil && u.IsAbs() {
				u.Fragment = ""
				return u
			}
		}
	}
	return &url.URL{Scheme: "schema", Host: "registry", Path: "/schema"}
}

// locate is the document's own address.
func locate(base *url.URL, name string) string {
	u, err := url.Parse(name)
	if err != nil {
		return ""
	}
	u = base.ResolveReference(u)
	u.Fragment = ""
	return u.String()
}

// draft says which keywords a schema knows.
type draft int

const (
	draft4 draft = iota
	draft6
	draft7
	draft2019
	draft2020
)

// draftOf is draft 7 where the schema does not say, and whether what it says is known.
func draftOf(v *tree.Value) (draft, bool) {
	given := v.Get("$schema")
	if !given.Is(tree.String) {
		return draft7, true
	}
	for part, d := range map[string]draft{
		"/draft-04/": draft4, "/draft-06/": draft6, "/draft-07/": draft7, "/draft/2019-09/": draft2019, "/draft/2020-12/": draft2020,
	} {
		if strings.Contains(given.Text, part) {
			return d, true
		}
	}
	return draft7, false
}
