package values

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"

	"github.com/pabal-dev/pabal/connect/data"
)

// optionalElements are arrays whose elements may be null by their schema. Debezium has others, whose
// schema denies the nulls that there may be.
func optionalElements(oid uint32, element Type) bool {
	switch element.Name {
	case "hstore", "geometry", "geography", "citext", "ltree":
		return true
	}
	switch oid {
	case 1005, 1007, 1016, 1028, 1002, 1015, 1009, 1014, 1041, 651, 1040, 775, 3909, 3911, 3913, 3905, 3907, 3927,
		1231, 1021, 1022, 1000, 1182, 2951, 3807, 199, 1183, 1270, 1115, 1185, 1001:
		return true
	}
	return false
}

// array of another type. Elements that are arrays themselves are null, as in Debezium.
func (t *Types) array(oid, element uint32, modifier int32) *Codec {
	of := t.Codec(element, modifier)
	if of == nil {
		return nil
	}
	elements := of.Schema
	if optionalElements(oid, t.byOID[element]) {
		elements = elements.AsOptional()
	}
	c := &Codec{Schema: &data.Schema{Type: data.Array, Value: elements}, Fallback: []any{}}
	c.Unchanged = t.unchangedArray(oid)
	c.Parse = func(b []byte) (any, error) { return parseArray(b, of.Parse) }
	return c
}

// unchangedArray is the placeholder in the way of some arrays; nil for others.
func (t *Types) unchangedArray(oid uint32) any {
	mark := t.options.Placeholder
	var out []any
	switch oid {
	case 1009, 1015, 1014, 199, 3807: // text, varchar, char, json, jsonb
		return []any{mark}
	case 1001:
		if c := t.binary(parseText); c.Schema.Type == data.Bytes {
			return []any{[]byte(mark)}
		}
		return []any{mark}
	case 1007, 1182: // int4, date
		for i := range len(mark) {
			out = append(out, int32(int8(mark[i])))
		}
		if t.options.Time == "isostring" || t.options.Time == "connect" {
			if oid == 1182 {
				return nil
			}
		}
	case 1016:
		for i := range len(mark) {
			out = append(out, int64(int8(mark[i])))
		}
	case 2951:
		return []any{nameUUID(mark)}
	}
	if out == nil {
		return nil
	}
	return out
}

// nameUUID is Java's UUID.nameUUIDFromBytes.
func nameUUID(name string) string {
	sum := md5.Sum([]byte(name))
	sum[6], sum[8] = sum[6]&0x0F|0x30, sum[8]&0x3F|0x80
	h := hex.EncodeToString(sum[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// parseArray of the form {1,NULL,"a \"b\""}, with bounds before it or not.
func parseArray(text []byte, element func([]byte) (any, error)) (any, error) {
	b := text
	if len(b) > 0 && b[0] == '[' {
		i := bytes.IndexByte(b, '=')
		if i < 0 {
			return nil, wrong(text, "array")
		}
		b = b[i+1:]
	}
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' {
		return nil, wrong(text, "array")
	}
	var unknown error
	out := []any{}
	b = b[1 : len(b)-1]
	for len(b) > 0 {
		item, quoted, rest, ok := nextElement(b)
		if !ok {
			return nil, wrong(text, "array")
		}
		b = rest
		switch {
		case !quoted && string(item) == "NULL", !quoted && len(item) > 0 && item[0] == '{':
			out = append(out, nil)
			continue
		}
		v, err := element(item)
		switch {
		case errors.Is(err, ErrLabel):
			unknown = err
		case err != nil:
			return nil, err
		}
		out = append(out, v)
	}
	return out, unknown
}

// nextElement up to a comma. A whole array inside is one, unquoted.
func nextElement(b []byte) (item []byte, quoted bool, rest []byte, ok bool) {
	switch b[0] {
	case '"':
		i := 1
		for ; i < len(b) && b[i] != '"'; i++ {
			if b[i] == '\\' {
				i++
			}
			if i < len(b) {
				item = append(item, b[i])
			}
		}
		if i >= len(b) {
			return nil, true, nil, false
		}
		rest, ok = afterElement(b[i+1:])
		return item, true, rest, ok
	case '{':
		end := closingBrace(b)
		if end < 0 {
			return nil, false, nil, false
		}
		rest, ok = afterElement(b[end+1:])
		return b[:end+1], false, rest, ok
	}
	i := bytes.IndexAny(b, ",;") // box has semicolons between elements
	if i < 0 {
		return b, false, nil, true
	}
	return b[:i], false, b[i+1:], true
}

func afterElement(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return nil, true
	}
	return b[1:], b[0] == ',' || b[0] == ';'
}

func closingBrace(b []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case quoted:
		case b[i] == '{':
			depth++
		case b[i] == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
