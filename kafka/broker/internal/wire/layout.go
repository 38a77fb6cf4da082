package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// layout is how a request of one version looks on the wire. A request is walked by it
// before kmsg decodes it: kmsg makes arrays of any length that is smaller than the rest
// of the request, some hundred bytes for each byte of a hostile one, and counts tags to
// any number.
type layout struct {
	shape    shape
	size     int       // of a fixed one
	of       *layout   // of a list's elements, or what may be missing
	fields   []*layout // of a group
	flexible bool
	least    int // bytes it has on the wire
	memory   int // bytes of an element in memory
	bytes    bool
}

type shape int8

const (
	fixed shape = iota
	text        // string
	blob        // bytes
	list
	group // struct
	maybe // a struct that may be missing
)

var layouts sync.Map // layoutKey to *layout

type layoutKey struct{ key, version int16 }

// layoutOf returns the layout of a request, which it learns once from what kmsg writes.
func layoutOf(key, version int16) (*layout, error) {
	k := layoutKey{key, version}
	if l, ok := layouts.Load(k); ok {
		return l.(*layout), nil
	}
	learner := learner{key: key, version: version}
	req := kmsg.RequestForKey(key)
	if req == nil {
		return nil, fmt.Errorf("no API has the key %d", key)
	}
	req.SetVersion(version)
	learner.flexible = req.IsFlexible()
	l := learner.group(reflect.TypeOf(req).Elem(), func(root reflect.Value) reflect.Value { return root })
	if learner.err != nil {
		return nil, learner.err
	}
	layouts.Store(k, l)
	return l, nil
}

// learner finds the fields that a version has by writing requests that differ in one.
type learner struct {
	key, version int16
	flexible     bool
	err          error
}

// path goes from a request to a part of it, which it makes where it is missing.
type path func(root reflect.Value) reflect.Value

func (l *learner) write(at path, change func(reflect.Value)) []byte {
	req := kmsg.RequestForKey(l.key)
	req.SetVersion(l.version)
	change(at(reflect.ValueOf(req).Elem()))
	return req.AppendTo(nil)
}

func (l *learner) group(t reflect.Type, at path) *layout {
	g := &layout{shape: group, flexible: l.flexible, memory: int(t.Size())}
	for i := range t.NumField() {
		name := t.Field(i).Name
		if name == "UnknownTags" || name == "Version" && t.Field(i).Type.Kind() == reflect.Int16 && i == 0 {
			continue
		}
		field := l.field(t.Field(i).Type, func(root reflect.Value) reflect.Value { return at(root).Field(i) })
		if field == nil {
			continue
		}
		g.fields = append(g.fields, field)
		g.least += field.least
		g.bytes = g.bytes || field.bytes
	}
	if l.flexible {
		g.least++
	}
	return g
}

// field returns the layout of a field, nil where this version has it not, or as a tag.
func (l *learner) field(t reflect.Type, at path) *layout {
	before := l.write(at, func(reflect.Value) {})
	grows := func(change func(reflect.Value)) int { return len(l.write(at, change)) - len(before) }
	count := func(n int) int {
		if l.flexible {
			return 1
		}
		return n
	}
	switch {
	case t == reflect.TypeFor[[16]byte]() || t.Kind() <= reflect.Float64 && t.Kind() != reflect.Int && t.Kind() != reflect.Uint:
		after := l.write(at, other)
		if len(after) != len(before) || bytes.Equal(after, before) {
			return nil
		}
		return &layout{shape: fixed, size: int(t.Size()), least: int(t.Size()), memory: int(t.Size())}
	case t.Kind() == reflect.String || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.String:
		if grows(other) != 1 {
			return nil
		}
		return &layout{shape: text, flexible: l.flexible, least: count(2), memory: int(t.Size())}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		if grows(other) != 1 {
			return nil
		}
		return &layout{shape: blob, flexible: l.flexible, least: count(4), memory: int(t.Size()), bytes: true}
	case t.Kind() == reflect.Slice:
		one, two := grows(elements(1)), grows(elements(2))
		if one <= 0 || two != 2*one {
			return nil
		}
		of := l.element(t.Elem(), func(root reflect.Value) reflect.Value {
			v := at(root)
			elements(1)(v)
			return v.Index(0)
		})
		return &layout{shape: list, flexible: l.flexible, of: of, least: count(4), bytes: of != nil && of.bytes}
	case t.Kind() == reflect.Struct:
		g := l.group(t, at)
		if len(g.fields) == 0 {
			return nil
		}
		return g
	case t.Kind() == reflect.Pointer:
		of := l.group(t.Elem(), func(root reflect.Value) reflect.Value {
			v := at(root)
			other(v)
			return v.Elem()
		})
		if grows(other) != of.least {
			return nil
		}
		return &layout{shape: maybe, of: of, least: 1, bytes: of.bytes}
	}
	l.err = fmt.Errorf("%s of version %d has a %s", kmsg.NameForKey(l.key), l.version, t)
	return nil
}

func (l *learner) element(t reflect.Type, at path) *layout {
	if t.Kind() == reflect.Struct {
		return l.group(t, at)
	}
	of := l.field(t, at)
	if of == nil && l.err == nil {
		l.err = fmt.Errorf("%s of version %d has lists of %s", kmsg.NameForKey(l.key), l.version, t)
	}
	return of
}

// other changes a value to one that is not its default.
func other(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() ^ 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() ^ 1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.String:
		v.SetString("x")
	case reflect.Array:
		v.Index(0).SetUint(v.Index(0).Uint() ^ 1)
	case reflect.Slice: // of bytes
		v.SetBytes([]byte{1})
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if p.Elem().Kind() == reflect.String {
			p.Elem().SetString("x")
		} else if d, ok := p.Interface().(interface{ Default() }); ok {
			d.Default()
		}
		v.Set(p)
	}
}

// elements makes a list of n elements that have their defaults.
func elements(n int) func(reflect.Value) {
	return func(v reflect.Value) {
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			if d, ok := v.Index(i).Addr().Interface().(interface{ Default() }); ok {
				d.Default()
			}
		}
	}
}

// Bounds on what a request may be decoded to.
const (
	mostDecoded = 16 << 20 // bytes of lists and tags in memory
	tagMemory   = 256      // of a tag
)

// check says whether body begins with a request of this layout, and about how much memory
// that takes when it is decoded. What follows is passed over, as Apache Kafka does:
// librdkafka sends a second end of tags with some requests.
func (l *layout) check(body []byte) (memory int, ok bool) {
	w := walk{rest: body}
	w.value(l)
	return w.decoded, !w.bad
}

type walk struct {
	rest    []byte
	bad     bool
	decoded int
}

func (w *walk) value(l *layout) {
	switch l.shape {
	case fixed:
		w.skip(l.size)
	case text:
		w.skip(max(0, w.length(l.flexible, 2)))
	case blob:
		w.skip(max(0, w.length(l.flexible, 4)))
	case list:
		w.list(l)
	case maybe:
		if b := w.take(1); len(b) == 1 && b[0] != 0xff {
			w.value(l.of)
		}
	case group:
		for _, f := range l.fields {
			w.value(f)
		}
		if l.flexible {
			w.skipTags()
		}
	}
}

func (w *walk) list(l *layout) {
	n := w.length(l.flexible, 4)
	if n <= 0 {
		return
	}
	w.decoded += n * l.of.memory
	if n > len(w.rest)/max(1, l.of.least) || w.decoded > mostDecoded {
		w.fail()
		return
	}
	if l.of.shape == fixed {
		w.skip(n * l.of.size)
		return
	}
	for i := 0; i < n && !w.bad; i++ {
		w.value(l.of)
	}
}

func (w *walk) fail() { w.bad, w.rest = true, nil }

func (w *walk) skip(n int) {
	if n > len(w.rest) {
		w.fail()
		return
	}
	w.rest = w.rest[n:]
}

// length reads a length or count, which has size bytes unless it is a compact one. It is
// negative where there is nothing.
func (w *walk) length(compact bool, size int) int {
	if compact {
		return int(w.uvarint()) - 1
	}
	if len(w.rest) < size {
		w.fail()
		return -1
	}
	b := w.rest
	w.rest = w.rest[size:]
	if size == 2 {
		return int(int16(binary.BigEndian.Uint16(b)))
	}
	return int(int32(binary.BigEndian.Uint32(b)))
}

func (w *walk) uvarint() uint32 {
	v, n := binary.Uvarint(w.rest)
	if n <= 0 || n > 5 || v > 1<<31 {
		w.fail()
		return 0
	}
	w.rest = w.rest[n:]
	return uint32(v)
}

func (w *walk) skipTags() {
	n := int(w.uvarint())
	if w.decoded += n * tagMemory; n > len(w.rest) || w.decoded > mostDecoded {
		w.fail()
	}
	for ; n > 0 && !w.bad; n-- {
		w.uvarint()
		w.skip(int(w.uvarint()))
	}
}

// take returns n bytes.
func (w *walk) take(n int) []byte {
	b := w.rest
	if w.skip(n); w.bad {
		return nil
	}
	return b[:n:n]
}
