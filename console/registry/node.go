package registry

import (
	"math/big"
	"strings"
	"time"

	"github.com/twmb/avro"
)

// node is the one that describes v: what a name means, and the branch of a union. It is nil where
// that is not known; the value is still right, only less well written.
func (w *writer) node(n *avro.SchemaNode, v any) *avro.SchemaNode {
	if n == nil {
		return nil
	}
	if n.Type == "union" {
		for i := range n.Branches {
			if b := w.follow(&n.Branches[i]); describes(b, v) {
				return b
			}
		}
		return nil
	}
	return w.follow(n)
}

func (w *writer) follow(n *avro.SchemaNode) *avro.SchemaNode {
	if n.Name != "" {
		return n
	}
	if of := w.named[n.Type]; of != nil {
		return of
	}
	if of := w.named[shortName(n.Type)]; of != nil && strings.Contains(n.Type, ".") {
		return of
	}
	return n
}

func shortName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// describes says whether a branch of a union may have written v.
func describes(n *avro.SchemaNode, v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if n.Type == "map" {
			return true
		}
		if n.Type != "record" && n.Type != "error" || len(n.Fields) != len(v) {
			return false
		}
		for i := range n.Fields {
			if _, ok := v[n.Fields[i].Name]; !ok {
				return false
			}
		}
		return true
	case []any:
		return n.Type == "array"
	case *big.Rat:
		return n.LogicalType == "decimal"
	case time.Time:
		return n.LogicalType == "date" || strings.Contains(n.LogicalType, "timestamp")
	}
	return false
}

func scaleOf(n *avro.SchemaNode) int {
	if n == nil {
		return 10
	}
	return n.Scale
}

func timeText(t time.Time, n *avro.SchemaNode) string {
	switch {
	case n != nil && n.LogicalType == "date":
		return t.UTC().Format(time.DateOnly)
	case n != nil && strings.HasPrefix(n.LogicalType, "local-"):
		return t.UTC().Format("2006-01-02T15:04:05.999999999")
	}
	return t.UTC().Format(time.RFC3339Nano)
}
