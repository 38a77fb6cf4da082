package avro

import (
	"maps"
	"slices"
	"strconv"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Normalized is the text of ?normalize=true: full names, and what has no order is sorted.
func (s *Schema) Normalized() string { return write(s.root, maps.Clone(s.known), normal{}) }

// normal is the form of normalized texts.
type normal struct{}

func (normal) reference(_ *writer, n name) string { return n.full() }

func (normal) rest(w *writer, source *tree.Value, known []string) { w.others(source.Sorted(), known) }

func (f normal) define(w *writer, n *node) {
	w.out = append(w.out, `{"name":`...)
	w.text(n.name.full())
	w.key("type")
	w.text(kindOf(n))
	known := reserved
	switch n.kind {
	case kindEnum:
		known = reservedEnum
		w.key("symbols")
		w.texts(n.symbols)
	case kindFixed:
		w.key("size")
		w.out = strconv.AppendInt(w.out, int64(n.size), 10)
	default:
		f.fields(w, n)
	}
	if doc := n.source.Get("doc"); doc.Is(tree.String) && doc.Text != "" {
		w.copy(n.source, "doc")
	}
	f.texts(w, "aliases", n.aliases)
	if n.kind == kindEnum {
		w.copy(n.source, "default")
	}
	w.rest(n.source, known)
}

// kindOf takes an error as the record that it is.
func kindOf(n *node) string {
	if n.kind == kindError {
		return kindRecord
	}
	return n.kind
}

func (form normal) fields(w *writer, n *node) {
	w.key("fields")
	w.out = append(w.out, '[')
	for i, f := range n.fields {
		w.comma(i)
		w.out = append(w.out, `{"name":`...)
		w.text(f.name)
		w.key("type")
		w.schema(f.schema)
		if order := f.source.Get("order"); order.Is(tree.String) && order.Text != "ascending" {
			w.copy(f.source, "order")
		}
		w.copy(f.source, "doc")
		form.texts(w, "aliases", f.aliases)
		if f.fallback != nil {
			w.key("default")
			w.out = f.fallback.Sorted().Append(w.out)
		}
		w.rest(f.source, reservedField)
	}
	w.out = append(w.out, ']')
}

func (normal) texts(w *writer, key string, all []string) {
	if len(all) > 0 {
		w.key(key)
		w.texts(slices.Sorted(slices.Values(all)))
	}
}
