package transform

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Keys of a connector's configuration, and those of each transform that are not its own.
const (
	transformsKey = "transforms"
	predicatesKey = "predicates"
	typeKey       = "type"
	predicateKey  = "predicate"
	negateKey     = "negate"
)

// Definition is the keys of the transforms and predicates that a connector's configuration lists,
// with those that list them: "transforms", "transforms.route.type", "transforms.route.regex" and so
// on. A transform of an unknown class has its type only.
func Definition(given map[string]string, set plugin.Set) config.Definition {
	d := definition{config.Definition{Keys: []config.Key{
		listKey(transformsKey, "Transforms", "Names of one's own for the transforms of records, in the order in which they are applied."),
		listKey(predicatesKey, "Predicates", "Names of one's own for the predicates that transforms use."),
	}}}
	known := aliases(given, predicatesKey)
	for _, alias := range aliases(given, transformsKey) {
		prefix, group := transformsKey+"."+alias+".", "Transforms: "+alias
		p, ok := findTransform(set, given[prefix+typeKey])
		of := typeOf(alias, "transform", infos(set.Transforms, func(p plugin.TransformPlugin) plugin.Info { return p.Info }), negation(given, prefix))
		keys := []config.Key{of}
		if ok {
			keys = append(keys, predicateOf(known), negateOf)
			keys = append(keys, own(p.Config.Keys)...)
		}
		d.add(prefix, group, keys, p.Config.Patterns)
	}
	for _, alias := range known {
		prefix, group := predicatesKey+"."+alias+".", "Predicates: "+alias
		p, ok := findPredicate(set, given[prefix+typeKey])
		keys := []config.Key{typeOf(alias, "predicate", infos(set.Predicates, func(p plugin.PredicatePlugin) plugin.Info { return p.Info }), nil)}
		if ok {
			keys = append(keys, p.Config.Keys...)
		}
		d.add(prefix, group, keys, p.Config.Patterns)
	}
	return d.Definition
}

// definition grows.
type definition struct{ config.Definition }

func (d *definition) add(prefix, group string, keys []config.Key, patterns []string) {
	for _, key := range keys {
		key.Name, key.Group = prefix+key.Name, group
		d.Keys = append(d.Keys, key)
	}
	for _, p := range patterns {
		d.Patterns = append(d.Patterns, prefix+p)
	}
}

func listKey(name, group, doc string) config.Key {
	return config.Key{Name: name, Type: config.List, Importance: config.Low, Group: group, Label: group, Doc: doc, Check: distinct}
}

func distinct(v any) error {
	list, _ := v.([]string)
	if len(slices.Compact(slices.Sorted(slices.Values(list)))) < len(list) {
		return errors.New("Duplicate alias provided.") //nolint:staticcheck // Kafka Connect's own words
	}
	return nil
}

// aliases that a key lists are each once, also where it has some twice.
func aliases(given map[string]string, key string) []string {
	v, _ := config.Definition{Keys: []config.Key{{Name: key, Type: config.List}}}.Parse(given)
	var all []string
	for _, alias := range v.List(key) {
		if alias != "" && !slices.Contains(all, alias) {
			all = append(all, alias)
		}
	}
	return all
}

// typeOf is the class; also is what else can be wrong with it.
func typeOf(alias, what string, known []plugin.Info, also error) config.Key {
	var classes []string
	for _, i := range known {
		classes = append(classes, i.Class)
	}
	return config.Key{
		Name: typeKey, Type: config.Class, Required: true, Importance: config.High, Recommended: classes,
		Doc: fmt.Sprintf("Class of the %s %s.", what, alias),
		Check: func(v any) error {
			class, _ := v.(string)
			if class == "" {
				return nil // that it is missing is told
			}
			if !slices.ContainsFunc(known, func(i plugin.Info) bool { return isCalled(i, class) }) {
				return fmt.Errorf("Class %s could not be found.", class) //nolint:staticcheck // Kafka Connect's own words
			}
			return also
		},
	}
}

func negation(given map[string]string, prefix string) error {
	_, negate := given[prefix+negateKey]
	_, predicate := given[prefix+predicateKey]
	if negate && !predicate {
		return fmt.Errorf("Config '%s' was provided but there is no config '%s' defining a predicate to be negated.", //nolint:staticcheck // see above
			prefix+negateKey, prefix+predicateKey)
	}
	return nil
}

func predicateOf(known []string) config.Key {
	return config.Key{
		Name: predicateKey, Type: config.String, Recommended: known,
		Doc: "Name of the predicate that records must fulfil for the transform to be applied; without it, it always is.",
		Check: func(v any) error {
			if name, ok := v.(string); ok && !slices.Contains(known, name) {
				return fmt.Errorf(`there is no predicate of that name: list it in "predicates" and set predicates.%s.type`, name)
			}
			return nil
		},
	}
}

var negateOf = config.Key{
	Name: negateKey, Type: config.Boolean, Default: "false",
	Doc: "Whether the transform is applied to the records that do not fulfil the predicate instead.",
}

// own are the keys without those that all transforms have.
func own(keys []config.Key) []config.Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k config.Key) bool { return k.Name == predicateKey || k.Name == negateKey })
}

func infos[P any](all []P, info func(P) plugin.Info) []plugin.Info {
	out := make([]plugin.Info, len(all))
	for i, p := range all {
		out[i] = info(p)
	}
	return out
}

func isCalled(i plugin.Info, class string) bool {
	class = strings.TrimSpace(class)
	return class == i.Class || slices.Contains(i.Aliases, class)
}

func findTransform(set plugin.Set, class string) (plugin.TransformPlugin, bool) {
	for _, p := range set.Transforms {
		if isCalled(p.Info, class) {
			return p, true
		}
	}
	return plugin.TransformPlugin{}, false
}

func findPredicate(set plugin.Set, class string) (plugin.PredicatePlugin, bool) {
	for _, p := range set.Predicates {
		if isCalled(p.Info, class) {
			return p, true
		}
	}
	return plugin.PredicatePlugin{}, false
}
