package values

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// pair of an hstore; a nil value is NULL.
type pair struct {
	key   string
	value any
}

func hstore(t *Types, _ int32) *Codec {
	mark := []pair{{t.options.Placeholder, t.options.Placeholder}}
	if t.options.HStore == "map" {
		toMap := func(pairs []pair) *data.Map {
			m := &data.Map{}
			for _, p := range pairs {
				m.Keys, m.Values = append(m.Keys, p.key), append(m.Values, p.value)
			}
			return m
		}
		s := &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: data.OptionalOf(data.String)}
		return &Codec{Schema: s, Fallback: &data.Map{}, Unchanged: toMap(mark), Parse: func(b []byte) (any, error) {
			pairs, ok := parsePairs(string(b))
			if !ok {
				return nil, wrong(b, "hstore")
			}
			return toMap(javaOrder(pairs)), nil
		}}
	}
	return &Codec{Schema: types.Of(types.JSONName), Fallback: "{}", Unchanged: toJSON(mark), Parse: func(b []byte) (any, error) {
		pairs, ok := parsePairs(string(b))
		if !ok {
			return nil, wrong(b, "hstore")
		}
		return toJSON(javaOrder(pairs)), nil
	}}
}

// parsePairs of the form "a"=>"1", "b"=>NULL.
func parsePairs(text string) (pairs []pair, ok bool) {
	for text = strings.TrimSpace(text); text != ""; {
		key, rest, ok := unquote(text)
		if !ok || !strings.HasPrefix(rest, "=>") {
			return nil, false
		}
		rest = rest[2:]
		if after, null := strings.CutPrefix(rest, "NULL"); null {
			pairs, rest = append(pairs, pair{key, nil}), after
		} else {
			var value string
			if value, rest, ok = unquote(rest); !ok {
				return nil, false
			}
			pairs = append(pairs, pair{key, value})
		}
		text = strings.TrimPrefix(rest, ", ")
	}
	return pairs, true
}

func unquote(text string) (value, rest string, ok bool) {
	if text == "" || text[0] != '"' {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}

// javaOrder is that of Java's HashMap, in which Debezium writes the pairs.
func javaOrder(pairs []pair) []pair {
	buckets := uint32(16)
	for uint32(len(pairs)) > buckets/4*3 {
		buckets *= 2
	}
	bucket := func(key string) uint32 {
		h := uint32(0)
		for _, c := range utf16.Encode([]rune(key)) {
			h = 31*h + uint32(c)
		}
		return (h ^ h>>16) & (buckets - 1)
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return int(bucket(a.key)) - int(bucket(b.key)) })
	return pairs
}

func toJSON(pairs []pair) string {
	var b strings.Builder
	write := func(v any) {
		if v == nil {
			b.WriteString("null")
			return
		}
		// It ends values with a new line.
		var one strings.Builder
		e := json.NewEncoder(&one)
		e.SetEscapeHTML(false)
		_ = e.Encode(v)
		b.WriteString(strings.TrimSuffix(one.String(), "\n"))
	}
	b.WriteByte('{')
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(',')
		}
		write(p.key)
		b.WriteByte(':')
		write(p.value)
	}
	b.WriteByte('}')
	return b.String()
}
