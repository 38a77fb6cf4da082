package jsonschema

import (
	"math/big"
	"regexp"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

func (l *loader) string(v *tree.Value) *node {
	n := &node{kind: stringKind}
	n.bound(v, "minLength", "maxLength")
	if p := v.Get("pattern"); p.Is(tree.String) {
		n.pattern = &p.Text
	}
	return n
}

func (l *loader) number(v *tree.Value) *node {
	n := &node{kind: numberKind}
	n.bound(v, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
	return n
}

func (n *node) bound(v *tree.Value, names ...string) {
	for _, name := range names {
		if b := v.Get(name); b.Is(tree.Number) {
			if n.bounds == nil {
				n.bounds = map[string]*big.Rat{}
			}
			n.bounds[name] = b.Number()
		}
	}
}

func (l *loader) object(v *tree.Value) *node {
	o := &object{properties: map[string]*node{}, required: map[string]bool{}, needs: map[string][]string{}, needSchemas: map[string]*node{}}
	if list := v.Get("properties"); list.Is(tree.Object) {
		for _, m := range list.Members {
			o.names = append(o.names, m.Name)
			o.properties[m.Name] = l.node(m.Value)
		}
	}
	if list := v.Get("required"); list.Is(tree.Array) {
		for _, item := range list.Items {
			o.required[text(item)] = true
		}
	}
	if list := v.Get("patternProperties"); list.Is(tree.Object) {
		for _, m := range list.Members {
			pattern, _ := regexp.Compile(m.Name)
			o.patterns = append(o.patterns, patternProperty{pattern, l.node(m.Value)})
		}
	}
	o.additional = l.rest(v.Get("additionalProperties"))
	o.unevaluated = l.node(l.get(v, "unevaluatedProperties"))
	l.dependencies(o, v)
	n := &node{kind: objectKind, object: o}
	n.bound(v, "minProperties", "maxProperties")
	return n
}

func (l *loader) dependencies(o *object, v *tree.Value) {
	for _, key := range []string{"dependencies", "dependentRequired", "dependentSchemas"} {
		list := l.get(v, key)
		if !list.Is(tree.Object) {
			continue
		}
		for _, m := range list.Members {
			if m.Value.Kind != tree.Array {
				o.needSchemas[m.Name] = l.node(m.Value)
				continue
			}
			names := []string{}
			for _, item := range m.Value.Items {
				names = append(names, text(item))
			}
			o.needs[m.Name] = names
		}
	}
}

func (l *loader) rest(v *tree.Value) rest {
	switch {
	case v.Is(tree.Bool):
		return rest{forbidden: v.Text == "false"}
	case v.Is(tree.Object):
		return rest{schema: l.node(v)}
	}
	return rest{}
}

func (l *loader) array(v *tree.Value) *node {
	a := &array{}
	items, more := v.Get("items"), v.Get("additionalItems")
	if prefix := l.get(v, "prefixItems"); prefix.Is(tree.Array) {
		items, more = prefix, items
	} else if l.draft == draft2020 && items.Is(tree.Bool) {
		items, more = nil, items
	}
	if items.Is(tree.Array) {
		a.items = l.all(items)
	} else {
		a.all = l.node(items)
	}
	a.additional = l.rest(more)
	a.unevaluated = l.node(l.get(v, "unevaluatedItems"))
	n := &node{kind: arrayKind, array: a}
	n.bound(v, "minItems", "maxItems")
	if l.draft >= draft2019 {
		n.bound(v, "minContains", "maxContains")
	}
	if u := v.Get("uniqueItems"); u.Is(tree.Bool) {
		n.unique = u.Text == "true"
	}
	return n
}
