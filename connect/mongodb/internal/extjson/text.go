package extjson

import (
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// text writes a string. The driver escapes what is neither letter, number, symbol, punctuation
// nor space of some kind, and each half of a surrogate pair.
func (w *writer) text(s []byte) {
	w.out = append(w.out, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if plain(c) {
				i++
				continue
			}
			w.out = append(w.out, s[start:i]...)
			w.escapeASCII(c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		if size > 1 && r < 0x10000 && shown(r) {
			i += size
			continue
		}
		w.out = append(w.out, s[start:i]...)
		w.escapeRune(r)
		i += size
		start = i
	}
	w.out = append(w.out, s[start:]...)
	w.out = append(w.out, '"')
}

func plain(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

func (w *writer) escapeASCII(c byte) {
	switch c {
	case '"', '\\':
		w.out = append(w.out, '\\', c)
	case '\b':
		w.raw(`\b`)
	case '\f':
		w.raw(`\f`)
	case '\n':
		w.raw(`\n`)
	case '\r':
		w.raw(`\r`)
	case '\t':
		w.raw(`\t`)
	default:
		w.escape16(uint16(c))
	}
}

func (w *writer) escapeRune(r rune) {
	switch high, low := utf16.EncodeRune(r); {
	case r == utf8.RuneError: // bytes that are no text: Java reads them as this character
		w.out = utf8.AppendRune(w.out, r)
	case r >= 0x10000:
		w.escape16(uint16(high))
		w.escape16(uint16(low))
	default:
		w.escape16(uint16(r))
	}
}

func (w *writer) escape16(c uint16) {
	w.out = append(w.out, '\\', 'u', hexDigits[c>>12], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
}

// shownRunes has a bit for each of the first 65,536 characters that are written as they are.
var shownRunes = sync.OnceValue(func() *[1024]uint64 {
	var bits [1024]uint64
	for r := rune(0); r < 0x10000; r++ {
		if unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Lo, unicode.N, unicode.Zs, unicode.P, unicode.S) {
			bits[r>>6] |= 1 << (r & 63)
		}
	}
	return &bits
})

func shown(r rune) bool { return shownRunes()[r>>6]&(1<<(r&63)) != 0 }
