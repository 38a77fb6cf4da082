package postgres

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// arrayLiterals replaces the slices that our statements take by the text form
// of PostgreSQL's arrays.
func arrayLiterals(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case []string:
			out[i] = arrayLiteral(v, appendQuoted)
		case [][]byte:
			out[i] = arrayLiteral(v, appendBytes)
		case []int64:
			out[i] = arrayLiteral(v, func(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) })
		case []int32:
			out[i] = arrayLiteral(v, func(b []byte, n int32) []byte { return strconv.AppendInt(b, int64(n), 10) })
		case []bool:
			out[i] = arrayLiteral(v, strconv.AppendBool)
		case []time.Time:
			out[i] = arrayLiteral(v, appendTime)
		case []*time.Time:
			out[i] = arrayLiteral(v, appendTimeOrNull)
		default:
			out[i] = arg
		}
	}
	return out
}

func arrayLiteral[T any](values []T, appendOne func([]byte, T) []byte) string {
	out := []byte{'{'}
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendOne(out, v)
	}
	return string(append(out, '}'))
}

var arrayEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func appendQuoted(out []byte, s string) []byte {
	out = append(out, '"')
	out = append(out, arrayEscaper.Replace(s)...)
	return append(out, '"')
}

func appendBytes(out, b []byte) []byte {
	if b == nil {
		return append(out, "NULL"...)
	}
	out = append(out, `"\\x`...)
	out = hex.AppendEncode(out, b)
	return append(out, '"')
}

func appendTime(out []byte, t time.Time) []byte {
	out = append(out, '"')
	out = t.UTC().AppendFormat(out, "2006-01-02T15:04:05.999999Z")
	return append(out, '"')
}

func appendTimeOrNull(out []byte, t *time.Time) []byte {
	if t == nil {
		return append(out, "NULL"...)
	}
	return appendTime(out, *t)
}
