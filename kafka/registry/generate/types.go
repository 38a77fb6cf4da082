package generate

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/twmb/avro"
)

const avroPackage = "github.com/twmb/avro"

func standardFirst(a, b string) int {
	return cmp.Or(cmp.Compare(strings.Count(a, "."), strings.Count(b, ".")), cmp.Compare(a, b))
}

// goOf is the Go type of a logical type, "" where there is none.
func goOf(n *avro.SchemaNode) string {
	switch n.LogicalType {
	case "decimal", "big-decimal":
		if n.Type == "bytes" || n.Type == "fixed" {
			return "*big.Rat"
		}
	case "date":
		return only(n, "int", "time.Time")
	case "timestamp-millis", "timestamp-micros", "timestamp-nanos", "local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos":
		return only(n, "long", "time.Time")
	case "time-millis":
		return only(n, "int", "time.Duration")
	case "time-micros":
		return only(n, "long", "time.Duration")
	case "uuid":
		if n.Type == "string" || n.Type == "fixed" && n.Size == 16 {
			return "[16]byte"
		}
	case "duration":
		if n.Type == "fixed" && n.Size == 12 {
			return "avro.Duration"
		}
	}
	return ""
}

func only(n *avro.SchemaNode, kind, is string) string {
	if n.Type == kind {
		return is
	}
	return ""
}

var primitives = map[string]string{
	"null": "any", "boolean": "bool", "int": "int32", "long": "int64", "float": "float32", "double": "float64", "bytes": "[]byte", "string": "string",
}

// typeOf is a schema's type in Go.
func (g *generator) typeOf(n *avro.SchemaNode) string {
	if n = g.definition(n); goOf(n) != "" {
		g.use(goOf(n))
		return goOf(n)
	}
	switch n.Type {
	case "array":
		return "[]" + g.typeOf(n.Items)
	case "map":
		return "map[string]" + g.typeOf(n.Values)
	case "union":
		if other := orNull(n); other != nil {
			inner := g.typeOf(other)
			if strings.HasPrefix(inner, "*") || inner == "any" {
				return inner // a nil one is null
			}
			return "*" + inner
		}
		return "any"
	}
	if simple, ok := primitives[n.Type]; ok {
		return simple
	}
	return g.types[fullName(n)].name
}

// definition of a type that may be named only.
func (g *generator) definition(n *avro.SchemaNode) *avro.SchemaNode {
	if t, ok := g.types[n.Type]; ok && n.Name == "" {
		return t.node
	}
	return n
}

func (g *generator) use(goType string) {
	switch name, _, _ := strings.Cut(strings.TrimPrefix(goType, "*"), "."); name {
	case "big":
		g.imports["math/big"] = true
	case "time":
		g.imports["time"] = true
	case "avro":
		g.imports[avroPackage] = true
	}
}

// orNull is the other branch of a union with null, nil where there are more or none.
func orNull(n *avro.SchemaNode) *avro.SchemaNode {
	if n.Type != "union" || len(n.Branches) != 2 {
		return nil
	}
	for i := range n.Branches {
		if n.Branches[i].Type == "null" && n.Branches[1-i].Type != "null" {
			return &n.Branches[1-i]
		}
	}
	return nil
}

// says describes a schema in a comment.
func (g *generator) says(n *avro.SchemaNode) string {
	switch n = g.definition(n); {
	case n.Type == "array":
		return "array of " + g.says(n.Items)
	case n.Type == "map":
		return "map of " + g.says(n.Values)
	case n.Type == "union":
		parts := make([]string, len(n.Branches))
		for i := range n.Branches {
			parts[i] = g.says(&n.Branches[i])
		}
		return strings.Join(parts, ", ")
	case isRecord(n):
		return fmt.Sprintf("%s (%s, read as map[string]any)", fullName(n), g.types[fullName(n)].name)
	case n.Name != "" && g.types[fullName(n)].name != "":
		return fmt.Sprintf("%s (%s)", fullName(n), g.types[fullName(n)].name)
	case n.LogicalType != "" && goOf(n) != "":
		return fmt.Sprintf("%s (%s)", n.LogicalType, goOf(n))
	}
	return n.Type
}

// hasAny tells whether a schema is a union that Go has no type for, or has one inside.
func hasAny(n *avro.SchemaNode) bool {
	switch {
	case n.Items != nil:
		return hasAny(n.Items)
	case n.Values != nil:
		return hasAny(n.Values)
	case n.Type == "union":
		other := orNull(n)
		return other == nil || hasAny(other)
	}
	return false
}
