package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// Bounds of a comparison by fields.
const (
	maxFields      = 5000
	maxFieldsDepth = 64
	maxChanges     = 500
	// maxWords is how long the words about a field are.
	maxWords = 300
)

// diffFields compares two schemas of a type field by field; nothing where they are no JSON.
func diffFields(kind, from, to string) (changes []api.SchemaChange, more bool) {
	was, is := fieldsOf(kind, from), fieldsOf(kind, to)
	if was == nil || is == nil {
		return nil, false
	}
	for _, name := range is.order {
		switch old, ok := was.words[name]; {
		case !ok:
			changes = append(changes, api.SchemaChange{Kind: api.Added, Field: name, New: is.words[name]})
		case old != is.words[name]:
			changes = append(changes, api.SchemaChange{Kind: api.Changed, Field: name, Old: old, New: is.words[name]})
		}
	}
	for _, name := range was.order {
		if _, ok := is.words[name]; !ok {
			changes = append(changes, api.SchemaChange{Kind: api.Removed, Field: name, Old: was.words[name]})
		}
	}
	if len(changes) > maxChanges {
		return changes[:maxChanges], true
	}
	return changes, was.full || is.full
}

// fields are what a schema says about each of its parts, in few words.
type fields struct {
	order []string
	words map[string]string
	full  bool
}

func fieldsOf(kind, text string) *fields {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	f := &fields{words: map[string]string{}}
	if kind == "AVRO" {
		f.avro("", v, 0)
	} else {
		f.schema("", v, false, 0)
	}
	return f
}

func (f *fields) put(name, words string) {
	if len(f.order) >= maxFields {
		f.full = true
		return
	}
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	if _, ok := f.words[name]; !ok {
		f.order = append(f.order, name)
	}
	f.words[name] = words
}

// avro goes through the named types in a schema; at is the field they are in.
func (f *fields) avro(at string, v any, depth int) {
	if depth > maxFieldsDepth {
		f.full = true
		return
	}
	if all, ok := v.([]any); ok {
		for _, branch := range all {
			f.avro(at, branch, depth+1)
		}
		return
	}
	o, ok := v.(map[string]any)
	if !ok {
		if at == "" {
			f.put("(the schema)", avroWords(v, 0))
		}
		return
	}
	switch o["type"] {
	case "record", "error":
		for _, one := range listOf(o["fields"]) {
			field, _ := one.(map[string]any)
			name := join(at, textOf(field["name"]))
			words := avroWords(field["type"], 0)
			if value, ok := field["default"]; ok {
				words += ", default " + compact(value)
			}
			if also := listOf(field["aliases"]); len(also) > 0 {
				words += ", also called " + compact(also)
			}
			f.put(name, words)
			f.avro(name, field["type"], depth+1)
		}
	case "enum":
		words := "one of " + compact(o["symbols"])
		if value, ok := o["default"]; ok {
			words += ", default " + compact(value)
		}
		f.put(join(at, "("+textOf(o["name"])+")"), words)
	case "array":
		f.avro(at+"[]", o["items"], depth+1)
	case "map":
		f.avro(at+"{}", o["values"], depth+1)
	case "fixed":
		f.put(join(at, "("+textOf(o["name"])+")"), "fixed of "+compact(o["size"])+" bytes")
	default:
		if _, plain := o["type"].(string); !plain {
			f.avro(at, o["type"], depth+1)
		} else if at == "" {
			f.put("(the schema)", avroWords(v, 0))
		}
	}
}

// avroWords is a type in few words.
func avroWords(v any, depth int) string {
	if depth > 8 {
		return "…"
	}
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, avroWords(one, depth+1))
		}
		return strings.Join(all, " or ")
	case map[string]any:
		kind, _ := v["type"].(string)
		switch {
		case kind == "array":
			return "array of " + avroWords(v["items"], depth+1)
		case kind == "map":
			return "map of " + avroWords(v["values"], depth+1)
		case v["logicalType"] == "decimal":
			return fmt.Sprintf("decimal(%s,%s) in %s", compact(v["precision"]), compact(or(v["scale"], 0)), kind)
		case v["logicalType"] != nil:
			return textOf(v["logicalType"]) + " in " + kind
		case v["name"] != nil:
			return kind + " " + textOf(v["name"])
		case kind == "":
			return avroWords(v["type"], depth+1)
		}
		return kind
	}
	return compact(v)
}

// schema goes through a JSON Schema.
func (f *fields) schema(at string, v any, required bool, depth int) {
	o, ok := v.(map[string]any)
	if depth > maxFieldsDepth {
		f.full = true
		return
	}
	name := at
	if name == "" {
		name = "(the schema)"
	}
	if !ok {
		f.put(name, compact(v))
		return
	}
	f.put(name, schemaWords(o, required))
	must := listOf(o["required"])
	for _, group := range []struct{ key, sep string }{{"properties", ""}, {"patternProperties", "~"}, {"$defs", "$"}, {"definitions", "$"}} {
		all, _ := o[group.key].(map[string]any)
		for _, property := range sorted(all) {
			f.schema(join(at, group.sep+property), all[property], group.sep == "" && slices.Contains(must, any(property)), depth+1)
		}
	}
	if items, ok := o["items"].(map[string]any); ok {
		f.schema(at+"[]", items, false, depth+1)
	}
	for _, key := range []string{"oneOf", "anyOf", "allOf"} {
		for i, one := range listOf(o[key]) {
			f.schema(fmt.Sprintf("%s(%s %d)", at, key, i+1), one, false, depth+1)
		}
	}
}

// deeper are the keywords that schema follows, or that say nothing about values.
var deeper = []string{"properties", "patternProperties", "$defs", "definitions", "items", "oneOf", "anyOf", "allOf", "required", "title", "description", "$schema", "$id", "examples"}

func schemaWords(o map[string]any, required bool) string {
	var words []string
	if kind, ok := o["type"]; ok {
		words = append(words, strings.ReplaceAll(strings.Trim(compact(kind), `"[]`), `","`, " or "))
	}
	if required {
		words = append(words, "required")
	}
	for _, key := range sorted(o) {
		if key != "type" && !slices.Contains(deeper, key) {
			words = append(words, key+" "+compact(o[key]))
		}
	}
	if len(words) == 0 {
		return "anything"
	}
	return strings.Join(words, ", ")
}

func sorted(o map[string]any) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func listOf(v any) []any {
	all, _ := v.([]any)
	return all
}

func textOf(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return compact(v)
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func or(v any, otherwise any) any {
	if v == nil {
		return otherwise
	}
	return v
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}
