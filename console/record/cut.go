package record

import (
	"fmt"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/console/api"
)

// Limits of what is shown of a message, in bytes.
const (
	// ValueLimit is how much of a value a list shows, FullLimit how much a message
	// asked for whole.
	ValueLimit = 16 << 10
	FullLimit  = 1 << 20
	// KeyLimit bounds a key, headersLimit all headers together.
	KeyLimit     = 4 << 10
	headersLimit = 64 << 10
	// headersMost is how many headers are shown at most, and nameLimit how much of
	// their names.
	headersMost = 256
	nameLimit   = 256
)

// Cut shortens m's value to ValueLimit, or FullLimit where full is set, and key and
// headers to their own limits. Mask before: what is cut cannot be masked by field.
func Cut(m *api.Message, full bool) {
	limit := ValueLimit
	if full {
		limit = FullLimit
	}
	cut(&m.Value, limit)
	cut(&m.Key, KeyLimit)
	if more := len(m.Headers) - headersMost; more > 0 {
		m.Headers = append(m.Headers[:headersMost:headersMost],
			api.Header{Key: "…", Value: plain(fmt.Appendf(nil, "%d more headers are not shown", more))})
	}
	left := headersLimit
	for i := range m.Headers {
		h := &m.Headers[i]
		h.Key = prefix(h.Key, nameLimit)
		cut(&h.Value, left)
		left -= len(h.Key) + len(h.Value.Text) + len(h.Value.Base64)
		left = max(left, 0)
	}
	if m.Event != nil {
		m.Event.Key = prefix(m.Event.Key, KeyLimit)
		m.Event.Source = prefix(m.Event.Source, KeyLimit)
	}
}

func cut(d *api.Data, limit int) {
	if len(d.Text) <= limit && len(d.Base64) <= limit {
		return
	}
	d.Cut = true
	d.Text = prefix(d.Text, limit)
	d.Base64 = d.Base64[:min(len(d.Base64), limit)]
}

// prefix is at most limit bytes of s, whole characters, without holding the rest
// in memory.
func prefix(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return string([]byte(s[:limit]))
}
