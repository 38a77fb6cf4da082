package registry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/avro"
)

// Bounds of the JSON that is made of a value in Avro.
const (
	maxText  = 2 << 20
	maxDepth = 200
)

// writer makes JSON for people of what one schema has written: records in the order of their
// fields, times and decimals as people write them, bytes in base64.
type writer struct {
	schema *avro.Schema
	root   *avro.SchemaNode
	named  map[string]*avro.SchemaNode
}

func newWriter(s *avro.Schema) *writer {
	root := s.Root()
	w := &writer{schema: s, root: root, named: map[string]*avro.SchemaNode{}}
	w.collect(root)
	return w
}

// collect finds the named types of a schema.
func (w *writer) collect(n *avro.SchemaNode) {
	if n == nil {
		return
	}
	if n.Name != "" {
		name := n.Name
		if n.Namespace != "" {
			name = n.Namespace + "." + name
		}
		for _, as := range []string{name, shortName(name)} {
			if w.named[as] == nil {
				w.named[as] = n
			}
		}
	}
	for i := range n.Fields {
		w.collect(&n.Fields[i].Type)
	}
	for i := range n.Branches {
		w.collect(&n.Branches[i])
	}
	w.collect(n.Items)
	w.collect(n.Values)
}

// text of a record's key or value, the id in front of it included.
func (w *writer) text(b []byte) (string, error) {
	var v any
	rest, err := w.schema.Decode(b[5:], &v)
	if short := new(avro.ShortBufferError); errors.As(err, &short) {
		return "", fmt.Errorf("it is cut off: %w", err)
	}
	if err != nil {
		return "", err
	}
	out, err := w.value(nil, v, w.root, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes are behind the value", len(rest))
	}
	return string(out), err
}

var (
	errLong = fmt.Errorf("it is more than %d bytes of JSON", maxText)
	errDeep = fmt.Errorf("it is nested deeper than %d", maxDepth)
)

// value appends v, which n describes; nil where that is not known.
func (w *writer) value(out []byte, v any, n *avro.SchemaNode, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	if len(out) > maxText {
		return nil, errLong
	}
	n = w.node(n, v)
	switch v := v.(type) {
	case map[string]any:
		return w.object(out, v, n, depth)
	case []any:
		return w.array(out, v, n, depth)
	case []byte:
		return w.quote(out, base64.StdEncoding.EncodeToString(v))
	case [16]byte: // a UUID
		return w.quote(out, fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:]))
	case *big.Rat:
		return w.quote(out, v.FloatString(scaleOf(n)))
	case time.Time:
		return w.quote(out, timeText(v, n))
	case time.Duration:
		return w.quote(out, time.Time{}.Add(v).Format("15:04:05.999999"))
	case string:
		return w.quote(out, v)
	case float32:
		return w.float(out, float64(v), 32)
	case float64:
		return w.float(out, v, 64)
	case nil, bool, int, int32, int64:
		return w.plain(out, v)
	}
	return w.quote(out, fmt.Sprint(v))
}

func (w *writer) object(out []byte, v map[string]any, n *avro.SchemaNode, depth int) ([]byte, error) {
	names := make([]string, 0, len(v))
	types := map[string]*avro.SchemaNode{}
	if n != nil {
		for i := range n.Fields {
			f := &n.Fields[i]
			if _, ok := v[f.Name]; ok {
				names, types[f.Name] = append(names, f.Name), &f.Type
			}
		}
	}
	if len(names) < len(v) { // a map
		names = names[:0]
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	out = append(out, '{')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		of := types[name]
		if of == nil && n != nil {
			of = n.Values
		}
		var err error
		if out, err = w.quote(out, name); err != nil {
			return nil, err
		}
		if out, err = w.value(append(out, ':'), v[name], of, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func (w *writer) array(out []byte, v []any, n *avro.SchemaNode, depth int) ([]byte, error) {
	out = append(out, '[')
	for i, one := range v {
		if i > 0 {
			out = append(out, ',')
		}
		var of *avro.SchemaNode
		if n != nil {
			of = n.Items
		}
		var err error
		if out, err = w.value(out, one, of, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func (w *writer) quote(out []byte, s string) ([]byte, error) { return w.plain(out, s) }

func (w *writer) plain(out []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err == nil && len(out)+len(b) > maxText {
		err = errLong
	}
	return append(out, b...), err
}

func (w *writer) float(out []byte, v float64, bits int) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return w.quote(out, strconv.FormatFloat(v, 'g', -1, bits))
	}
	if bits == 32 {
		return w.plain(out, float32(v))
	}
	return w.plain(out, v)
}
