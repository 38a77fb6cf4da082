package avro

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/connect/data"
)

// reading is what a schema of the registry becomes.
type reading struct {
	schema *data.Schema
	read   reader
}

// reader takes a value off the bytes.
type reader func(b []byte) (value any, rest []byte, err error)

func newReading(root *avro.SchemaNode) (*reading, error) {
	r := &reverser{defined: map[string]*avro.SchemaNode{}, open: map[string]bool{}}
	s, read, err := r.schema(root)
	if err != nil {
		return nil, err
	}
	return &reading{s, read}, nil
}

type reverser struct {
	defined map[string]*avro.SchemaNode
	open    map[string]bool // records that are being read
	in      string          // the namespace around
}

// definition of a name that is used again.
func (r *reverser) definition(n *avro.SchemaNode) *avro.SchemaNode {
	if r.in != "" && !strings.Contains(n.Type, ".") {
		if def := r.defined[r.in+"."+n.Type]; def != nil {
			return def
		}
	}
	if def := r.defined[n.Type]; def != nil {
		return def
	}
	return n
}

// schema of values that may be nil where the node is a union with null.
func (r *reverser) schema(n *avro.SchemaNode) (*data.Schema, reader, error) {
	if n.Type == "union" {
		return r.union(n)
	}
	n = r.definition(n)
	s, read, err := r.of(n)
	if err != nil {
		return nil, nil, err
	}
	read, err = r.annotate(s, n, read)
	return s, read, err
}

func (r *reverser) of(n *avro.SchemaNode) (*data.Schema, reader, error) {
	if s, read := plain(n); s != nil {
		return s, read, nil
	}
	full := fullName(n)
	switch n.Type {
	case "fixed":
		r.defined[full] = n
		return &data.Schema{Type: data.Bytes, Parameters: []data.Parameter{{Name: "connect.fixed.size", Value: strconv.Itoa(n.Size)}}}, readFixed(n.Size), nil
	case "enum":
		r.defined[full] = n
		s := &data.Schema{Type: data.String, Parameters: []data.Parameter{{Name: space + ".Enum", Value: full}}}
		for _, symbol := range n.Symbols {
			s.Parameters = append(s.Parameters, data.Parameter{Name: space + ".Enum." + symbol, Value: symbol})
		}
		return s, readEnum(n.Symbols), nil
	case "array":
		return r.array(n)
	case "map":
		value, read, err := r.schema(n.Values)
		if err != nil {
			return nil, nil, fmt.Errorf("values: %w", err)
		}
		return &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: value}, readMap(readText, read), nil
	case "record", "error":
		r.defined[full] = n
		return r.record(n, full)
	}
	return nil, nil, fmt.Errorf("%w: Avro's %q alone has no form in Kafka Connect", data.ErrData, n.Type)
}

// plain are the primitive types.
func plain(n *avro.SchemaNode) (*data.Schema, reader) {
	switch n.Type {
	case "boolean":
		return data.Of(data.Boolean), readBoolean
	case "int":
		switch {
		case n.LogicalType == "date":
			return data.Named(data.Int32, data.DateName), readTime(data.DateName)
		case n.LogicalType == "time-millis":
			return data.Named(data.Int32, data.TimeName), readTime(data.TimeName)
		case n.Props["connect.type"] == "int8":
			return data.Of(data.Int8), readInt8
		case n.Props["connect.type"] == "int16":
			return data.Of(data.Int16), readInt16
		}
		return data.Of(data.Int32), readInt32
	case "long":
		if n.LogicalType == "timestamp-millis" {
			return data.Named(data.Int64, data.TimestampName), readTime(data.TimestampName)
		}
		return data.Of(data.Int64), readInt64
	case "float":
		return data.Of(data.Float32), readFloat32
	case "double":
		return data.Of(data.Float64), readFloat64
	case "string":
		return data.Of(data.String), readText
	case "bytes":
		if n.LogicalType != "decimal" {
			return data.Of(data.Bytes), readBytes
		}
		s := data.DecimalSchema(n.Scale)
		if n.Precision != defaultPrecision {
			s.Parameters = append(s.Parameters, data.Parameter{Name: precisionKey, Value: strconv.Itoa(n.Precision)})
		}
		return s, readDecimal(n.Scale)
	}
	return nil, nil
}

func (r *reverser) array(n *avro.SchemaNode) (*data.Schema, reader, error) {
	items := r.definition(n.Items)
	entry := items.Type == "record" && len(items.Fields) == 2 && items.Fields[0].Name == "key" && items.Fields[1].Name == "value"
	if entry && (fullName(items) == space+".MapEntry" || items.Props["connect.internal.type"] == "MapEntry") {
		around := r.in
		r.defined[fullName(items)], r.in = items, items.Namespace
		defer func() { r.in = around }()
		key, readKey, err := r.schema(&items.Fields[0].Type)
		if err != nil {
			return nil, nil, fmt.Errorf("keys: %w", err)
		}
		value, readValue, err := r.schema(&items.Fields[1].Type)
		if err != nil {
			return nil, nil, fmt.Errorf("values: %w", err)
		}
		return &data.Schema{Type: data.MapType, Key: key, Value: value}, readMap(readKey, readValue), nil
	}
	s, read, err := r.schema(items)
	if err != nil {
		return nil, nil, fmt.Errorf("elements: %w", err)
	}
	return &data.Schema{Type: data.Array, Value: s}, readArray(read), nil
}

func (r *reverser) record(n *avro.SchemaNode, full string) (*data.Schema, reader, error) {
	if r.open[full] {
		return nil, nil, fmt.Errorf("%w: the record %s has itself inside, which connectors here do not read", data.ErrData, full)
	}
	r.open[full] = true
	around := r.in
	r.in = n.Namespace
	defer func() {
		delete(r.open, full)
		r.in = around
	}()
	s := &data.Schema{Type: data.StructType}
	if n.Doc != "" {
		s.Parameters = append(s.Parameters, data.Parameter{Name: space + ".record.doc", Value: n.Doc})
	}
	reads := make([]reader, len(n.Fields))
	for i := range n.Fields {
		f := &n.Fields[i]
		if f.Doc != "" {
			s.Parameters = append(s.Parameters, data.Parameter{Name: space + ".field.doc." + f.Name, Value: f.Doc})
		}
		of, read, err := r.schema(&f.Type)
		if err == nil && f.HasDefault && f.Default != nil {
			c := *of
			if c.Default, err = defaultOf(&c, f.Default); err == nil {
				if of.Default == nil { // it was the field's alone
					c.Parameters = append(slices.Clip(c.Parameters), data.Parameter{Name: fieldDefaultKey, Value: "true"})
				}
				of = &c
			}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		s.Fields = append(s.Fields, data.Field{Name: f.Name, Schema: of})
		reads[i] = read
	}
	return s, readStruct(s, reads), nil
}

// union of null and one more type; Kafka Connect has no form of others.
func (r *reverser) union(n *avro.SchemaNode) (*data.Schema, reader, error) {
	switch {
	case len(n.Branches) == 1:
		s, read, err := r.schema(&n.Branches[0])
		return s, readUnion(read), err
	case len(n.Branches) == 2 && n.Branches[0].Type == "null":
		s, read, err := r.optional(&n.Branches[1])
		return s, readUnion(nil, read), err
	case len(n.Branches) == 2 && n.Branches[1].Type == "null":
		s, read, err := r.optional(&n.Branches[0])
		return s, readUnion(read, nil), err
	}
	return nil, nil, fmt.Errorf("%w: connectors here read unions of null and one more type, not of %d types", data.ErrData, len(n.Branches))
}

func (r *reverser) optional(n *avro.SchemaNode) (*data.Schema, reader, error) {
	s, read, err := r.schema(n)
	if err != nil {
		return nil, nil, err
	}
	s.Optional = true // it is made anew for each place
	return s, read, nil
}

// annotate takes what Confluent's converter wrote beside Avro's own words.
func (r *reverser) annotate(s *data.Schema, n *avro.SchemaNode, read reader) (reader, error) {
	s.Doc, _ = n.Props["connect.doc"].(string)
	if v, ok := n.Props["connect.version"].(int64); ok {
		s.Version = int(v)
	}
	if parameters, ok := n.Props["connect.parameters"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(parameters)) {
			if _, there := s.Parameter(name); !there {
				s.Parameters = append(s.Parameters, data.Parameter{Name: name, Value: fmt.Sprint(parameters[name])})
			}
		}
	}
	name, given := n.Props["connect.name"].(string)
	if !given && (n.Type == "record" || n.Type == "error" || n.Type == "enum" || n.Type == "fixed") {
		name = fullName(n)
	}
	if strings.HasPrefix(name, space+".ConnectDefault") {
		name = ""
	}
	switch {
	case name == "":
	case s.Name == "":
		s.Name = name
	case s.Name != name:
		return nil, fmt.Errorf("%w: Avro's %s is named %s and %s", data.ErrData, n.Type, s.Name, name)
	}
	if value, ok := n.Props["connect.default"]; ok && value != nil {
		var err error
		if s.Default, err = defaultOf(s, value); err != nil {
			return nil, fmt.Errorf("default: %w", err)
		}
	}
	// Legacy: named as logical, without Avro's logical type. Values have the type that the name says.
	if _, logical := read, logicalType(s); logical != "" && n.LogicalType == "" {
		return readLogical(s), nil
	}
	return read, nil
}

func readLogical(s *data.Schema) reader {
	if s.Name == data.DecimalName {
		scale, _ := decimalOf(s)
		return readDecimal(scale)
	}
	return readTime(s.Name)
}

// defaultOf is a default of the data; value is as encoding/json has it.
func defaultOf(s *data.Schema, value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	switch v := value.(type) {
	case bool, *data.Struct:
		if s.Type == data.Boolean {
			return v, nil
		}
	case string:
		switch {
		case s.Type == data.String:
			return v, nil
		case s.Type == data.Bytes:
			return bytesOf(s, v)
		}
	case json.Number:
		f, err := v.Float64()
		if err == nil {
			return numberOf(s, f, v.String())
		}
	case int64:
		return numberOf(s, float64(v), strconv.FormatInt(v, 10))
	case float64:
		return numberOf(s, v, strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		if s.Type == data.Array {
			out := make([]any, len(v))
			for i, e := range v {
				var err error
				if out[i], err = defaultOf(s.Value, e); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
	case map[string]any:
		return defaultOfObject(s, v)
	}
	return nil, fmt.Errorf("%w: the default %v is no %s", data.ErrData, value, s.Type)
}

func defaultOfObject(s *data.Schema, v map[string]any) (_ any, err error) {
	switch s.Type {
	case data.MapType:
		out := &data.Map{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			value, err := defaultOf(s.Value, v[name])
			if err != nil {
				return nil, err
			}
			out.Put(name, value)
		}
		return out, nil
	case data.StructType:
		out := data.NewStruct(s)
		for i, f := range s.Fields {
			if out.Values[i], err = defaultOf(f.Schema, v[f.Name]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: a default that is an object is no %s", data.ErrData, s.Type)
}

func bytesOf(s *data.Schema, text string) (any, error) {
	b := make([]byte, 0, len(text))
	for _, c := range text {
		if c > 0xff {
			return nil, fmt.Errorf("%w: a default of bytes has %q", data.ErrData, c)
		}
		b = append(b, byte(c))
	}
	if s.Name == data.DecimalName {
		scale, _ := decimalOf(s)
		return data.DecimalOf(b, scale), nil
	}
	return b, nil
}

func numberOf(s *data.Schema, f float64, text string) (any, error) {
	switch s.Type {
	case data.Float32:
		return float32(f), nil
	case data.Float64:
		return f, nil
	}
	sizes := map[data.Type]int{data.Int8: 8, data.Int16: 16, data.Int32: 32, data.Int64: 64}
	n, err := strconv.ParseInt(text, 10, sizes[s.Type])
	if sizes[s.Type] == 0 || err != nil {
		return nil, fmt.Errorf("%w: the default %s is no %s", data.ErrData, text, s.Type)
	}
	if logicalType(s) != "" {
		return timeOf(s.Name, n), nil
	}
	return map[data.Type]any{data.Int8: int8(n), data.Int16: int16(n), data.Int32: int32(n), data.Int64: n}[s.Type], nil
}

func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" || strings.Contains(n.Name, ".") {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}
