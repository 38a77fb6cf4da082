package console

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// openAPI is the OpenAPI 3.1 document of the routes.
func openAPI(base, version string) ([]byte, error) {
	s := schemas{object{}}
	paths := object{}
	for _, rt := range routes {
		at := "/" + rt.pattern
		item, ok := paths[at].(object)
		if !ok {
			item = object{}
			paths[at] = item
		}
		item[strings.ToLower(rt.method)] = operation(rt, s)
	}
	s.component(reflect.TypeFor[api.Problem]())
	return encodeJSON(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Pabal console", "version": orDevel(version),
			"description": "What the console shows and does. Times are RFC 3339 in UTC; topics and groups have their full names; errors are RFC 9457 problems.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []any{object{"url": base + strings.TrimSuffix(apiRoot, "/")}},
		"paths":   paths,
		"components": object{
			"schemas":   s.components,
			"responses": object{"Problem": object{"description": "What is wrong", "content": object{api.ProblemType: object{"schema": s.of(reflect.TypeFor[api.Problem]())}}}},
			"securitySchemes": object{
				"token":   object{"type": "http", "scheme": "bearer"},
				"session": object{"type": "apiKey", "in": "cookie", "name": sessionCookie},
			},
		},
		// A console on loopback without users asks for neither.
		"security": []any{object{"token": []any{}}, object{"session": []any{}}, object{}},
	})
}

func orDevel(version string) string {
	if version == "" {
		return "devel"
	}
	return version
}

func operation(rt route, s schemas) object {
	op := object{
		"operationId": operationID(rt),
		"summary":     rt.summary,
		"tags":        []any{strings.Split(rt.pattern, "/")[0]},
		"responses":   object{strconv.Itoa(http.StatusOK): answerOf(rt, s), "default": object{"$ref": "#/components/responses/Problem"}},
	}
	if rt.role == "" {
		op["security"] = []any{object{}}
	} else {
		op["description"] = "Needs the role " + string(rt.role) + "."
		op["x-role"] = rt.role
	}
	if parameters := parameters(rt, s); len(parameters) > 0 {
		op["parameters"] = parameters
	}
	if rt.body != nil {
		op["requestBody"] = object{
			"required": len(rt.inPath()) < len(api.FieldsOf(rt.body)),
			"content":  object{"application/json": object{"schema": bodyOf(rt, s)}},
		}
	}
	return op
}

func answerOf(rt route, s schemas) object {
	if rt.media != "" {
		return object{"description": rt.summary, "content": object{rt.media: object{"schema": object{"type": "string"}}}}
	}
	return object{"description": "Done", "content": object{"application/json": object{"schema": s.of(rt.answer)}}}
}

// bodyOf is the body's schema; what is in the path need not be in the body.
func bodyOf(rt route, s schemas) object {
	ref := s.component(rt.body)
	schema := s.components[schemaName(rt.body)].(object)
	required, _ := schema["required"].([]string)
	required = slices.DeleteFunc(slices.Clone(required), func(name string) bool { return slices.Contains(rt.inPath(), name) })
	if len(required) == 0 {
		delete(schema, "required")
	} else {
		schema["required"] = required
	}
	return ref
}

// parameters of path and query.
func parameters(rt route, s schemas) []any {
	t := rt.query
	if t == nil {
		t = rt.body
	}
	if t == nil {
		return nil
	}
	inPath := rt.inPath()
	var all []any
	for _, f := range api.FieldsOf(t) {
		isPath := slices.Contains(inPath, f.Name)
		if rt.query == nil && !isPath {
			continue
		}
		all = append(all, parameter(f, isPath, s))
	}
	return all
}

func parameter(f api.Field, inPath bool, s schemas) object {
	p := object{"name": f.Name, "in": "query"}
	if inPath {
		p["in"], p["required"] = "path", true
	}
	if text := describe(f); text != "" {
		p["description"] = text
	}
	schema := s.of(f.Type)
	if _, isObject := schema["$ref"]; isObject {
		p["content"] = object{"application/json": object{"schema": schema}}
	} else {
		p["schema"] = schema
	}
	return p
}

var notWord = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// operationID such as getTopicsTopicMessages.
func operationID(rt route) string {
	id := strings.ToLower(rt.method)
	for _, word := range notWord.Split(rt.pattern, -1) {
		if word != "" {
			id += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return id
}

func (c *Console) openAPI(w http.ResponseWriter, r *http.Request) error {
	if err := api.DecodeQuery(r.URL.Query(), &none{}); err != nil {
		return err
	}
	write(w, http.StatusOK, "application/json", c.openapi)
	return nil
}
