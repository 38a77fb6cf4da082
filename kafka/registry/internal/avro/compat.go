package avro

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Difference is one reason why a reader does not understand what a writer wrote.
type Difference struct {
	// Type is the name that Avro's Java library has for it, such as TYPE_MISMATCH.
	Type string
	// Path is a JSON pointer into the reader's schema.
	Path string
	// Info is the name or the values it is about.
	Info string
}

var explanations = map[string]string{
	"NAME_MISMATCH":                      "the name at '{path}' differs between the {reader} and the {writer} schema",
	"FIXED_SIZE_MISMATCH":                "the size of the fixed at '{path}' in the {reader} schema is not that in the {writer} schema",
	"MISSING_ENUM_SYMBOLS":               "the {reader} schema lacks symbols {info} at '{path}' of the {writer} schema, and has no default",
	"READER_FIELD_MISSING_DEFAULT_VALUE": "the field '{info}' at '{path}' in the {reader} schema has no default and is not in the {writer} schema",
	"TYPE_MISMATCH":                      "the type at '{path}' in the {reader} schema does not take that of the {writer} schema",
	"MISSING_UNION_BRANCH":               "a union at '{path}' in the {reader} schema lacks a type of the {writer} schema",
	"TOO_COMPLEX":                        "comparing the {reader} with the {writer} schema needs too many steps; smaller unions help",
	"DECIMAL_MISMATCH":                   "the decimal at '{path}' in the {reader} schema has another precision or scale than in the {writer} schema: readers refuse such values, or take them for others",
	"AMBIGUOUS_FIELD":                    "the field '{info}' at '{path}' in the {reader} schema has aliases of several fields of the {writer} schema",
}

// Error is the difference in Confluent's form; reader and writer are "new" and "old".
func (d Difference) Error(reader, writer string) string {
	text := strings.NewReplacer("{path}", d.Path, "{info}", d.Info, "{reader}", reader, "{writer}", writer).Replace(explanations[d.Type])
	return fmt.Sprintf("{errorType:'%s', description:'%s', additionalInfo:'%s'}", d.Type, text, d.Info)
}

// Compare returns why the reader does not understand everything that the writer may write; nothing
// where it does. It decides as Avro's Java library does: unlike the specification's resolution,
// names of types are compared without their namespaces.
func Compare(reader, writer *Schema) []Difference {
	c := &checker{seen: map[pair]*result{}, left: maxWork}
	return c.compare("", nil, reader.root, writer.root)
}

type pair struct{ reader, writer *node }

type result struct {
	done        bool
	differences []Difference
}

// maxWork is how many pairs of types are compared at most: unions in unions make many.
const maxWork = 200_000

type checker struct {
	seen map[pair]*result
	left int
}

// compare takes pairs that it is in the middle of as compatible: recursion ends there.
func (c *checker) compare(step string, path []string, r, w *node) []Difference {
	if step != "" {
		path = append(slices.Clip(path), step)
	}
	p := pair{r, w}
	if known := c.seen[p]; known != nil {
		if !known.done {
			return nil
		}
		return known.differences
	}
	if c.left--; c.left < 0 {
		return []Difference{difference("TOO_COMPLEX", "", path)}
	}
	out := &result{}
	c.seen[p] = out
	out.differences = c.pair(path, r, w)
	out.done = true
	return out.differences
}

func (c *checker) pair(path []string, r, w *node) []Difference {
	if kindOf(r) != kindOf(w) {
		return c.unlike(path, r, w)
	}
	switch r.kind {
	case kindArray:
		return c.compare("items", path, r.inner, w.inner)
	case kindMap:
		return c.compare("values", path, r.inner, w.inner)
	case kindFixed:
		out := names(path, r, w)
		if r.size != w.size {
			out = append(out, difference("FIXED_SIZE_MISMATCH", fmt.Sprintf("expected: %d, found: %d", w.size, r.size), path, "size"))
		}
		return out
	case kindEnum:
		return append(names(path, r, w), symbols(path, r, w)...)
	case kindRecord, kindError:
		return append(names(path, r, w), c.fields(path, r, w)...)
	case kindUnion:
		var out []Difference
		for i, branch := range w.branches {
			if len(c.compare("", nil, r, branch)) > 0 {
				out = append(out, lacking(branch, path, strconv.Itoa(i)))
			}
		}
		return out
	}
	return nil
}

func (c *checker) unlike(path []string, r, w *node) []Difference {
	if w.kind == kindUnion {
		var out []Difference
		for _, branch := range w.branches {
			out = append(out, c.compare("", nil, r, branch)...)
		}
		return out
	}
	if r.kind == kindUnion {
		for _, branch := range r.branches {
			if len(c.compare("", nil, branch, w)) == 0 {
				return nil
			}
		}
		return []Difference{lacking(w, path)}
	}
	if slices.Contains(promotions[r.kind], w.kind) {
		return nil
	}
	info := fmt.Sprintf("reader type: %s not compatible with writer type: %s", upper(r), upper(w))
	return []Difference{difference("TYPE_MISMATCH", info, path)}
}

// promotions are what a reader of a type also takes.
var promotions = map[string][]string{
	"long":   {"int"},
	"float":  {"int", "long"},
	"double": {"int", "long", "float"},
	"bytes":  {"string"},
	"string": {"bytes"},
}

func names(path []string, r, w *node) []Difference {
	if r.name.local == w.name.local || slices.Contains(r.aliases, w.name.full()) {
		return nil
	}
	return []Difference{difference("NAME_MISMATCH", "expected: "+w.name.full(), path, "name")}
}

func symbols(path []string, r, w *node) []Difference {
	var missing []string
	for _, symbol := range w.symbols {
		if !slices.Contains(r.symbols, symbol) {
			missing = append(missing, symbol)
		}
	}
	if len(missing) == 0 || r.source.Get("default") != nil {
		return nil
	}
	slices.Sort(missing)
	return []Difference{difference("MISSING_ENUM_SYMBOLS", "["+strings.Join(missing, ", ")+"]", path, "symbols")}
}

func (c *checker) fields(path []string, r, w *node) []Difference {
	written := make(map[string]*field, len(w.fields))
	for _, f := range w.fields {
		written[f.name] = f
	}
	var out []Difference
	for i, f := range r.fields {
		at := append(slices.Clip(path), "fields", strconv.Itoa(i))
		found := matching(f, written)
		switch {
		case len(found) > 1:
			out = append(out, difference("AMBIGUOUS_FIELD", f.name, at))
		case len(found) == 1:
			out = append(out, c.compare("type", at, f.schema, found[0].schema)...)
		case f.fallback == nil:
			out = append(out, difference("READER_FIELD_MISSING_DEFAULT_VALUE", f.name, at))
		}
	}
	return out
}

// matching are the writer's fields that a reader's field may be read from: one or none, if its
// aliases are sound.
func matching(f *field, written map[string]*field) []*field {
	var found []*field
	for _, name := range append([]string{f.name}, f.aliases...) {
		if w := written[name]; w != nil && !slices.Contains(found, w) {
			found = append(found, w)
		}
	}
	return found
}

func lacking(n *node, path []string, more ...string) Difference {
	return difference("MISSING_UNION_BRANCH", "reader union lacking writer type: "+upper(n), path, more...)
}

func upper(n *node) string { return strings.ToUpper(kindOf(n)) }

var pointer = strings.NewReplacer("~", "~0", "/", "~1")

func difference(kind, info string, path []string, more ...string) Difference {
	var at strings.Builder
	for _, step := range append(slices.Clip(path), more...) {
		at.WriteString("/" + pointer.Replace(step))
	}
	if at.Len() == 0 {
		at.WriteByte('/')
	}
	return Difference{Type: kind, Path: at.String(), Info: info}
}
