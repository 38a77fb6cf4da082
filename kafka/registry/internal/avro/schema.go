// Package avro reads Avro schemas, writes them in the form in which Avro's Java library, and with
// it Confluent's registry, writes them, and decides whether a reader understands a writer's data.
// Nothing here does I/O.
package avro

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Schema is what one text says. It is not changed after Parse.
type Schema struct {
	root *node
	// known are the types of the schemas that it refers to.
	known map[string]*node
	refs  []string
}

// kind of a node: a primitive type's name, or one of these.
const (
	kindRecord = "record"
	kindError  = "error"
	kindEnum   = "enum"
	kindFixed  = "fixed"
	kindArray  = "array"
	kindMap    = "map"
	kindUnion  = "union"
)

var primitives = []string{"null", "boolean", "int", "long", "float", "double", "bytes", "string"}

type node struct {
	kind string
	name name
	// aliases are full names.
	aliases  []string
	fields   []*field
	symbols  []string
	size     int
	inner    *node // of arrays and maps
	branches []*node
	source   *tree.Value
}

type field struct {
	name    string
	aliases []string
	schema  *node
	// fallback is the default, nil without.
	fallback *tree.Value
	source   *tree.Value
}

// name in two parts.
type name struct{ local, space string }

func newName(local, space string) name {
	if i := strings.LastIndexByte(local, '.'); i >= 0 {
		return name{local[i+1:], local[:i]}
	}
	return name{local, space}
}

func (n name) full() string {
	if n.space == "" {
		return n.local
	}
	return n.space + "." + n.local
}

// in is how the name is written where space is the enclosing namespace.
func (n name) in(space string) string {
	if n.space == space && !slices.Contains(primitives, n.local) {
		return n.local
	}
	return n.full()
}

// Parse reads a schema. refs are the texts of those it refers to, directly and not, each behind
// those it needs.
func Parse(text string, refs []string, limits tree.Limits) (*Schema, error) {
	s := &Schema{known: map[string]*node{}}
	for _, ref := range refs {
		if slices.Contains(s.refs, ref) {
			continue // the same types under another subject
		}
		s.refs = append(s.refs, ref)
		v, err := tree.Parse(ref, tree.Limits{})
		if err == nil {
			_, err = (&reader{known: s.known}).schema(v, "")
		}
		if err != nil {
			return nil, fmt.Errorf("a schema referred to: %w", err)
		}
	}
	v, err := parseText(text, limits)
	if err != nil {
		return nil, err
	}
	all := map[string]*node{}
	for n, node := range s.known {
		all[n] = node
	}
	s.root, err = (&reader{known: all, limits: limits}).schema(v, "")
	return s, err
}

// parseText takes the bare name of a primitive type, too, as Avro's Java library does.
func parseText(text string, limits tree.Limits) (*tree.Value, error) {
	if trimmed := strings.TrimSpace(text); slices.Contains(primitives, trimmed) && trimmed != "null" {
		return &tree.Value{Kind: tree.String, Text: trimmed}, nil
	}
	return tree.Parse(text, limits)
}

// Validate reports what Avro does not allow in a new schema, such as a default that is not of the
// field's type.
func (s *Schema) Validate() error {
	cache := &avro.SchemaCache{}
	for _, ref := range s.refs {
		if _, err := cache.Parse(ref); err != nil {
			return fmt.Errorf("a schema referred to: %w", err)
		}
	}
	_, err := cache.Parse(s.Canonical())
	return err
}

// Name is the full name of the type, "" where it has none.
func (s *Schema) Name() string { return s.root.name.full() }
