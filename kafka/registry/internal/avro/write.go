package avro

import (
	"slices"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// writer writes a schema as a text of one form.
type writer struct {
	form form
	out  []byte
	// done are the named types that are known to who reads on.
	done  map[string]*node
	space string
}

// form is what texts of one kind have of their own.
type form interface {
	// reference is what a type is called that is known.
	reference(w *writer, n name) string
	define(w *writer, n *node)
	// rest writes what has no meaning for Avro.
	rest(w *writer, source *tree.Value, known []string)
}

func write(n *node, known map[string]*node, f form) string {
	w := &writer{form: f, done: known}
	w.schema(n)
	return string(w.out)
}

func (w *writer) schema(n *node) {
	switch n.kind {
	case kindUnion:
		w.out = append(w.out, '[')
		for i, branch := range n.branches {
			w.comma(i)
			w.schema(branch)
		}
		w.out = append(w.out, ']')
	case kindRecord, kindError, kindEnum, kindFixed:
		if w.done[n.name.full()] != nil {
			w.text(w.form.reference(w, n.name))
			return
		}
		w.done[n.name.full()] = n
		w.form.define(w, n)
	case kindArray:
		w.begin(n.kind)
		w.key("items")
		w.schema(n.inner)
		w.rest(n.source, reserved)
	case kindMap:
		w.begin(n.kind)
		w.key("values")
		w.schema(n.inner)
		w.rest(n.source, reserved)
	default:
		if !hasOther(n.source, reserved) {
			w.text(n.kind)
			return
		}
		w.begin(n.kind)
		w.rest(n.source, reserved)
	}
}

func hasOther(source *tree.Value, known []string) bool {
	return source != nil && slices.ContainsFunc(source.Members, func(m tree.Member) bool { return !slices.Contains(known, m.Name) })
}

func (w *writer) others(source *tree.Value, known []string) {
	for _, m := range source.Members {
		if !slices.Contains(known, m.Name) {
			w.key(m.Name)
			w.out = m.Value.Append(w.out)
		}
	}
}

func (w *writer) rest(source *tree.Value, known []string) {
	w.form.rest(w, source, known)
	w.out = append(w.out, '}')
}

func (w *writer) copy(source *tree.Value, key string) {
	if v := source.Get(key); v.Is(tree.String) {
		w.key(key)
		w.text(v.Text)
	}
}

func (w *writer) begin(kind string) {
	w.out = append(w.out, `{"type":`...)
	w.text(kind)
}

func (w *writer) key(k string) {
	w.out = append(w.out, ',')
	w.text(k)
	w.out = append(w.out, ':')
}

func (w *writer) text(s string) { w.out = tree.AppendString(w.out, s) }

func (w *writer) texts(all []string) {
	w.out = append(w.out, '[')
	for i, s := range all {
		w.comma(i)
		w.text(s)
	}
	w.out = append(w.out, ']')
}

func (w *writer) comma(i int) {
	if i > 0 {
		w.out = append(w.out, ',')
	}
}
