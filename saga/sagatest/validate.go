package sagatest

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// maxBound keeps the counts of a state in a byte each.
const maxBound = 200

func (m Model[W, S]) validate() error {
	var problems []error
	bad := func(format string, a ...any) {
		problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrModel}, a...)...))
	}
	if err := m.Definition.Validate(); err != nil {
		problems = append(problems, err)
	}
	if m.Start == nil && m.First == nil && len(m.Requests) == 0 {
		bad("nothing would happen: set Start, First or Requests")
	}
	for name, n := range map[string]int{
		"Duplicates": m.Duplicates, "Timeouts": m.Timeouts, "Crashes": m.Crashes, "Cancels": m.Cancels, "Acts": m.Acts,
	} {
		if n < 0 || n > maxBound {
			bad("%s is %d, want 0 to %d", name, n, maxBound)
		}
	}
	if m.Depth < 0 || m.MaxStates < 0 {
		bad("Depth is %d and MaxStates %d, want 0 or more", m.Depth, m.MaxStates)
	}
	if m.Acts > 0 && len(m.Operator) == 0 {
		bad("Acts is %d, and Operator names no act", m.Acts)
	}
	m.validateNames(bad)
	if field := hidden(reflect.TypeFor[W](), map[reflect.Type]bool{}); field != "" {
		bad("the world's field %s is not exported and would be lost: it is copied as JSON", field)
	}
	return errors.Join(problems...)
}

func (m Model[W, S]) validateNames(bad func(string, ...any)) {
	if len(m.Participants) > 100 || len(m.Requests) > 60 {
		bad("%d participants and %d requests, at most 100 and 60 are possible", len(m.Participants), len(m.Requests))
	}
	seen := map[string]bool{SagaName: true}
	for i, p := range m.Participants {
		switch {
		case p.Name == "":
			bad("participant %d has no name", i+1)
		case seen[p.Name]:
			bad("the name %q of participant %d is taken", p.Name, i+1)
		case len(p.Topics) == 0 || p.Handle == nil:
			bad("participant %q needs Topics and Handle", p.Name)
		}
		seen[p.Name] = true
	}
	requests := map[string]bool{}
	for i, r := range m.Requests {
		if r.Name == "" || requests[r.Name] || r.Do == nil {
			bad("request %d (%q) needs a name of its own, and Do", i+1, r.Name)
		}
		requests[r.Name] = true
	}
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// hidden names a field that JSON leaves out.
func hidden(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] || t.Implements(jsonMarshaler) || t.Implements(textMarshaler) {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return hidden(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if !f.IsExported() && !f.Anonymous || f.Tag.Get("json") == "-" {
				return t.String() + "." + f.Name
			}
			if found := hidden(f.Type, seen); found != "" {
				return found
			}
		}
	}
	return ""
}
