package avro

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// space is the namespace of what has no name in Kafka Connect.
const space = "io.confluent.connect.avro"

// plan is what a schema becomes: the text for the registry, and how values are written.
type plan struct {
	text  string
	name  string // of the record, "" where it is none
	write writer
}

// writer appends a value, which it has compared with its schema.
type writer func(b []byte, value any) ([]byte, error)

func newPlan(s *data.Schema, scrub bool) (*plan, error) {
	p := &planner{scrub: scrub}
	text, write, err := p.schema(s, "")
	if err != nil {
		return nil, err
	}
	out := &plan{text: text, write: write}
	if s.Type == data.StructType {
		out.name = p.defined[0].name
	}
	return out, nil
}

// planner keeps what is defined already: a second definition is the first one's name.
type planner struct {
	scrub   bool
	defined []definition
	unnamed int
}

type definition struct {
	schema *data.Schema // not optional
	name   string
	write  writer
}

// schema returns the text and the writer; in is the namespace around it.
func (p *planner) schema(s *data.Schema, in string) (string, writer, error) {
	text, write, err := p.base(s, in)
	if err != nil || !s.Optional {
		return text, write, err
	}
	if s.Default != nil && s.Type != data.StructType {
		return "[" + text + `,"null"]`, either(write, 0, 2), nil
	}
	return `["null",` + text + "]", either(write, 2, 0), nil
}

// either writes the branch before the value: these are the bytes of the indexes.
func either(write writer, value, null byte) writer {
	return func(b []byte, v any) ([]byte, error) {
		if v == nil {
			return append(b, null), nil
		}
		return write(append(b, value), v)
	}
}

// base is the schema as if it were not optional.
func (p *planner) base(s *data.Schema, in string) (string, writer, error) {
	switch s.Type {
	case data.StructType:
		return p.record(s, in)
	case data.Array:
		items, write, err := p.schema(s.Value, in)
		if err != nil {
			return "", nil, fmt.Errorf("elements: %w", err)
		}
		text, err := annotated(`"type":"array","items":`+items, s)
		return text, writeArray(s, write), err
	case data.MapType:
		return p.mapping(s, in)
	}
	write, ok := simple(s)
	if !ok {
		return "", nil, fmt.Errorf("%w: a schema of %s has no Avro form", data.ErrData, s.Type)
	}
	text, err := annotated(`"type":`+quote(avroTypes[s.Type])+decimalParts(s), s)
	if bare := `{"type":` + quote(avroTypes[s.Type]) + "}"; text == bare {
		text = quote(avroTypes[s.Type])
	}
	return text, write, err
}

var avroTypes = map[data.Type]string{
	data.Int8: "int", data.Int16: "int", data.Int32: "int", data.Int64: "long", data.Float32: "float", data.Float64: "double",
	data.Boolean: "boolean", data.String: "string", data.Bytes: "bytes",
}

func (p *planner) record(s *data.Schema, in string) (string, writer, error) {
	required := *s
	required.Optional = false
	for _, d := range p.defined {
		if d.write == nil && d.schema.Name != "" && d.schema.Name == s.Name {
			return "", nil, fmt.Errorf("%w: the struct %s has itself inside", data.ErrData, s.Name)
		}
		if d.schema.Equal(&required) {
			return quote(shortest(d.name, in)), d.write, nil
		}
	}
	name, err := p.named(s.Name)
	if err != nil {
		return "", nil, err
	}
	for _, d := range p.defined {
		if d.name == name {
			return "", nil, fmt.Errorf("%w: two structs are named %s, and their schemas differ", data.ErrData, name)
		}
	}
	at := len(p.defined)
	p.defined = append(p.defined, definition{schema: &required, name: name})
	namespace, local := split(name)
	head := `"type":"record","name":` + quote(local)
	if namespace != in {
		head += `,"namespace":` + quote(namespace)
	}
	if doc, ok := s.Parameter(space + ".record.doc"); ok {
		head += `,"doc":` + quote(doc)
	}
	var fields []string
	writes := make([]writer, len(s.Fields))
	for i, f := range s.Fields {
		var text string
		if text, writes[i], err = p.field(s, f, namespace); err != nil {
			return "", nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		fields = append(fields, text)
	}
	text, err := annotated(head+`,"fields":[`+strings.Join(fields, ",")+"]", s)
	p.defined[at].write = writeStruct(&required, writes)
	return text, p.defined[at].write, err
}

func (p *planner) field(s *data.Schema, f data.Field, in string) (string, writer, error) {
	name, err := p.local(f.Name)
	if err != nil {
		return "", nil, err
	}
	text, write, err := p.schema(f.Schema, in)
	if err != nil {
		return "", nil, err
	}
	out := `{"name":` + quote(name) + `,"type":` + text
	if doc, ok := s.Parameter(space + ".field.doc." + f.Name); ok {
		out += `,"doc":` + quote(doc)
	}
	switch {
	case f.Schema.Default != nil && !(f.Schema.Optional && f.Schema.Type == data.StructType):
		value, err := defaultText(f.Schema, f.Schema.Default)
		if err != nil {
			return "", nil, err
		}
		out += `,"default":` + value
	case f.Schema.Optional:
		out += `,"default":null`
	}
	return out + "}", write, nil
}

// mapping is Avro's map where keys are text, and an array of entries where they are not.
func (p *planner) mapping(s *data.Schema, in string) (string, writer, error) {
	if s.Key.Type == data.String && !s.Key.Optional {
		values, write, err := p.schema(s.Value, in)
		if err != nil {
			return "", nil, fmt.Errorf("values: %w", err)
		}
		text, err := annotated(`"type":"map","values":`+values, s)
		return text, writeMap(s, nil, write), err
	}
	entry := &data.Schema{Type: data.StructType, Name: space + ".MapEntry", Fields: []data.Field{{Name: "key", Schema: s.Key}, {Name: "value", Schema: s.Value}}}
	internal := ""
	if s.Name != "" {
		entry.Name, internal = s.Name, `,"connect.internal.type":"MapEntry"`
	}
	name, err := p.named(entry.Name)
	if err != nil {
		return "", nil, err
	}
	for _, d := range p.defined {
		if d.name == name && !d.schema.Equal(entry) {
			return "", nil, fmt.Errorf("%w: two maps without text as keys, or a struct, are named %s", data.ErrData, name)
		}
		if d.name == name {
			text, err := annotated(`"type":"array","items":`+quote(shortest(name, in)), s)
			return text, d.write, err
		}
	}
	namespace, local := split(name)
	key, writeKey, err := p.field(entry, entry.Fields[0], namespace)
	if err != nil {
		return "", nil, fmt.Errorf("keys: %w", err)
	}
	value, writeValue, err := p.field(entry, entry.Fields[1], namespace)
	if err != nil {
		return "", nil, fmt.Errorf("values: %w", err)
	}
	items := `{"type":"record","name":` + quote(local)
	if namespace != in {
		items += `,"namespace":` + quote(namespace)
	}
	write := writeMap(s, writeKey, writeValue)
	p.defined = append(p.defined, definition{entry, name, write})
	text, err := annotated(`"type":"array","items":`+items+`,"fields":[`+key+","+value+"]"+internal+"}", s)
	return text, write, err
}

// named is the full name in Avro of a name in Kafka Connect.
func (p *planner) named(name string) (string, error) {
	if name == "" {
		p.unnamed++
		if p.unnamed == 1 {
			return space + ".ConnectDefault", nil
		}
		return space + ".ConnectDefault" + strconv.Itoa(p.unnamed), nil
	}
	parts := strings.Split(strings.TrimRight(name, "."), ".")
	for i, part := range parts {
		var err error
		if parts[i], err = p.local(part); err != nil {
			return "", fmt.Errorf("the name %q: %w", name, err)
		}
	}
	return strings.Join(parts, "."), nil
}

func (p *planner) local(name string) (string, error) {
	if valid(name) {
		return name, nil
	}
	if !p.scrub || name == "" {
		return "", fmt.Errorf("%w: %q is no name in Avro: letters, digits and _; scrub.invalid.names, or the connector's field.name.adjustment.mode and schema.name.adjustment.mode, replace others", data.ErrData, name)
	}
	return scrubbed(name), nil
}

func valid(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !letter(c) && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// scrubbed is the name as in a URL, with _ for what is no letter or digit then.
func scrubbed(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case letter(c) || c >= '0' && c <= '9':
			b.WriteByte(c)
		case c == '-' || c == '.' || c == '*' || c == ' ':
			b.WriteByte('_')
		default:
			fmt.Fprintf(&b, "_%02X", c)
		}
	}
	if out := b.String(); !valid(out) {
		return "x" + out
	}
	return b.String()
}

func split(full string) (namespace, local string) {
	i := strings.LastIndexByte(full, '.')
	return full[:max(i, 0)], full[i+1:]
}

func shortest(full, in string) string {
	if namespace, local := split(full); namespace == in {
		return local
	}
	return full
}

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // text always has a form
	return strings.TrimSuffix(b.String(), "\n")
}
