package mongodb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// fieldRule excludes a field from documents, or renames it.
type fieldRule struct {
	namespace *regexp.Regexp
	nodes     []string
	rename    string // the new last node; "" excludes
}

// fieldRules are those of field.exclude.list and field.renames.
type fieldRules []fieldRule

// parseFields reads the two options. Its errors name the entry.
func parseFields(exclude, renames string) (rules fieldRules, err error) {
	for entry := range entries(exclude) {
		rule, err := parseRule(entry, "")
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	for entry := range entries(renames) {
		path, name, ok := strings.Cut(entry, ":")
		if !ok || name == "" || strings.Contains(name, ":") {
			return nil, fmt.Errorf("%s has invalid format (expecting <databaseName>.<collectionName>.<fieldName>:<newFieldName>)", entry)
		}
		rule, err := parseRule(path, strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func entries(list string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for entry := range strings.SplitSeq(list, ",") {
			if entry = strings.TrimSpace(entry); entry != "" && !yield(entry) {
				return
			}
		}
	}
}

func parseRule(path, rename string) (fieldRule, error) {
	nodes := strings.Split(path, ".")
	if len(nodes) < 3 || slices.Contains(nodes, "") {
		return fieldRule{}, fmt.Errorf("%s has invalid format (expecting <databaseName>.<collectionName>.<fieldName>.<nestedFieldName>)", path)
	}
	wild := func(node string) string { return strings.ReplaceAll(node, "*", ".*") }
	namespace, err := regexp.Compile(`(?i)^(?:` + wild(nodes[0]) + `\.` + wild(nodes[1]) + `)$`)
	if err != nil {
		return fieldRule{}, fmt.Errorf("%s has invalid format: %w", path, err)
	}
	return fieldRule{namespace, nodes[2:], rename}, nil
}

// of one collection.
func (rules fieldRules) of(ns namespace) (own fieldRules) {
	for _, rule := range rules {
		if rule.namespace.MatchString(ns.String()) {
			own = append(own, rule)
		}
	}
	return own
}

// document is a whole one as it is to be shown.
func (rules fieldRules) document(raw bson.Raw) (bson.Raw, error) {
	return rules.change(raw, func(rule fieldRule, doc bson.D) (bson.D, error) { return rule.nested(doc, rule.nodes) })
}

// update is the fields that an update set, whose names are paths.
func (rules fieldRules) update(raw bson.Raw) (bson.Raw, error) {
	return rules.change(raw, fieldRule.dotted)
}

func (rules fieldRules) change(raw bson.Raw, apply func(fieldRule, bson.D) (bson.D, error)) (bson.Raw, error) {
	if len(rules) == 0 {
		return raw, nil
	}
	var doc bson.D
	err := bson.Unmarshal(raw, &doc)
	for i := 0; i < len(rules) && err == nil; i++ {
		doc, err = apply(rules[i], doc)
	}
	if err != nil {
		return nil, err
	}
	return bson.Marshal(doc)
}

// name is that of a field that an update removed; ok is false where nobody is to know of it.
func (rules fieldRules) name(path string) (shown string, ok bool) {
	parts := strings.Split(path, ".")
	for _, rule := range rules {
		if !prefix(plainNodes(parts), rule.nodes) {
			continue
		}
		if rule.rename == "" {
			return "", false
		}
		return rule.renamed(parts), true
	}
	return path, true
}

// nested changes a document below the nodes that lead to it.
func (rule fieldRule) nested(doc bson.D, nodes []string) (bson.D, error) {
	at := index(doc, nodes[0])
	if at < 0 {
		return doc, nil
	}
	if len(nodes) == 1 {
		return rule.last(doc, at, rule.rename)
	}
	value, err := rule.below(doc[at].Value, nodes[1:])
	doc[at].Value = value
	return doc, err
}

func (rule fieldRule) below(value any, nodes []string) (any, error) {
	switch value := value.(type) {
	case bson.D:
		return rule.nested(value, nodes)
	case bson.A:
		for i, item := range value {
			if inner, ok := item.(bson.D); ok {
				changed, err := rule.nested(inner, nodes)
				if err != nil {
					return nil, err
				}
				value[i] = changed
			}
		}
	}
	return value, nil
}

// last removes the field, or moves it to the end under its new name.
func (rule fieldRule) last(doc bson.D, at int, name string) (bson.D, error) {
	value := doc[at].Value
	doc = slices.Delete(doc, at, at+1)
	if rule.rename == "" {
		return doc, nil
	}
	return put(doc, name, value)
}

func put(doc bson.D, name string, value any) (bson.D, error) {
	if index(doc, name) >= 0 {
		return nil, fmt.Errorf("field.renames: a document already contains the field %s", name)
	}
	return append(doc, bson.E{Key: name, Value: value}), nil
}

func index(doc bson.D, key string) int {
	return slices.IndexFunc(doc, func(e bson.E) bool { return e.Key == key })
}

// dotted changes what an update set. Like Debezium it looks no further than the first field
// that holds the rule's.
func (rule fieldRule) dotted(doc bson.D) (bson.D, error) {
	if at := index(doc, strings.Join(rule.nodes, ".")); at >= 0 {
		return rule.last(doc, at, rule.renamed(rule.nodes))
	}
	var kept, renamed bson.D
	for i, e := range doc {
		original := strings.Split(e.Key, ".")
		nodes := plainNodes(original)
		switch {
		case len(nodes) >= len(rule.nodes) && prefix(rule.nodes, nodes):
			if rule.rename != "" {
				renamed = append(renamed, bson.E{Key: rule.renamed(original), Value: e.Value})
			}
			continue
		case len(nodes) < len(rule.nodes) && prefix(nodes, rule.nodes):
			value, err := rule.below(e.Value, rule.nodes[len(nodes):])
			if err != nil {
				return nil, err
			}
			e.Value = value
			kept = append(append(kept, e), doc[i+1:]...)
			return putAll(kept, renamed)
		}
		kept = append(kept, e)
	}
	return putAll(kept, renamed)
}

func putAll(doc, more bson.D) (bson.D, error) {
	var err error
	for i := 0; i < len(more) && err == nil; i++ {
		doc, err = put(doc, more[i].Key, more[i].Value)
	}
	if doc == nil {
		doc = bson.D{}
	}
	return doc, err
}

// renamed replaces the node that the rule is about; places in arrays do not count.
func (rule fieldRule) renamed(nodes []string) string {
	out, i := slices.Clone(nodes), 0
	for at, node := range nodes {
		if numeric(node) {
			continue
		}
		if i == len(rule.nodes)-1 {
			out[at] = rule.rename
		}
		i++
	}
	return strings.Join(out, ".")
}

// plainNodes leaves out places in arrays, unless two follow one another.
func plainNodes(nodes []string) []string {
	if len(nodes) < 2 {
		return nodes
	}
	var plain []string
	for i, node := range nodes {
		switch {
		case !numeric(node):
			plain = append(plain, node)
		case i > 0 && numeric(nodes[i-1]):
			return nodes
		}
	}
	return plain
}

func numeric(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func prefix(begin, all []string) bool {
	return len(begin) <= len(all) && slices.Equal(begin, all[:len(begin)])
}
