package jsonschema

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// refer finds what a $ref names; nil where there is none.
func (l *loader) refer(ref string) *node {
	at, fragment, _ := strings.Cut(ref, "#")
	doc := l.documents[l.base.String()]
	if at != "" {
		if doc = l.documents[at]; doc == nil {
			doc = l.documents[locate(l.base, at)]
		}
	}
	if doc == nil {
		return nil
	}
	if fragment == "" {
		return l.node(doc)
	}
	if !strings.HasPrefix(fragment, "/") {
		return l.node(anchored(doc, fragment))
	}
	for _, step := range strings.Split(fragment[1:], "/") {
		if decoded, err := url.PathUnescape(step); err == nil {
			step = decoded
		}
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		if doc = into(doc, step); doc == nil {
			return nil
		}
	}
	return l.node(doc)
}

func into(v *tree.Value, step string) *tree.Value {
	if v.Kind == tree.Array {
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v.Items) {
			return v.Items[i]
		}
		return nil
	}
	return v.Get(step)
}

// anchored finds the part of a document that has an anchor.
func anchored(v *tree.Value, name string) *tree.Value {
	if text(v.Get("$anchor")) == name || text(v.Get("$id")) == "#"+name {
		return v
	}
	for _, item := range v.Items {
		if found := anchored(item, name); found != nil {
			return found
		}
	}
	for _, m := range v.Members {
		if found := anchored(m.Value, name); found != nil {
			return found
		}
	}
	return nil
}
