package codec

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/twmb/avro"
)

// deepest is how far types and schemas are followed.
const deepest = 32

// planner makes plans for the types of one schema.
type planner struct {
	named map[string]*avro.SchemaNode
	// within are the structs that are being followed: one that contains itself has no plan.
	within map[reflect.Type]bool
}

func (p planner) collect(n *avro.SchemaNode, depth int) {
	if n == nil || depth > deepest {
		return
	}
	if n.Name != "" {
		// References are by full names, and by short ones within a namespace.
		for _, name := range []string{n.Name, n.Namespace + "." + n.Name} {
			of := n
			if other := p.named[name]; other != nil && other != n {
				of = &avro.SchemaNode{} // not known which
			}
			p.named[name] = of
		}
	}
	for i := range n.Fields {
		p.collect(&n.Fields[i].Type, depth+1)
	}
	for i := range n.Branches {
		p.collect(&n.Branches[i], depth+1)
	}
	p.collect(n.Items, depth+1)
	p.collect(n.Values, depth+1)
}

// node is what n is, or what its name stands for.
func (p planner) node(n *avro.SchemaNode) *avro.SchemaNode {
	if of := p.named[n.Type]; n.Name == "" && of != nil {
		return of
	}
	return n
}

// record has a step for each field of the schema, each of which has one of the type, with no options but
// its name.
func (p planner) record(t reflect.Type, n *avro.SchemaNode, depth int) step {
	if t.Kind() != reflect.Struct || p.within[t] {
		return nil
	}
	p.within[t] = true
	defer delete(p.within, t)
	byName := map[string]reflect.StructField{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("avro"), ",")
		if f.Anonymous || strings.Contains(options, "inline") || strings.Contains(options, "omitzero") {
			return nil
		}
		if name == "" {
			name = f.Name
		}
		if _, twice := byName[name]; twice {
			return nil
		}
		if f.IsExported() && name != "-" {
			byName[name] = f
		}
	}
	type field struct {
		offset uintptr
		write  step
	}
	var fields []field
	for i := range n.Fields {
		f, ok := byName[n.Fields[i].Name]
		if !ok {
			return nil
		}
		write := p.step(f.Type, &n.Fields[i].Type, depth+1)
		if write == nil {
			return nil
		}
		fields = append(fields, field{f.Offset, write})
	}
	return func(dst []byte, at unsafe.Pointer) (_ []byte, err error) {
		for i := range fields {
			if dst, err = fields[i].write(dst, unsafe.Add(at, fields[i].offset)); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
}

func (p planner) array(t reflect.Type, n *avro.SchemaNode, depth int) step {
	if t.Kind() != reflect.Slice {
		return nil
	}
	write, size := p.step(t.Elem(), n.Items, depth+1), t.Elem().Size()
	if write == nil || size == 0 {
		return nil
	}
	// A slice of any type is laid out as one of bytes, but for its elements' size.
	return func(dst []byte, at unsafe.Pointer) (_ []byte, err error) {
		items := *(*[]byte)(at)
		if len(items) == 0 {
			return append(dst, 0), nil
		}
		dst = binary.AppendVarint(dst, int64(len(items)))
		first := unsafe.Pointer(unsafe.SliceData(items))
		for i := range uintptr(len(items)) {
			if dst, err = write(dst, unsafe.Add(first, i*size)); err != nil {
				return dst, err
			}
		}
		return append(dst, 0), nil
	}
}

// union has a pointer as null or what it points to, and a string as the UUID that it is, or as a string.
func (p planner) union(t reflect.Type, n *avro.SchemaNode, depth int) step {
	index := func(fits func(*avro.SchemaNode) bool) int {
		return slices.IndexFunc(n.Branches, func(b avro.SchemaNode) bool { return fits(p.node(&b)) })
	}
	null := index(func(b *avro.SchemaNode) bool { return b.Type == "null" })
	switch t.Kind() {
	case reflect.Pointer:
		if null < 0 {
			return nil
		}
		var write step
		if of := index(func(b *avro.SchemaNode) bool { return b.Type != "null" }); len(n.Branches) == 2 {
			if inner := p.step(t.Elem(), &n.Branches[of], depth+1); inner != nil {
				write = func(dst []byte, at unsafe.Pointer) ([]byte, error) {
					return inner(binary.AppendVarint(dst, int64(of)), at)
				}
			}
		} else if t.Elem().Kind() == reflect.String {
			write = p.step(t.Elem(), n, depth+1)
		}
		if write == nil {
			return nil
		}
		return func(dst []byte, at unsafe.Pointer) ([]byte, error) {
			if to := *(*unsafe.Pointer)(at); to != nil {
				return write(dst, to)
			}
			return binary.AppendVarint(dst, int64(null)), nil
		}
	case reflect.String:
		text := index(func(b *avro.SchemaNode) bool { return b.Type == "string" && b.LogicalType == "" })
		if text < 0 {
			return nil
		}
		uuid := index(func(b *avro.SchemaNode) bool { return b.Type == "fixed" && b.LogicalType == "uuid" })
		return func(dst []byte, at unsafe.Pointer) ([]byte, error) {
			s := *(*string)(at)
			if uuid >= 0 {
				if out, ok := appendUUID(binary.AppendVarint(dst, int64(uuid)), s); ok {
					return out, nil
				}
			}
			return appendText(binary.AppendVarint(dst, int64(text)), s), nil
		}
	}
	return nil
}
