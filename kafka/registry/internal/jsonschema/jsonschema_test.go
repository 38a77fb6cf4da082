package jsonschema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

func parse(t *testing.T, text string, refs ...Reference) *Schema {
	t.Helper()
	s, err := Parse(text, refs, tree.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := s.Validate(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		name, from, to, want string
		compatible           bool
	}{
		{"to what allows all", `{"properties":{}}`, `{}`, "", true},
		{"what says nothing", `{"$id":"a","title":"b","description":"c","default":1}`, `{}`, "DEFAULT_CHANGED # DESCRIPTION_CHANGED # ID_CHANGED # TITLE_CHANGED #", true},
		{"type", `{"type":"object"}`, `{"type":"array"}`, "TYPE_CHANGED #", false},
		{"longer", `{"type":"string","maxLength":3}`, `{"type":"string","maxLength":4}`, "MAX_LENGTH_INCREASED #/maxLength", true},
		{"shorter", `{"type":"string","maxLength":3}`, `{"type":"string","maxLength":2}`, "MAX_LENGTH_DECREASED #/maxLength", false},
		{"minLength removed", `{"type":"string","minLength":3}`, `{"type":"string"}`, "MIN_LENGTH_REMOVED #/minLength", true},
		{"pattern added", `{"type":"string"}`, `{"type":"string","pattern":"a(?=b)"}`, "PATTERN_ADDED #/pattern", false},
		{"maximum", `{"type":"number","maximum":1.5}`, `{"type":"number","maximum":15e-1}`, "", true},
		{"minimum", `{"type":"number","minimum":1}`, `{"type":"number","minimum":2}`, "MINIMUM_INCREASED #/minimum", false},
		{"exclusive", `{"type":"number","exclusiveMaximum":1}`, `{"type":"number","exclusiveMaximum":2}`, "EXCLUSIVE_MAXIMUM_INCREASED #/exclusiveMaximum", true},
		{"multiple of a divisor", `{"type":"number","multipleOf":10}`, `{"type":"number","multipleOf":2.5}`, "MULTIPLE_OF_REDUCED #/multipleOf", true},
		{"multiple of a multiple", `{"type":"number","multipleOf":5}`, `{"type":"number","multipleOf":10}`, "MULTIPLE_OF_EXPANDED #/multipleOf", false},
		{"multiple of another", `{"type":"number","multipleOf":10}`, `{"type":"number","multipleOf":11}`, "MULTIPLE_OF_CHANGED #/multipleOf", false},
		{"integer to number", `{"type":"integer"}`, `{"type":"number"}`, "TYPE_EXTENDED #", true},
		{"number to integer", `{"type":"number"}`, `{"type":"integer"}`, "TYPE_NARROWED #", false},
		{"not less", `{"not":{"type":"number"}}`, `{"not":{"type":"integer"}}`, "NOT_TYPE_NARROWED #/not", true},
		{"not more", `{"not":{"type":"integer"}}`, `{"not":{"type":"number"}}`, "NOT_TYPE_EXTENDED #/not", false},
		{"enum removed", `{"type":"string","enum":["red"]}`, `{"type":"string"}`, "PRODUCT_TYPE_NARROWED #", true},
		{"enum extended", `{"enum":["red"]}`, `{"enum":["blue","red"]}`, "ENUM_ARRAY_EXTENDED #/enum", true},
		{"enum narrowed", `{"enum":["red",1]}`, `{"enum":["red"]}`, "ENUM_ARRAY_NARROWED #/enum", false},
		{"enum in another order", `{"enum":["red",{"a":1,"b":2}]}`, `{"enum":[{"b":2,"a":1.0},"red"]}`, "", true},
		{"const", `{"properties":{"a":{"const":"red"}}}`, `{"properties":{"a":{"const":"blue"}}}`, "ENUM_ARRAY_CHANGED #/properties/a/const", false},
		{"parts in another order", `{"allOf":[{"type":"string"},{"enum":["red"]}]}`, `{"allOf":[{"enum":["red","blue"]},{"type":"string"}]}`, "ENUM_ARRAY_EXTENDED #/allOf/1/enum", true},
		{"part changed", `{"allOf":[{"type":"string"},{"enum":["red"]}]}`, `{"allOf":[{"type":"string"},{"enum":["blue"]}]}`, "COMBINED_TYPE_SUBSCHEMAS_CHANGED #", false},
		{"types added", `{"type":["object"]}`, `{"type":["object","array"]}`, "SUM_TYPE_EXTENDED #", true},
		{"types removed", `{"type":["object","array"]}`, `{"type":["object"]}`, "SUM_TYPE_NARROWED #", false},
		{"choice added", `{"oneOf":[{"type":"string"}]}`, `{"oneOf":[{"type":"number"},{"type":"string"}]}`, "SUM_TYPE_EXTENDED #", true},
		{"allOf added", `{"allOf":[{"type":"string"}]}`, `{"allOf":[{"minLength":3},{"type":"string"}]}`, "PRODUCT_TYPE_EXTENDED #", false},
		{"into a choice", `{"type":"string","maxLength":3}`, `{"oneOf":[{"type":"number"},{"type":"string"}]}`, "MAX_LENGTH_REMOVED #/maxLength SUM_TYPE_EXTENDED #", true},
		{"not into a choice", `{"type":"string"}`, `{"oneOf":[{"type":"number"},{"type":"object"}]}`, "TYPE_CHANGED #", false},
		{"choice of one", `{"type":"string"}`, `{"allOf":[{"type":"string"}]}`, "", true},
		{"oneOf to allOf of one", `{"oneOf":[{"type":"string"}]}`, `{"allOf":[{"type":"string"}]}`, "COMBINED_TYPE_EXTENDED #", true},
		{"oneOf to allOf", `{"oneOf":[{"type":"string"},{"type":"integer"}]}`, `{"allOf":[{"type":"string"}]}`, "COMBINED_TYPE_CHANGED #", false},
		{"property of another type", `{"properties":{"a":{"type":"string"}}}`, `{"properties":{"a":{"type":"number"}}}`, "TYPE_CHANGED #/properties/a", false},
		{"property added, open", `{"properties":{"a":{"type":"string"}}}`, `{"properties":{"a":{"type":"string"},"b":{"type":"number"}}}`, "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b", false},
		{"property removed, open", `{"properties":{"a":{"type":"string"},"b":{}}}`, `{"properties":{"a":{"type":"string"}}}`, "PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL #/properties/b", true},
		{"property added, closed", `{"properties":{},"additionalProperties":false}`, `{"properties":{"b":{"type":"number"}},"additionalProperties":false}`, "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b", true},
		{"required property added, closed", `{"additionalProperties":false}`, `{"properties":{"b":{"type":"number"}},"required":["b"],"additionalProperties":false}`, "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b", false},
		{"required property with default added, closed", `{"additionalProperties":false}`, `{"properties":{"b":{"type":"number","default":1}},"required":["b"],"additionalProperties":false}`, "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b", true},
		{"property removed, closed", `{"properties":{"b":{}},"additionalProperties":false}`, `{"additionalProperties":false}`, "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b", false},
		{"false removed, closed", `{"properties":{"b":false},"additionalProperties":false}`, `{"additionalProperties":false}`, "PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b", true},
		{"true added, open", `{"properties":{}}`, `{"properties":{"b":true}}`, "PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b", true},
		{"covered by a pattern", `{"additionalProperties":false,"patternProperties":{"^I_":{"type":"integer"}}}`, `{"properties":{"I_1":{"type":"number"}},"additionalProperties":false,"patternProperties":{"^I_":{"type":"integer"}}}`,
			"OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/I_1 PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/I_1 TYPE_EXTENDED #/properties/I_1", true},
		{"not covered by additional", `{"additionalProperties":{"type":"string"}}`, `{"properties":{"b":{"type":"number"}},"additionalProperties":{"type":"string"}}`,
			"OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b TYPE_CHANGED #/properties/b", false},
		{"removed and covered", `{"properties":{"b":{"type":"string"}},"additionalProperties":false}`, `{"additionalProperties":{"type":"string"}}`,
			"ADDITIONAL_PROPERTIES_ADDED #/additionalProperties PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b", true},
		{"required", `{"properties":{"a":{"type":"string"}}}`, `{"properties":{"a":{"type":"string"}},"required":["a"]}`, "REQUIRED_ATTRIBUTE_ADDED #/required/a", false},
		{"required with default", `{"properties":{"a":{"type":"string"}}}`, `{"properties":{"a":{"type":"string","default":"x"}},"required":["a"]}`, "DEFAULT_CHANGED #/properties/a REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED #/required/a", true},
		{"required no more", `{"properties":{"a":{"type":"string"}},"required":["a"]}`, `{"properties":{"a":{"type":"string"}}}`, "REQUIRED_ATTRIBUTE_REMOVED #/required/a", true},
		{"dependencies", `{"dependencies":{"a":["b"]}}`, `{"dependencies":{"b":["a"]}}`, "DEPENDENCY_ARRAY_ADDED #/dependencies/b DEPENDENCY_ARRAY_REMOVED #/dependencies/a", false},
		{"dependency removed", `{"dependencies":{"a":{"type":"string"},"b":{"type":"string"}}}`, `{"dependencies":{"b":{"type":"string"}}}`, "DEPENDENCY_SCHEMA_REMOVED #/dependencies/a", true},
		{"maxProperties", `{"maxProperties":2}`, `{"maxProperties":1}`, "MAX_PROPERTIES_DECREASED #/maxProperties", false},
		{"additional closed", `{"type":"object"}`, `{"type":"object","additionalProperties":false}`, "ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties", false},
		{"additional narrowed", `{"additionalProperties":true}`, `{"additionalProperties":{"type":"number"}}`, "ADDITIONAL_PROPERTIES_NARROWED #/additionalProperties", false},
		{"items added", `{"type":"array"}`, `{"type":"array","items":{"type":"string"}}`, "SCHEMA_ADDED #/items", false},
		{"items removed", `{"type":"array","items":{"type":"string"}}`, `{"type":"array"}`, "SCHEMA_REMOVED #/items", true},
		{"item of a tuple removed", `{"type":"array","items":[{"type":"string"}]}`, `{"type":"array"}`, "ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL #/items/0", true},
		{"item of a tuple added", `{"type":"array","items":[{"type":"string"}]}`, `{"type":"array","items":[{"type":"string"},{"type":"number"}]}`, "ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1", false},
		{"item added, closed", `{"type":"array","items":[{}],"additionalItems":false}`, `{"type":"array","items":[{},false],"additionalItems":false}`, "ITEM_ADDED_TO_CLOSED_CONTENT_MODEL #/items/1", true},
		{"item covered", `{"type":"array","items":[{"type":"string"}],"additionalItems":{"type":"string"}}`, `{"type":"array","items":[{"type":"string"},{"type":"string"}],"additionalItems":{"type":"string"}}`, "ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/items/1", true},
		{"unique", `{"type":"array"}`, `{"type":"array","uniqueItems":true}`, "UNIQUE_ITEMS_ADDED #/uniqueItems", false},
		{"references", `{"type":"array","items":{"$ref":"#/definitions/a"},"definitions":{"a":{"type":"string"}}}`, `{"type":"array","items":{"$ref":"#/definitions/a"},"definitions":{"a":{"type":"number"}}}`, "TYPE_CHANGED #/items", false},
		{"out of a reference", `{"$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}`, `{"type":"string"}`, "", true},
		{"recursion", `{"type":"object","properties":{"n":{"$ref":"#"},"v":{"type":"integer"}}}`, `{"type":"object","properties":{"n":{"$ref":"#"},"v":{"type":"number"}}}`, "TYPE_EXTENDED #/properties/v", true},
		{"recursion in a choice", `{"definitions":{"t":{"type":"object","properties":{"n":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/t"}]},"v":{"type":"integer"}}}},"$ref":"#/definitions/t"}`,
			`{"definitions":{"t":{"type":"object","properties":{"n":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/t"}]},"v":{"type":"string"}}}},"$ref":"#/definitions/t"}`,
			"COMBINED_TYPE_SUBSCHEMAS_CHANGED #/properties/n TYPE_CHANGED #/properties/v", false},
		{"circle of references", `{"$ref":"#"}`, `{"$ref":"#"}`, "", true},
		{"tuples of 2020-12", `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array","prefixItems":[{"type":"string"}],"items":false}`,
			`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array","prefixItems":[{"type":"string"},{"type":"number"}],"items":false}`, "ITEM_ADDED_TO_CLOSED_CONTENT_MODEL #/items/1", true},
		{"unevaluated", `{"$schema":"https://json-schema.org/draft/2019-09/schema","type":"object"}`, `{"$schema":"https://json-schema.org/draft/2019-09/schema","type":"object","unevaluatedProperties":false}`, "UNEVALUATED_PROPERTIES_REMOVED #/unevaluatedProperties", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to := parse(t, c.from), parse(t, c.to)
			var got []string
			for _, d := range differences(from, to, false) {
				got = append(got, d.Type+" #"+d.Path)
			}
			slices.Sort(got)
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
			if found := Compare(from, to, false); len(found) == 0 != c.compatible {
				t.Errorf("incompatible differences: %v", found)
			}
			if found := Compare(from, from, false); len(found) > 0 {
				t.Errorf("compared with itself: %v", found)
			}
		})
	}
}

func TestLenient(t *testing.T) {
	from, to := parse(t, `{"properties":{}}`), parse(t, `{"properties":{"a":{"type":"string"}}}`)
	if found := Compare(from, to, true); len(found) > 0 {
		t.Errorf("differences: %v", found)
	}
	if found := Compare(from, to, false); len(found) != 1 {
		t.Errorf("differences: %v", found)
	}
}

func TestReferences(t *testing.T) {
	other := Reference{"other.json", `{"type":"object","properties":{"a":{"type":"string"}}}`}
	s := parse(t, `{"type":"object","properties":{"o":{"$ref":"other.json"},"p":{"$ref":"other.json#/properties/a"}}}`, other)
	same := parse(t, `{"type":"object","properties":{"o":{"type":"object","properties":{"a":{"type":"string"}}},"p":{"type":"string"}}}`)
	if found := append(Compare(s, same, false), Compare(same, s, false)...); len(found) > 0 {
		t.Errorf("differences: %v", found)
	}
	lost, err := Parse(`{"$ref":"other.json"}`, nil, tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := lost.Validate(); err == nil || !strings.Contains(err.Error(), "none of its references") {
		t.Errorf("a reference that is not given: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{`1`, `"string"`, `[]`, `{`, ``} {
		if _, err := Parse(text, nil, tree.Limits{}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	for _, text := range []string{`{"type":"thing"}`, `{"properties":[]}`, `{"$ref":"https://example.com/x"}`, `{"$ref":"#/definitions/none"}`} {
		s, err := Parse(text, nil, tree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate() == nil {
			t.Errorf("%s is valid", text)
		}
	}
	if _, err := Parse(`{"oneOf":[{},{},{}]}`, nil, tree.Limits{Choices: 2}); !errors.Is(err, tree.ErrLimit) {
		t.Errorf("three choices of two: %v", err)
	}
}

func TestTexts(t *testing.T) {
	s := parse(t, "{ \"b\": 1.50,\n \"a\": {\"d\": \"é\u2028\\u0001\", \"c\": []} }")
	if got, want := s.Canonical(), "{\"b\":1.50,\"a\":{\"d\":\"é\u2028\\u0001\",\"c\":[]}}"; got != want {
		t.Errorf("got %s", got)
	}
	if got, want := s.Normalized(), "{\"a\":{\"c\":[],\"d\":\"é\u2028\\u0001\"},\"b\":1.50}"; got != want {
		t.Errorf("got %s", got)
	}
}

// Choices in choices would need more comparisons than there is time for.
func TestCompareIsBounded(t *testing.T) {
	bomb := func(word string) *Schema {
		text := `{"type":"string","pattern":"` + word + `"}`
		for i := range 9 {
			part := strings.ReplaceAll(text, "#", string(rune('a'+i)))
			text = `{"oneOf":[` + part + `,{"not":` + part + `}]}`
		}
		return parse(t, text)
	}
	if found := Compare(bomb("a"), bomb("b"), false); len(found) == 0 {
		t.Error("they are compatible")
	}
}

// TestPatternsAreBounded: each name that is added would be tried on each pattern.
func TestPatternsAreBounded(t *testing.T) {
	var patterns, names []string
	for i := range 500 {
		patterns = append(patterns, fmt.Sprintf(`"^(a|b)*c%d$":{}`, i))
		names = append(names, fmt.Sprintf(`"%s%d":{}`, strings.Repeat("ab", 50), i))
	}
	closed := `{"additionalProperties":false,"patternProperties":{` + strings.Join(patterns, ",") + "}"
	found := Compare(parse(t, closed+"}"), parse(t, closed+`,"properties":{`+strings.Join(names, ",")+"}}"), false)
	if !slices.ContainsFunc(found, func(d Difference) bool { return d.Type == tooComplex }) {
		t.Errorf("%d differences", len(found))
	}
}
