package avro

import (
	"fmt"
	"slices"
	"strconv"
)

// Decimals returns the decimals whose precision or scale is not that of the writer. Compare, as
// Avro's Java library, does not look at them; but Avro's specification says that they do not match.
func Decimals(reader, writer *Schema) []Difference {
	d := &decimals{seen: map[pair]bool{}}
	d.compare(nil, reader.root, writer.root)
	return d.found
}

type decimals struct {
	seen  map[pair]bool
	found []Difference
}

func (d *decimals) compare(path []string, r, w *node) {
	p := pair{r, w}
	if d.seen[p] || len(d.seen) >= maxWork {
		return
	}
	d.seen[p] = true
	switch {
	case r.kind == kindUnion:
		for i, branch := range r.branches {
			if found := like(branch, w); found != nil {
				d.compare(append(slices.Clip(path), strconv.Itoa(i)), branch, found)
			}
		}
	case w.kind == kindUnion:
		if found := like(r, w); found != nil {
			d.compare(path, r, found)
		}
	case kindOf(r) != kindOf(w):
	case r.kind == kindArray:
		d.compare(append(slices.Clip(path), "items"), r.inner, w.inner)
	case r.kind == kindMap:
		d.compare(append(slices.Clip(path), "values"), r.inner, w.inner)
	case kindOf(r) == kindRecord:
		d.fields(path, r, w)
	default:
		if is, was := digits(r), digits(w); is != was && is != "" && was != "" {
			d.found = append(d.found, difference("DECIMAL_MISMATCH", fmt.Sprintf("reader: %s, writer: %s", is, was), path))
		}
	}
}

func (d *decimals) fields(path []string, r, w *node) {
	written := make(map[string]*field, len(w.fields))
	for _, f := range w.fields {
		written[f.name] = f
	}
	for i, f := range r.fields {
		for _, found := range matching(f, written) {
			d.compare(append(slices.Clip(path), "fields", strconv.Itoa(i), "type"), f.schema, found.schema)
		}
	}
}

// like is the writer's type, or the branch of its union, that is read as a type; nil where none is.
func like(r, w *node) *node {
	branches := []*node{w}
	if w.kind == kindUnion {
		branches = w.branches
	}
	for _, b := range branches {
		if kindOf(b) == kindOf(r) && len(names(nil, r, b)) == 0 {
			return b
		}
	}
	return nil
}

// digits are those of a decimal, "" for what is none.
func digits(n *node) string {
	if textOf(n.source.Get("logicalType")) != "decimal" {
		return ""
	}
	scale := textOf(n.source.Get("scale"))
	if scale == "" {
		scale = "0"
	}
	return fmt.Sprintf("decimal(%s,%s)", textOf(n.source.Get("precision")), scale)
}
