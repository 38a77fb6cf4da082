package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// document reads what a live console serves.
func document(t *testing.T, s *site) object {
	t.Helper()
	var doc object
	a := s.get(t, apiRoot+"openapi.json", bearer(s.tokens[api.Viewer])...)
	if err := json.Unmarshal(a.body, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// in goes down a document.
func in(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(object)
		v = m[name]
	}
	return v
}

func TestDocumentHasEveryRoute(t *testing.T) {
	doc := document(t, newSite(t, false))
	if doc["openapi"] != "3.1.0" || in(doc, "info", "version") != "v1.2.3" {
		t.Errorf("%v %v", doc["openapi"], doc["info"])
	}
	ids := map[any]bool{}
	n := 0
	for _, rt := range routes {
		op, _ := in(doc, "paths", "/"+rt.pattern, strings.ToLower(rt.method)).(object)
		if op == nil {
			t.Errorf("%s %s is not in the document", rt.method, rt.pattern)
			continue
		}
		n++
		if ids[op["operationId"]] || op["operationId"] == "" || op["summary"] == "" {
			t.Errorf("%s %s: %v, %v", rt.method, rt.pattern, op["operationId"], op["summary"])
		}
		ids[op["operationId"]] = true
		if rt.role != "" && op["x-role"] != string(rt.role) {
			t.Errorf("%s %s: role %v", rt.method, rt.pattern, op["x-role"])
		}
		var inPath []string
		for _, p := range asList(op["parameters"]) {
			if in(p, "in") == "path" {
				inPath = append(inPath, in(p, "name").(string))
				if in(p, "required") != true {
					t.Errorf("%s: a parameter in the path is optional", rt.pattern)
				}
			}
			if in(p, "schema") == nil && in(p, "content") == nil {
				t.Errorf("%s: %v has no schema", rt.pattern, p)
			}
		}
		if want := rt.inPath(); !slices.Equal(inPath, want) {
			t.Errorf("%s: %v in the path, want %v", rt.pattern, inPath, want)
		}
	}
	operations := 0
	for _, item := range in(doc, "paths").(object) {
		operations += len(item.(object))
	}
	if operations != n {
		t.Errorf("the document has %d operations, the table %d", operations, n)
	}
}

func asList(v any) []any {
	l, _ := v.([]any)
	return l
}

func TestReferencesResolve(t *testing.T) {
	doc := document(t, newSite(t, false))
	n := 0
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				n++
				path := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
				if in(doc, path...) == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, e := range v {
				visit(e)
			}
		case []any:
			for _, e := range v {
				visit(e)
			}
		}
	}
	visit(doc)
	if n < 50 {
		t.Errorf("%d references: the walk is broken", n)
	}
	for name, schema := range in(doc, "components", "schemas").(object) {
		if strings.ContainsAny(name, "[]/* ") {
			t.Errorf("%q is no name of a component", name)
		}
		for _, required := range asList(in(schema, "required")) {
			if in(schema, "properties", required.(string)) == nil {
				t.Errorf("%s requires %v, which it has not", name, required)
			}
		}
	}
	if in(doc, "components", "schemas", "Message", "properties", "key", "$ref") == nil {
		t.Error("Message has no key")
	}
	if text, _ := in(doc, "components", "schemas", "Page"+"OfTopicSummary", "properties", "total", "description").(string); !strings.Contains(text, "-1") {
		t.Errorf("total of a page is described as %q", text)
	}
}

// TestAnswersKeepTheirSchema asks a live console for everything, with and without
// content.
func TestAnswersKeepTheirSchema(t *testing.T) {
	for _, empty := range []bool{false, true} {
		s := newSite(t, true)
		doc := document(t, s)
		s.set(func(f *fake) { f.zero = empty })
		for _, rt := range routes {
			if rt.media != "" || rt.pattern == "openapi.json" {
				continue
			}
			a := s.example(t, rt, bearer(s.tokens[api.Admin])...)
			if empty && a.status == http.StatusNotFound && (strings.HasSuffix(rt.pattern, "/diff") || strings.HasSuffix(rt.pattern, "/changes")) {
				continue // of nothing there is none
			}
			if a.status != http.StatusOK {
				t.Errorf("%s %s: %d %s", rt.method, rt.pattern, a.status, a.body)
				continue
			}
			schema := in(doc, "paths", "/"+rt.pattern, strings.ToLower(rt.method), "responses", "200", "content", "application/json", "schema")
			var value any
			if err := json.Unmarshal(a.body, &value); err != nil {
				t.Fatal(err)
			}
			for _, e := range validate(doc, schema.(object), value, "") {
				t.Errorf("%s %s (empty: %v): %s", rt.method, rt.pattern, empty, e)
			}
		}
	}
}

// TestValidateCatches shows that the validator bites.
func TestValidateCatches(t *testing.T) {
	doc := document(t, newSite(t, false))
	schema := object{"$ref": "#/components/schemas/Page" + "OfTopicSummary"}
	for _, text := range []string{
		`{"items":null,"total":1}`, `{"items":[]}`, `{"items":[],"total":"1"}`, `{"items":[],"total":1.5}`, `[]`, `{"items":[],"total":1,"extra":1}`,
		`{"items":[{"name":"a"}],"total":1}`,
	} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if len(validate(doc, schema, value, "")) == 0 {
			t.Errorf("%s is taken for a page", text)
		}
	}
}

// validate is the part of JSON Schema that the document uses; properties that are not
// in it are errors, too.
func validate(doc, schema object, v any, at string) []string {
	if ref, ok := schema["$ref"].(string); ok {
		return validate(doc, in(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(object), v, at)
	}
	if options := asList(schema["anyOf"]); options != nil {
		for _, o := range options {
			if len(validate(doc, o.(object), v, at)) == 0 {
				return nil
			}
		}
		return []string{fmt.Sprintf("%s: %v is none of the allowed", at, v)}
	}
	wrong := []string{fmt.Sprintf("%s: %v is no %v", at, v, schema["type"])}
	switch schema["type"] {
	case "object":
		m, ok := v.(object)
		if !ok {
			return wrong
		}
		return validateObject(doc, schema, m, at)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return wrong
		}
		var errs []string
		for i, e := range list {
			errs = append(errs, validate(doc, schema["items"].(object), e, fmt.Sprintf("%s[%d]", at, i))...)
		}
		return errs
	case "integer":
		if x, ok := v.(float64); !ok || x != math.Trunc(x) {
			return wrong
		}
	case "number":
		if _, ok := v.(float64); !ok {
			return wrong
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrong
		}
	case "null":
		if v != nil {
			return wrong
		}
	case "string":
		return validateString(schema, v, at)
	}
	return nil
}

func validateString(schema object, v any, at string) []string {
	text, ok := v.(string)
	if !ok {
		return []string{fmt.Sprintf("%s: %v is no string", at, v)}
	}
	if values := asList(schema["enum"]); values != nil && text != "" && !slices.Contains(values, v) {
		return []string{fmt.Sprintf("%s: %q is not in %v", at, text, values)}
	}
	if _, err := time.Parse(time.RFC3339Nano, text); schema["format"] == "date-time" && (err != nil || !strings.HasSuffix(text, "Z")) {
		return []string{fmt.Sprintf("%s: %q is no time in UTC", at, text)}
	}
	if _, err := base64.StdEncoding.DecodeString(text); schema["contentEncoding"] == "base64" && err != nil {
		return []string{fmt.Sprintf("%s: %q is no base64", at, text)}
	}
	return nil
}

func validateObject(doc, schema object, m object, at string) []string {
	var errs []string
	for _, name := range asList(schema["required"]) {
		if _, ok := m[name.(string)]; !ok {
			errs = append(errs, fmt.Sprintf("%s: %v is missing", at, name))
		}
	}
	for name, e := range m {
		property, ok := in(schema, "properties", name).(object)
		if !ok {
			property, ok = schema["additionalProperties"].(object)
		}
		if !ok {
			errs = append(errs, fmt.Sprintf("%s: %s is not in the schema", at, name))
			continue
		}
		errs = append(errs, validate(doc, property, e, at+"."+name)...)
	}
	return errs
}
