package smt

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// Path leads to a field of a struct or a map, perhaps through others.
type Path []string

// ParsePath reads the steps between dots; a step in backticks may have dots.
func ParsePath(text string) (Path, error) {
	var steps Path
	rest := text
	for rest != "" {
		if rest[0] != '`' {
			step, after, dot := strings.Cut(rest, ".")
			steps = append(steps, step)
			if rest = after; !dot {
				return steps, nil
			}
			continue
		}
		step, after, ok := quotedStep(rest[1:])
		if !ok {
			return nil, fmt.Errorf("Incomplete backtick pair in path: [%s], consider adding a backslash before backtick at position %d to escape it", //nolint:staticcheck // Kafka Connect's own words
				text, len(text)-len(rest))
		}
		steps = append(steps, step)
		if rest = after; rest == "" && !strings.HasSuffix(text, ".") {
			return steps, nil
		}
	}
	return append(steps, ""), nil // it is empty, or ends with a dot
}

// quotedStep reads up to a backtick that a dot or the end follows; after a backslash it is one of
// the name.
func quotedStep(text string) (step, after string, ok bool) {
	var b strings.Builder
	from := 0
	for i := range len(text) {
		if text[i] != '`' {
			continue
		}
		escaped := i > 0 && text[i-1] == '\\'
		switch {
		case i == len(text)-1:
			b.WriteString(text[from:i])
			return b.String(), "", !escaped
		case text[i+1] != '.':
		case escaped:
			b.WriteString(text[from:i-1] + "`")
			from = i + 1
		default:
			b.WriteString(text[from:i])
			return b.String(), text[i+2:], true
		}
	}
	return "", "", false
}

// Schema of the field at the end; nil where there is none.
func (p Path) Schema(s *data.Schema) *data.Schema {
	for _, step := range p {
		if s == nil || s.Type != data.StructType {
			return nil
		}
		i := s.Field(step)
		if i < 0 {
			return nil
		}
		s = s.Fields[i].Schema
	}
	return s
}

const nested = "nested field access"

// InStruct is the value of the field at the end; nil where there is none. Defaults count for the
// last step if the caller says so, and always for those before it.
func (p Path) InStruct(value *data.Struct, defaults bool) (any, error) {
	for n, step := range p {
		i := value.Schema.Field(step)
		if i < 0 {
			return nil, nil
		}
		last := n == len(p)-1
		v := At(value, i, defaults || !last)
		if last || v == nil {
			return v, nil
		}
		var err error
		if value, err = Struct(v, nested); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// InMap is the same for maps.
func (p Path) InMap(value *data.Map) (any, error) {
	for n, step := range p {
		v, _ := value.Get(step)
		if n == len(p)-1 || v == nil {
			return v, nil
		}
		var err error
		if value, err = Map(v, nested); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
