package avro

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

type reader struct {
	known  map[string]*node
	limits tree.Limits
}

func (r *reader) schema(v *tree.Value, space string) (*node, error) {
	switch v.Kind {
	case tree.String:
		return r.named(v.Text, space)
	case tree.Array:
		return r.union(v, space)
	case tree.Object:
		return r.object(v, space)
	}
	return nil, fmt.Errorf("a schema is a name, an array or an object, not %s", v.Kind)
}

func (r *reader) named(text, space string) (*node, error) {
	if slices.Contains(primitives, text) {
		return &node{kind: text}, nil
	}
	if n, ok := r.known[newName(text, space).full()]; ok {
		return n, nil
	}
	if n, ok := r.known[text]; ok {
		return n, nil
	}
	return nil, fmt.Errorf("%q is not a defined name; a type of another schema needs a reference to it", newName(text, space).full())
}

func (r *reader) union(v *tree.Value, space string) (*node, error) {
	if err := r.limits.CheckChoices(len(v.Items)); err != nil {
		return nil, err
	}
	n := &node{kind: kindUnion, source: v}
	for _, item := range v.Items {
		branch, err := r.schema(item, space)
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, branch)
	}
	return n, nil
}

func (r *reader) object(v *tree.Value, space string) (*node, error) {
	kind := v.Get("type")
	if kind == nil {
		return nil, errors.New("an object has no type: " + short(v))
	}
	if kind.Kind != tree.String {
		return r.schema(kind, space)
	}
	n := &node{kind: kind.Text, source: v}
	switch kind.Text {
	case kindRecord, kindError, kindEnum, kindFixed:
		return n, r.define(n, v, space)
	case kindArray:
		return n, r.child(n, v, "items", space)
	case kindMap:
		return n, r.child(n, v, "values", space)
	}
	if slices.Contains(primitives, kind.Text) {
		return n, nil
	}
	return r.named(kind.Text, space)
}

func (r *reader) child(n *node, v *tree.Value, key, space string) (err error) {
	of := v.Get(key)
	if of == nil {
		return fmt.Errorf("the %s has no %s", n.kind, key)
	}
	n.inner, err = r.schema(of, space)
	return err
}

func (r *reader) define(n *node, v *tree.Value, space string) error {
	local := v.Get("name")
	if !local.Is(tree.String) {
		return fmt.Errorf("the %s has no name: %s", n.kind, short(v))
	}
	if given := v.Get("namespace"); given.Is(tree.String) {
		space = given.Text
	}
	n.name = newName(local.Text, space)
	if _, twice := r.known[n.name.full()]; twice {
		return fmt.Errorf("%s is defined twice", n.name.full())
	}
	r.known[n.name.full()] = n
	for _, alias := range texts(v.Get("aliases")) {
		n.aliases = append(n.aliases, newName(alias, n.name.space).full())
	}
	switch n.kind {
	case kindEnum:
		if !v.Get("symbols").Is(tree.Array) {
			return fmt.Errorf("the enum %s has no symbols", n.name.full())
		}
		n.symbols = texts(v.Get("symbols"))
		return nil
	case kindFixed:
		size, err := strconv.Atoi(textOf(v.Get("size")))
		if err != nil {
			return fmt.Errorf("the fixed %s has no size", n.name.full())
		}
		n.size = size
		return nil
	}
	return r.fields(n, v)
}

func (r *reader) fields(n *node, v *tree.Value) error {
	fields := v.Get("fields")
	if !fields.Is(tree.Array) {
		return fmt.Errorf("the record %s has no fields", n.name.full())
	}
	for _, item := range fields.Items {
		f := &field{aliases: texts(item.Get("aliases")), fallback: item.Get("default"), source: item}
		if !item.Get("name").Is(tree.String) || item.Get("type") == nil {
			return fmt.Errorf("a field of %s has no name or no type: %s", n.name.full(), short(item))
		}
		f.name = item.Get("name").Text
		var err error
		if f.schema, err = r.schema(item.Get("type"), n.name.space); err != nil {
			return fmt.Errorf("field %s of %s: %w", f.name, n.name.full(), err)
		}
		n.fields = append(n.fields, f)
	}
	return nil
}

func textOf(v *tree.Value) string {
	if v == nil {
		return ""
	}
	return v.Text
}

func texts(v *tree.Value) []string {
	if v == nil {
		return nil
	}
	var out []string
	for _, item := range v.Items {
		if item.Kind == tree.String {
			out = append(out, item.Text)
		}
	}
	return out
}

const shown = 80

func short(v *tree.Value) string {
	text := v.Compact()
	if len(text) > shown {
		return strings.ToValidUTF8(text[:shown], "") + "…"
	}
	return text
}
