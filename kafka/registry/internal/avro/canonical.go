package avro

import (
	"maps"
	"strconv"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Canonical is the schema as Avro's Java library writes it: what is equal but for spaces, the
// order of attributes and needless namespaces is the same text. Types of other schemas are names.
func (s *Schema) Canonical() string { return write(s.root, maps.Clone(s.known), canonical{}) }

// Resolved is Canonical with the types of other schemas written out.
func (s *Schema) Resolved() string { return write(s.root, map[string]*node{}, canonical{}) }

// What has a meaning of its own and is no property of a user's.
var (
	reserved      = []string{"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"}
	reservedEnum  = append([]string{"default"}, reserved...)
	reservedField = []string{"default", "doc", "name", "order", "type", "aliases"}
)

// canonical is the form of Java's texts.
type canonical struct{}

func (canonical) reference(w *writer, n name) string { return n.in(w.space) }

func (canonical) rest(w *writer, source *tree.Value, known []string) { w.others(source, known) }

func (f canonical) define(w *writer, n *node) {
	w.begin(n.kind)
	w.key("name")
	w.text(n.name.local)
	if n.name.space != w.space {
		w.key("namespace")
		w.text(n.name.space)
	}
	w.copy(n.source, "doc")
	switch n.kind {
	case kindEnum:
		w.key("symbols")
		w.texts(n.symbols)
		w.copy(n.source, "default")
		w.others(n.source, reservedEnum)
	case kindFixed:
		w.key("size")
		w.out = strconv.AppendInt(w.out, int64(n.size), 10)
		w.others(n.source, reserved)
	default:
		f.fields(w, n)
		w.others(n.source, reserved)
	}
	if len(n.aliases) > 0 {
		w.key("aliases")
		aliases := make([]string, len(n.aliases))
		for i, alias := range n.aliases {
			aliases[i] = newName(alias, "").in(n.name.space)
		}
		w.texts(aliases)
	}
	w.out = append(w.out, '}')
}

func (canonical) fields(w *writer, n *node) {
	outer := w.space
	w.space = n.name.space
	defer func() { w.space = outer }()
	w.key("fields")
	w.out = append(w.out, '[')
	for i, f := range n.fields {
		w.comma(i)
		w.out = append(w.out, `{"name":`...)
		w.text(f.name)
		w.key("type")
		w.schema(f.schema)
		w.copy(f.source, "doc")
		if f.fallback != nil {
			w.key("default")
			w.out = f.fallback.Append(w.out)
		}
		if order := f.source.Get("order"); order.Is(tree.String) && order.Text != "ascending" {
			w.copy(f.source, "order")
		}
		if len(f.aliases) > 0 {
			w.key("aliases")
			w.texts(f.aliases)
		}
		w.rest(f.source, reservedField)
	}
	w.out = append(w.out, ']')
}
