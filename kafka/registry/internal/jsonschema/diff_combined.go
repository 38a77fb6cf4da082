package jsonschema

import "fmt"

func (c *comparer) combinations(from, to *combination) []Difference {
	out, comparable := criteria(from, to)
	if !comparable {
		return out
	}
	was, is := distinct(from.parts), distinct(to.parts)
	switch {
	case len(was) < len(is) && to.criterion == "allOf":
		out = append(out, one("PRODUCT_TYPE_EXTENDED")...)
	case len(was) < len(is):
		out = append(out, one("SUM_TYPE_EXTENDED")...)
	case len(was) > len(is) && from.criterion == "allOf":
		out = append(out, one("PRODUCT_TYPE_NARROWED")...)
	case len(was) > len(is):
		out = append(out, one("SUM_TYPE_NARROWED")...)
	}
	edges := make([]map[int][]Difference, len(was))
	for i, a := range was {
		edges[i] = map[int][]Difference{}
		for j, b := range is {
			if diffs := c.compare(a, b); c.compatible(diffs) {
				edges[i][j] = at(fmt.Sprintf("%s/%d", from.criterion, i), diffs)
			}
		}
	}
	matched := match(edges, len(is))
	for i, j := range matched {
		out = append(out, edges[i][j]...)
	}
	if len(matched) < min(len(was), len(is)) {
		out = append(out, one("COMBINED_TYPE_SUBSCHEMAS_CHANGED")...)
	}
	return out
}

// criteria compares how the parts are combined; false where that alone is incompatible.
func criteria(from, to *combination) ([]Difference, bool) {
	if from.criterion == to.criterion {
		return nil, true
	}
	wasOne, isOne := len(from.parts) == 1, len(to.parts) == 1
	switch {
	case to.criterion == "anyOf", wasOne && isOne, wasOne && to.criterion == "oneOf", isOne && from.criterion == "allOf":
		return one("COMBINED_TYPE_EXTENDED"), true
	}
	return one("COMBINED_TYPE_CHANGED"), false
}

// distinct leaves out parts that say the same as one before them.
func distinct(parts []*node) []*node {
	seen := map[string]bool{}
	var out []*node
	for _, n := range parts {
		text := n.key()
		if text != "" && seen[text] {
			continue
		}
		seen[text] = true
		out = append(out, n)
	}
	return out
}

// match pairs as many as possible of the left with one each of the right, by augmenting paths.
func match(edges []map[int][]Difference, right int) map[int]int {
	owner := make([]int, right) // 1 + left, 0 for nobody
	var assign func(left int, tried []bool) bool
	assign = func(left int, tried []bool) bool {
		for j := range right {
			if _, ok := edges[left][j]; !ok || tried[j] {
				continue
			}
			tried[j] = true
			if owner[j] == 0 || assign(owner[j]-1, tried) {
				owner[j] = left + 1
				return true
			}
		}
		return false
	}
	for left := range edges {
		assign(left, make([]bool, right))
	}
	out := map[int]int{}
	for j, left := range owner {
		if left > 0 {
			out[left-1] = j
		}
	}
	return out
}
