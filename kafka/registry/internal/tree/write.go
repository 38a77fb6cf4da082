package tree

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// Compact is the value as JSON without spaces.
func (v *Value) Compact() string { return string(v.Append(nil)) }

// Append writes Compact behind dst.
func (v *Value) Append(dst []byte) []byte {
	switch v.Kind {
	case Null:
		return append(dst, "null"...)
	case String:
		return AppendString(dst, v.Text)
	case Array:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.Append(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v.Members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, m.Name), ':')
			dst = m.Value.Append(dst)
		}
		return append(dst, '}')
	default:
		return append(dst, v.Text...)
	}
}

// AppendString writes a JSON string; only what must be escaped is.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r == '\b':
			dst = append(dst, '\\', 'b')
		case r == '\f':
			dst = append(dst, '\\', 'f')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// Sorted is the value with the members of all objects in the order of their names.
func (v *Value) Sorted() *Value {
	out := &Value{Kind: v.Kind, Text: v.Text}
	for _, item := range v.Items {
		out.Items = append(out.Items, item.Sorted())
	}
	if v.Kind == Object {
		out.index = map[string]int{}
		for _, m := range v.Members {
			out.Members = append(out.Members, Member{m.Name, m.Value.Sorted()})
		}
		slices.SortFunc(out.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
		for i, m := range out.Members {
			out.index[m.Name] = i
		}
	}
	return out
}

// Equal compares as JSON Schema does: members in any order, numbers by their value.
func (v *Value) Equal(w *Value) bool {
	if v == nil || w == nil {
		return v == w
	}
	if v.Kind != w.Kind || len(v.Items) != len(w.Items) || len(v.Members) != len(w.Members) {
		return false
	}
	if v.Text != w.Text && (v.Kind != Number || v.Number().Cmp(w.Number()) != 0) {
		return false
	}
	for i := range v.Items {
		if !v.Items[i].Equal(w.Items[i]) {
			return false
		}
	}
	for _, m := range v.Members {
		if !m.Value.Equal(w.Get(m.Name)) {
			return false
		}
	}
	return true
}

// maxExponent bounds the work that a number makes: 1e999999999 is a short text.
const maxExponent = 4096

// Number is the value of a number; those whose exponent is out of all proportion, and what is no
// number, are 0.
func (v *Value) Number() *big.Rat {
	if v == nil || v.Kind != Number {
		return new(big.Rat)
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(v.Text), "e"); ok {
		if n, err := json.Number(strings.TrimPrefix(exponent, "+")).Int64(); err != nil || n > maxExponent || n < -maxExponent {
			return new(big.Rat)
		}
	}
	n, ok := new(big.Rat).SetString(v.Text)
	if !ok {
		return new(big.Rat)
	}
	return n
}
