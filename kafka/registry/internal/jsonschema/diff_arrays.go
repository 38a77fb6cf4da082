package jsonschema

import "fmt"

func (c *comparer) arrays(from, to *node) []Difference {
	a, b := from.array, to.array
	out := at("items", c.compare(a.all, b.all))
	for i := range max(len(a.items), len(b.items)) {
		out = append(out, at(fmt.Sprintf("items/%d", i), c.item(i, a, b))...)
	}
	out = append(out, at("additionalItems", c.additional("ITEMS", a.additional, b.additional))...)
	out = append(out, at("unevaluatedItems", c.unevaluated("ITEMS", a.unevaluated, b.unevaluated))...)
	out = append(out, bounds(from, to, map[string]string{
		"maxItems": "MAX_ITEMS", "minItems": "MIN_ITEMS", "maxContains": "MAX_CONTAINS", "minContains": "MIN_CONTAINS",
	})...)
	if from.unique && !to.unique {
		out = append(out, at("uniqueItems", one("UNIQUE_ITEMS_REMOVED"))...)
	}
	if !from.unique && to.unique {
		out = append(out, at("uniqueItems", one("UNIQUE_ITEMS_ADDED"))...)
	}
	return out
}

func (c *comparer) item(i int, a, b *array) []Difference {
	switch {
	case i < len(a.items) && i < len(b.items):
		return c.compare(a.items[i], b.items[i])
	case i < len(a.items):
		return c.itemRemoved(a.items[i], b)
	case a.open() && b.items[i].kind == emptyKind:
		return one("ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL")
	case a.open():
		return one("ITEM_ADDED_TO_OPEN_CONTENT_MODEL")
	}
	if covering := partly(a.additional, a.unevaluated); covering != nil {
		return c.covered("ITEM_ADDED", covering, b.items[i])
	}
	return one("ITEM_ADDED_TO_CLOSED_CONTENT_MODEL")
}

func (c *comparer) itemRemoved(was *node, b *array) []Difference {
	if b.open() {
		return one("ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL")
	}
	if covering := partly(b.additional, b.unevaluated); covering != nil {
		return c.covered("ITEM_REMOVED", was, covering)
	}
	if was.kind == falseKind {
		return one("ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL")
	}
	return one("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL")
}
