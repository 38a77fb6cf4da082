package jsonschema

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Validate reports what a JSON Schema does not allow, and references that lead nowhere.
func (s *Schema) Validate() error {
	_, err := s.Compile()
	return err
}

// Title is what the schema calls itself, "" where it does not.
func (s *Schema) Title() string {
	if title := s.source.Get("title"); title.Is(tree.String) {
		return title.Text
	}
	return ""
}

// Compile is Validate, and what values are compared with.
func (s *Schema) Compile() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(refuse{})
	c.UseRegexpEngine(expressions)
	base := s.base()
	known := map[string]bool{base.String(): true}
	for _, ref := range s.refs {
		at := locate(base, ref.name)
		if known[at] {
			continue
		}
		known[at] = true
		if err := c.AddResource(at, plain(ref.value)); err != nil {
			return nil, fmt.Errorf("the reference %q: %w", ref.name, err)
		}
	}
	if err := c.AddResource(base.String(), plain(s.source)); err != nil {
		return nil, err
	}
	return c.Compile(base.String())
}

// refuse keeps the registry from asking the network for what a schema names.
type refuse struct{}

func (refuse) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is not in this schema and none of its references has that name", url)
}

// plain is the value as encoding/json has it. A $schema that nobody knows is left out.
func plain(v *tree.Value) any {
	out := toAny(v)
	if m, ok := out.(map[string]any); ok {
		if _, known := draftOf(v); !known {
			delete(m, "$schema")
		}
	}
	return out
}

func toAny(v *tree.Value) any {
	switch v.Kind {
	case tree.Bool:
		return v.Text == "true"
	case tree.Number:
		return json.Number(v.Text)
	case tree.String:
		return v.Text
	case tree.Array:
		out := make([]any, len(v.Items))
		for i, item := range v.Items {
			out[i] = toAny(item)
		}
		return out
	case tree.Object:
		out := make(map[string]any, len(v.Members))
		for _, m := range v.Members {
			out[m.Name] = toAny(m.Value)
		}
		return out
	}
	return nil
}

// expressions takes patterns that Go's package does not know, such as look-ahead, too: those who
// use the schema read them with an engine of their own.
func expressions(text string) (jsonschema.Regexp, error) {
	if re, err := regexp.Compile(text); err == nil {
		return re, nil
	}
	return foreign(text), nil
}

type foreign string

func (f foreign) String() string        { return string(f) }
func (foreign) MatchString(string) bool { return true }
