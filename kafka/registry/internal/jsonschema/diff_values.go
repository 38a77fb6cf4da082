package jsonschema

import (
	"math/big"
	"slices"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// bounds that were added, removed, increased or decreased, by the names of their differences.
func bounds(from, to *node, words map[string]string) []Difference {
	var out []Difference
	for _, word := range sortedKeys(words) {
		was, is := from.bounds[word], to.bounds[word]
		if change := moved(was, is); change != "" {
			out = append(out, at(word, one(words[word]+change))...)
		}
	}
	return out
}

func moved(was, is *big.Rat) string {
	switch {
	case was == nil && is == nil:
		return ""
	case was == nil:
		return "_ADDED"
	case is == nil:
		return "_REMOVED"
	}
	switch was.Cmp(is) {
	case -1:
		return "_INCREASED"
	case 1:
		return "_DECREASED"
	}
	return ""
}

func (c *comparer) strings(from, to *node) []Difference {
	out := bounds(from, to, map[string]string{"maxLength": "MAX_LENGTH", "minLength": "MIN_LENGTH"})
	switch {
	case from.pattern == nil && to.pattern == nil:
	case from.pattern == nil:
		out = append(out, at("pattern", one("PATTERN_ADDED"))...)
	case to.pattern == nil:
		out = append(out, at("pattern", one("PATTERN_REMOVED"))...)
	case *from.pattern != *to.pattern:
		out = append(out, at("pattern", one("PATTERN_CHANGED"))...)
	}
	return out
}

func (c *comparer) numbers(from, to *node) []Difference {
	out := bounds(from, to, map[string]string{
		"maximum": "MAXIMUM", "minimum": "MINIMUM", "exclusiveMaximum": "EXCLUSIVE_MAXIMUM", "exclusiveMinimum": "EXCLUSIVE_MINIMUM",
	})
	if change := multiples(from.bounds["multipleOf"], to.bounds["multipleOf"]); change != "" {
		out = append(out, at("multipleOf", one(change))...)
	}
	if from.integer && !to.integer {
		out = append(out, one("TYPE_EXTENDED")...)
	}
	if !from.integer && to.integer {
		out = append(out, one("TYPE_NARROWED")...)
	}
	return out
}

func multiples(was, is *big.Rat) string {
	switch {
	case was == nil && is == nil || was != nil && is != nil && was.Cmp(is) == 0:
		return ""
	case was == nil:
		return "MULTIPLE_OF_ADDED"
	case is == nil:
		return "MULTIPLE_OF_REMOVED"
	case divides(was, is):
		return "MULTIPLE_OF_EXPANDED"
	case divides(is, was):
		return "MULTIPLE_OF_REDUCED"
	}
	return "MULTIPLE_OF_CHANGED"
}

func divides(a, b *big.Rat) bool { return a.Sign() != 0 && new(big.Rat).Quo(b, a).IsInt() }

func (c *comparer) values(from, to *node) []Difference {
	word := "enum"
	if from.kind == constKind {
		word = "const"
	}
	kept, known := within(from.values, to.values), within(to.values, from.values)
	switch {
	case kept && known:
		return nil
	case kept && from.kind == enumKind:
		return at(word, one("ENUM_ARRAY_EXTENDED"))
	case known && from.kind == enumKind:
		return at(word, one("ENUM_ARRAY_NARROWED"))
	}
	return at(word, one("ENUM_ARRAY_CHANGED"))
}

func within(some, all []*tree.Value) bool {
	for _, v := range some {
		if !slices.ContainsFunc(all, v.Equal) {
			return false
		}
	}
	return true
}
