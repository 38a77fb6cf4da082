package config

import (
	"slices"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
)

const rulesKey = "mask.rules"

var ruleKeys = []string{"topics", "fields", "headers", "keys", "reveal"}

// rules reads the list of masking rules.
func (r *reader) rules(n ast.Node) []mask.Rule {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fail(n, "%s: expected a list of rules", rulesKey)
		return nil
	}
	var rules []mask.Rule
	for _, element := range list.Values {
		values, ok := element.(ast.MapNode)
		if !ok || element.Type() == ast.AliasType {
			r.fail(element, "%s: a rule has the keys topics, fields, headers, keys and reveal", rulesKey)
			continue
		}
		var rule mask.Rule
		for it := values.MapRange(); it.Next(); {
			r.ruleKey(&rule, it.KeyValue())
		}
		rules = append(rules, rule)
	}
	return rules
}

func (r *reader) ruleKey(rule *mask.Rule, kv *ast.MappingValueNode) {
	name, _ := scalar(kv.Key)
	if !slices.Contains(ruleKeys, name) {
		hint := ""
		if near := nearest(name, ruleKeys); near != "" {
			hint = "; did you mean " + near + "?"
		}
		r.fail(kv.Key, "unknown key %s of a masking rule%s", name, hint)
		return
	}
	as := Setting{Key: rulesKey + "." + name, field: func(*Settings) any { return &rule.Topics }}
	switch name {
	case "fields":
		as.field = func(*Settings) any { return &rule.Fields }
	case "headers":
		as.field = func(*Settings) any { return &rule.Headers }
	case "keys", "reveal":
		as.field = func(*Settings) any { return new(string) }
	}
	texts, ok := r.texts(as, kv.Value)
	switch {
	case !ok:
	case name == "keys":
		hides, err := strconv.ParseBool(texts[0])
		if err != nil {
			r.fail(kv.Value, "%s: it is true or false", as.Key)
		}
		rule.Keys = hides
	case name == "reveal":
		rule.Reveal = api.Role(texts[0])
	default:
		_ = as.set(nil, texts) // a list takes every text
	}
}
