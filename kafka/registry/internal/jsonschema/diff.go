package jsonschema

import (
	"fmt"
	"slices"
)

// Difference between two schemas.
type Difference struct {
	// Type is the name that Confluent's registry has for it, such as TYPE_CHANGED.
	Type string
	// Path leads to it from the root, as in /properties/name.
	Path string
}

// Error is the difference in Confluent's form; reader and writer are "new" and "old".
func (d Difference) Error(reader, writer string) string {
	return fmt.Sprintf("{errorType:\"%s\", description:\"%s at '#%s' between the %s and the %s schema\"}", d.Type, explain(d.Type), root(d.Path), reader, writer)
}

func root(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// maxWork is how many pairs of schemas are compared at most.
const maxWork = 20_000

// tooComplex is the difference of schemas that need more.
const tooComplex = "TOO_COMPLEX"

// Compare returns the incompatible differences: why data of the old schema may not be valid by the
// new one. lenient takes more changes as compatible, as compatibilityPolicy LENIENT does.
func Compare(old, new *Schema, lenient bool) []Difference {
	all := differences(old, new, lenient)
	return slices.DeleteFunc(all, func(d Difference) bool { return compatible(d.Type, lenient) })
}

// differences returns all, compatible or not. A pair of schemas that contains itself is taken as
// compatible where it comes again; where that was wrong, everything is compared anew with what was
// learned.
func differences(old, new *Schema, lenient bool) []Difference {
	from, to := old.load(), new.load()
	c := &comparer{lenient: lenient, left: maxWork}
	for {
		c.running, c.done, c.assumed = map[pair]bool{}, map[pair][]Difference{}, false
		out := c.compare(from, to)
		found := map[pair][]Difference{}
		for p, diffs := range c.done {
			if !c.compatible(diffs) {
				found[p] = diffs
			}
		}
		if !c.assumed || len(found) == len(c.refuted) || c.left < 0 {
			return out
		}
		c.refuted = found
	}
}

type pair struct{ from, to *node }

type comparer struct {
	lenient bool
	left    int
	running map[pair]bool
	done    map[pair][]Difference
	// refuted are pairs that an earlier pass found incompatible.
	refuted map[pair][]Difference
	// assumed tells that a pair was taken as compatible unseen.
	assumed bool
}

func (c *comparer) compatible(all []Difference) bool {
	return !slices.ContainsFunc(all, func(d Difference) bool { return !compatible(d.Type, c.lenient) })
}

// compare returns differences with paths relative to the pair.
func (c *comparer) compare(from, to *node) []Difference {
	if from == nil && to == nil {
		return nil
	}
	if from == nil {
		return one("SCHEMA_ADDED")
	}
	if to == nil {
		return one("SCHEMA_REMOVED")
	}
	a, b := from.follow(), to.follow()
	if a == nil || b == nil { // a reference that leads nowhere, or in a circle
		if from.key() == to.key() {
			return nil
		}
		return one("TYPE_CHANGED")
	}
	return c.followed(a, b)
}

func (c *comparer) followed(from, to *node) []Difference {
	p := pair{from, to}
	if known, ok := c.done[p]; ok {
		return known
	}
	if c.running[p] {
		if known, ok := c.refuted[p]; ok {
			return known
		}
		c.assumed = true
		return nil
	}
	if c.left--; c.left < 0 {
		return one(tooComplex)
	}
	c.running[p] = true
	out := c.kinds(from, to)
	delete(c.running, p)
	c.done[p] = out
	return out
}

func one(kind string) []Difference { return []Difference{{Type: kind}} }

// at puts a step before the paths.
func at(step string, all []Difference) []Difference {
	out := make([]Difference, len(all))
	for i, d := range all {
		out[i] = Difference{d.Type, "/" + step + d.Path}
	}
	return out
}

func (c *comparer) kinds(from, to *node) []Difference {
	if from.kind != combinedKind && to.kind == combinedKind {
		if out, ok := c.widened(from, to); ok {
			return out
		}
	}
	if from.kind == combinedKind && to.kind != combinedKind {
		if out, ok := c.reduced(from, to); ok {
			return out
		}
	}
	if from.kind != to.kind {
		if from.kind == falseKind || to.kind == emptyKind || from.bytes && to.bytes {
			return nil
		}
		return one("TYPE_CHANGED")
	}
	return append(c.said(from, to), c.content(from, to)...)
}

// widened: one schema became a choice that it is part of.
func (c *comparer) widened(from, to *node) ([]Difference, bool) {
	parts := to.combined.parts
	if len(parts) == 1 {
		out := c.compare(from, parts[0])
		return out, c.compatible(out)
	}
	if to.combined.criterion == "allOf" {
		return nil, false
	}
	for _, part := range parts {
		if out := c.compare(from, part); c.compatible(out) {
			return append(slices.Clip(out), one("SUM_TYPE_EXTENDED")...), true
		}
	}
	return nil, false
}

// reduced: of several schemas that had to hold, one is left.
func (c *comparer) reduced(from, to *node) ([]Difference, bool) {
	parts := from.combined.parts
	if len(parts) == 1 {
		out := c.compare(parts[0], to)
		return out, c.compatible(out)
	}
	if from.combined.criterion != "allOf" {
		return nil, false
	}
	for _, part := range parts {
		if out := c.compare(part, to); c.compatible(out) {
			return append(slices.Clip(out), one("PRODUCT_TYPE_NARROWED")...), true
		}
	}
	return nil, false
}

// said are the keywords that do not decide what is valid.
func (c *comparer) said(from, to *node) []Difference {
	var out []Difference
	for kind, changed := range map[string]bool{
		"ID_CHANGED": from.id != to.id, "TITLE_CHANGED": from.title != to.title,
		"DESCRIPTION_CHANGED": from.description != to.description, "DEFAULT_CHANGED": !from.fallback.Equal(to.fallback),
	} {
		if changed {
			out = append(out, one(kind)...)
		}
	}
	return out
}

func (c *comparer) content(from, to *node) []Difference {
	switch from.kind {
	case stringKind:
		return c.strings(from, to)
	case numberKind:
		return c.numbers(from, to)
	case enumKind, constKind:
		return c.values(from, to)
	case notKind:
		// What is forbidden is compared the other way round.
		if c.compatible(c.compare(to.inner, from.inner)) {
			return at("not", one("NOT_TYPE_NARROWED"))
		}
		return at("not", one("NOT_TYPE_EXTENDED"))
	case combinedKind:
		return c.combinations(from.combined, to.combined)
	case objectKind:
		return c.objects(from, to)
	case arrayKind:
		return c.arrays(from, to)
	}
	return nil
}
