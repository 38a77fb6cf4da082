package jsonschema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func (c *comparer) objects(from, to *node) []Difference {
	a, b := from.object, to.object
	out := required(a, b)
	for _, name := range union(a.names, b.names) {
		out = append(out, at("properties/"+name, c.property(name, a, b))...)
	}
	out = append(out, at("dependencies", c.needs(a, b))...)
	out = append(out, at("additionalProperties", c.additional("PROPERTIES", a.additional, b.additional))...)
	out = append(out, at("unevaluatedProperties", c.unevaluated("PROPERTIES", a.unevaluated, b.unevaluated))...)
	return append(out, bounds(from, to, map[string]string{"maxProperties": "MAX_PROPERTIES", "minProperties": "MIN_PROPERTIES"})...)
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	known := map[string]bool{}
	for _, name := range a {
		known[name] = true
	}
	for _, name := range b {
		if !known[name] {
			out = append(out, name)
		}
	}
	return out
}

func required(a, b *object) []Difference {
	var out []Difference
	for _, name := range a.names {
		is := b.properties[name]
		if is == nil || a.required[name] == b.required[name] {
			continue
		}
		kind := "REQUIRED_ATTRIBUTE_ADDED"
		switch {
		case a.required[name]:
			kind = "REQUIRED_ATTRIBUTE_REMOVED"
		case is.fallback != nil:
			kind = "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED"
		}
		out = append(out, at("required/"+name, one(kind))...)
	}
	return out
}

func (c *comparer) property(name string, a, b *object) []Difference {
	was, is := a.properties[name], b.properties[name]
	switch {
	case was != nil && is != nil:
		return c.compare(was, is)
	case is == nil:
		return c.propertyRemoved(name, was, b)
	case a.open():
		return propertyAddedToOpen(name, is, b)
	}
	var out []Difference
	covering, ok := c.partly(a, name)
	if !ok {
		return one(tooComplex)
	}
	if covering != nil {
		out = c.covered("PROPERTY_ADDED", covering, is)
	}
	kind := "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"
	if b.required[name] {
		kind = "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"
		if is.fallback != nil {
			kind = "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL"
		}
	}
	return append(out, one(kind)...)
}

// partly is the schema of a property that is not named; false where the patterns cost too much.
func (c *comparer) partly(o *object, name string) (*node, bool) {
	if c.left -= len(o.patterns) * (1 + len(name)/patternWork); c.left < 0 {
		return nil, false
	}
	return o.partly(name), true
}

// patternWork is how many bytes of a name cost as much as comparing a pair.
const patternWork = 32

// covered tells whether what had no name of its own and what has one now agree, or the reverse.
func (c *comparer) covered(what string, from, to *node) []Difference {
	out := c.compare(from, to)
	how := "_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
	if c.compatible(out) {
		how = "_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
	}
	return append(slices.Clip(out), one(what+how)...)
}

func (c *comparer) propertyRemoved(name string, was *node, b *object) []Difference {
	if b.open() {
		return one("PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL")
	}
	covering, ok := c.partly(b, name)
	if !ok {
		return one(tooComplex)
	}
	if covering != nil {
		return c.covered("PROPERTY_REMOVED", was, covering)
	}
	if was.kind == falseKind {
		return one("PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL")
	}
	return one("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL")
}

func propertyAddedToOpen(name string, is *node, b *object) []Difference {
	switch {
	case is.kind == emptyKind:
		return one("PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL")
	case !b.required[name]:
		return one("OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL")
	case is.fallback != nil:
		return one("REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL")
	}
	return one("REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL")
}

func (c *comparer) needs(a, b *object) []Difference {
	var out []Difference
	for _, name := range union(sortedKeys(a.needs), sortedKeys(b.needs)) {
		was, had := a.needs[name]
		is, has := b.needs[name]
		kind := ""
		switch {
		case !has:
			kind = "REMOVED"
		case !had:
			kind = "ADDED"
		case includes(is, was) && includes(was, is):
			continue
		case includes(is, was):
			kind = "EXTENDED"
		case includes(was, is):
			kind = "NARROWED"
		default:
			kind = "CHANGED"
		}
		out = append(out, at(name, one("DEPENDENCY_ARRAY_"+kind))...)
	}
	for _, name := range union(sortedKeys(a.needSchemas), sortedKeys(b.needSchemas)) {
		was, is := a.needSchemas[name], b.needSchemas[name]
		switch {
		case is == nil:
			out = append(out, at(name, one("DEPENDENCY_SCHEMA_REMOVED"))...)
		case was == nil:
			out = append(out, at(name, one("DEPENDENCY_SCHEMA_ADDED"))...)
		default:
			out = append(out, at(name, c.compare(was, is))...)
		}
	}
	return out
}

func includes(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// additional compares additionalProperties or additionalItems.
func (c *comparer) additional(what string, a, b rest) []Difference {
	kind := ""
	switch {
	case a.forbidden && !b.forbidden:
		kind = "ADDED"
	case !a.forbidden && b.forbidden:
		kind = "REMOVED"
	case a.schema == nil && b.schema != nil:
		kind = "NARROWED"
	case a.schema != nil && b.schema == nil:
		kind = "EXTENDED"
	default:
		return c.compare(a.schema, b.schema)
	}
	return one(fmt.Sprintf("ADDITIONAL_%s_%s", what, kind))
}

// unevaluated compares unevaluatedProperties or unevaluatedItems, of which true says nothing.
func (c *comparer) unevaluated(what string, a, b *node) []Difference {
	if a != nil && a.kind == emptyKind {
		a = nil
	}
	if b != nil && b.kind == emptyKind {
		b = nil
	}
	forbade, forbids := a != nil && a.kind == falseKind, b != nil && b.kind == falseKind
	kind := ""
	switch {
	case a == nil && b == nil, forbade && forbids:
		return nil
	case forbade:
		kind = "ADDED"
	case forbids:
		kind = "REMOVED"
	case a == nil:
		kind = "NARROWED"
	case b == nil:
		kind = "EXTENDED"
	default:
		return c.compare(a, b)
	}
	return one(fmt.Sprintf("UNEVALUATED_%s_%s", what, kind))
}
