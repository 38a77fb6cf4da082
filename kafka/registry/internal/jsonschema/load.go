package jsonschema

import (
	"net/url"
	"slices"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Keywords by what they are about.
var (
	stringKeywords      = []string{"minLength", "maxLength", "pattern", "format"}
	numberKeywords      = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
	objectKeywords      = []string{"properties", "required", "minProperties", "maxProperties", "dependencies", "patternProperties", "additionalProperties", "propertyNames", "dependentRequired", "dependentSchemas", "unevaluatedProperties"}
	arrayKeywords       = []string{"items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "prefixItems", "minContains", "maxContains", "unevaluatedItems"}
	conditionalKeywords = []string{"if", "then", "else"}
)

// loader turns texts into nodes, one per place in a text, so that a schema that contains itself
// becomes a circle.
type loader struct {
	base      *url.URL
	draft     draft
	documents map[string]*tree.Value
	nodes     map[*tree.Value]*node
}

func (s *Schema) load() *node {
	l := &loader{base: s.base(), documents: map[string]*tree.Value{}, nodes: map[*tree.Value]*node{}}
	l.draft, _ = draftOf(s.source)
	l.documents[l.base.String()] = s.source
	for _, ref := range s.refs {
		l.documents[locate(l.base, ref.name)] = ref.value
		l.documents[ref.name] = ref.value
	}
	return l.node(s.source)
}

func (l *loader) node(v *tree.Value) *node {
	if v == nil {
		return nil
	}
	if known := l.nodes[v]; known != nil {
		return known
	}
	n := &node{source: v}
	l.nodes[v] = n
	if v.Kind == tree.Bool && v.Text == "false" {
		n.kind = falseKind
	}
	if v.Kind != tree.Object {
		return n
	}
	parts := l.parts(v)
	switch len(parts) {
	case 0:
	case 1:
		*n = *parts[0]
	default:
		n.kind, n.combined = combinedKind, &combination{"allOf", parts}
	}
	n.source = v
	common(n, v)
	return n
}

// modern are the keywords that came with draft 2019-09; to older schemas they say nothing.
var modern = set("dependentRequired dependentSchemas unevaluatedProperties unevaluatedItems prefixItems minContains maxContains")

func (l *loader) get(v *tree.Value, word string) *tree.Value {
	if modern[word] && l.draft < draft2019 {
		return nil
	}
	return v.Get(word)
}

func common(n *node, v *tree.Value) {
	n.id = text(v.Get("$id"))
	n.title, n.description = text(v.Get("title")), text(v.Get("description"))
	n.fallback = v.Get("default")
	n.bytes = text(v.Get("connect.type")) == "bytes"
}

func text(v *tree.Value) string {
	if v.Is(tree.String) {
		return v.Text
	}
	return ""
}

// parts are the schemas that the keywords of one object make; all of them must hold.
func (l *loader) parts(v *tree.Value) []*node {
	var parts []*node
	if ref := v.Get("$ref"); ref.Is(tree.String) {
		parts = append(parts, &node{kind: referenceKind, refers: l.refer(ref.Text)})
		if l.draft < draft2019 {
			return parts // whatever stands beside it is ignored
		}
	}
	if values := v.Get("enum"); values.Is(tree.Array) {
		parts = append(parts, &node{kind: enumKind, values: values.Items})
	}
	for _, criterion := range []string{"allOf", "anyOf", "oneOf"} {
		if list := v.Get(criterion); list.Is(tree.Array) {
			parts = append(parts, &node{kind: combinedKind, combined: &combination{criterion, l.all(list)}})
		}
	}
	if not := v.Get("not"); not != nil {
		parts = append(parts, &node{kind: notKind, inner: l.node(not)})
	}
	if value := v.Get("const"); value != nil && l.draft > draft4 {
		parts = append(parts, &node{kind: constKind, values: []*tree.Value{value}})
	}
	typed, kinds := l.typed(v)
	return append(append(parts, typed...), l.untyped(v, kinds)...)
}

func (l *loader) all(list *tree.Value) []*node {
	out := make([]*node, len(list.Items))
	for i, item := range list.Items {
		out[i] = l.node(item)
	}
	return out
}

// typed is what "type" says, with the kinds whose keywords belong to it.
func (l *loader) typed(v *tree.Value) ([]*node, []kind) {
	given := v.Get("type")
	if given.Is(tree.String) {
		if n := l.ofType(given.Text, v); n != nil {
			return []*node{n}, []kind{n.kind}
		}
	}
	if !given.Is(tree.Array) {
		return nil, nil
	}
	c := &combination{criterion: "anyOf"}
	var kinds []kind
	for _, item := range given.Items {
		if n := l.ofType(text(item), v); n != nil {
			n.source = item
			c.parts, kinds = append(c.parts, n), append(kinds, n.kind)
		}
	}
	return []*node{{kind: combinedKind, combined: c}}, kinds
}

func (l *loader) ofType(name string, v *tree.Value) *node {
	switch name {
	case "string":
		return l.string(v)
	case "number", "integer":
		n := l.number(v)
		n.integer = name == "integer"
		return n
	case "boolean":
		return &node{kind: booleanKind}
	case "null":
		return &node{kind: nullKind}
	case "object":
		return l.object(v)
	case "array":
		return l.array(v)
	}
	return nil
}

// untyped are the kinds that keywords show where the type does not name them.
func (l *loader) untyped(v *tree.Value, named []kind) []*node {
	var out []*node
	for _, k := range []struct {
		kind  kind
		words []string
		read  func(*tree.Value) *node
	}{
		{arrayKind, arrayKeywords, l.array},
		{objectKind, objectKeywords, l.object},
		{numberKind, numberKeywords, l.number},
		{stringKind, stringKeywords, l.string},
		{conditionalKind, conditionalKeywords, func(*tree.Value) *node { return &node{kind: conditionalKind} }},
	} {
		if !slices.Contains(named, k.kind) && slices.ContainsFunc(k.words, func(w string) bool { return l.get(v, w) != nil }) {
			out = append(out, k.read(v))
		}
	}
	return out
}
