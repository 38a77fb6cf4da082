package postgres

import (
	"bytes"
	"strconv"
	"strings"
)

// keyText joins the key's fields, which come in the order of columns, in that of the key.
func (t *snapshotTable) keyText(fields [][]byte) string {
	if len(t.keyAt) == 1 {
		return string(fields[0])
	}
	var b strings.Builder
	for i, at := range t.keyAt {
		if i > 0 {
			b.WriteByte('\t')
		}
		n := 0
		for _, other := range t.keyAt {
			if other < at {
				n++
			}
		}
		b.Write(fields[n])
	}
	return b.String()
}

func containsInt(all []int, one int) bool {
	for _, n := range all {
		if n == one {
			return true
		}
	}
	return false
}

// unescape a field of COPY's text, in place.
func unescape(b []byte) []byte {
	i := bytes.IndexByte(b, '\\')
	if i < 0 {
		return b
	}
	out := b[:i]
	for ; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			i++
			switch c = b[i]; c {
			case 'b':
				c = '\b'
			case 'f':
				c = '\f'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'v':
				c = '\v'
			}
		}
		out = append(out, c)
	}
	return out
}

func parseInt(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
