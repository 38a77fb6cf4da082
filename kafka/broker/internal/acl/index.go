package acl

import (
	"iter"
	"maps"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	literal  = int8(kmsg.ACLResourcePatternTypeLiteral)
	prefixed = int8(kmsg.ACLResourcePatternTypePrefixed)
)

// pattern is which resources a rule is for.
type pattern struct {
	resource, kind int8
	name           string
}

// index finds rules by resource. It is never changed.
type index struct {
	rules map[pattern][]keylog.ACL
	// lengths are those that prefixes have, by resource, shortest first.
	lengths map[int8][]int
}

func newIndex(all map[keylog.ACL]struct{}) *index {
	x := &index{rules: map[pattern][]keylog.ACL{}, lengths: map[int8][]int{}}
	for rule := range all {
		p := pattern{rule.ResourceType, rule.PatternType, rule.Name}
		x.rules[p] = append(x.rules[p], rule)
		if rule.PatternType == prefixed && !slices.Contains(x.lengths[p.resource], len(p.name)) {
			x.lengths[p.resource] = append(x.lengths[p.resource], len(p.name))
		}
	}
	for _, lengths := range x.lengths {
		slices.Sort(lengths)
	}
	return x
}

// rulesFor yields the rules of every pattern that a name matches.
func (x *index) rulesFor(resource int8, name string) iter.Seq[[]keylog.ACL] {
	return func(yield func([]keylog.ACL) bool) {
		patterns := []pattern{{resource, literal, name}}
		if name != wildcard {
			patterns = append(patterns, pattern{resource, literal, wildcard})
		}
		for _, n := range x.lengths[resource] {
			if n > len(name) {
				break
			}
			patterns = append(patterns, pattern{resource, prefixed, name[:n]})
		}
		for _, p := range patterns {
			if rules := x.rules[p]; len(rules) > 0 && !yield(rules) {
				return
			}
		}
	}
}

// has says whether there is a rule for a literal name.
func (x *index) has(resource int8, name string) bool {
	return len(x.rules[pattern{resource, literal, name}]) > 0
}

// ofType yields all rules for a type of resource.
func (x *index) ofType(resource int8) iter.Seq[keylog.ACL] {
	return func(yield func(keylog.ACL) bool) {
		for p := range maps.Keys(x.rules) {
			if p.resource != resource {
				continue
			}
			for _, rule := range x.rules[p] {
				if !yield(rule) {
					return
				}
			}
		}
	}
}
