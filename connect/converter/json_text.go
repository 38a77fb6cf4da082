package converter

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// plainText are the bytes that stand for themselves.
var plainText = func() (plain [256]bool) {
	for c := range utf8.RuneSelf {
		plain[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return plain
}()

// appendText escapes what Jackson does: quotes, backslashes, control characters, and what
// Java has in two halves, such as emoji.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from, i := 0, 0
	for i < len(s) && plainText[s[i]] {
		i++
	}
	for i < len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			if r >= 0x10000 {
				b = appendHalves(append(b, s[from:i]...), r)
				from = i + size
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		b = appendEscape(b, c)
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\t':
		return append(b, '\\', 't')
	case '\n':
		return append(b, '\\', 'n')
	case '\f':
		return append(b, '\\', 'f')
	case '\r':
		return append(b, '\\', 'r')
	}
	return appendUnicode(b, rune(c))
}

func appendHalves(b []byte, r rune) []byte {
	first, second := utf16.EncodeRune(r)
	return appendUnicode(appendUnicode(b, first), second)
}

func appendUnicode(b []byte, r rune) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

func appendBase64(b, v []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), v), '"')
}

// appendFloat writes as Java's Double.toString does: plain from 0.001 to 10,000,000, else with an
// exponent, always with a point. What is no number is a string.
func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	case f == 0 && math.Signbit(f):
		return append(b, "-0.0"...)
	}
	if abs := math.Abs(f); f == 0 || abs >= 1e-3 && abs < 1e7 {
		from := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, bits)
		return withPoint(b, from)
	}
	text := shortest(f, bits) // d.dddE+xx
	mantissa, exponent := splitExponent(text)
	from := len(b)
	b = withPoint(append(b, mantissa...), from)
	return strconv.AppendInt(append(b, 'E'), int64(exponent), 10)
}

// shortest has two digits at least, of which the second may tell more, as in 4.9E-324.
func shortest(f float64, bits int) string {
	two := strconv.FormatFloat(f, 'E', 1, bits)
	if again, err := strconv.ParseFloat(two, bits); err == nil && again == f {
		return two
	}
	return strconv.FormatFloat(f, 'E', -1, bits)
}

func withPoint(b []byte, from int) []byte {
	for _, c := range b[from:] {
		if c == '.' {
			return b
		}
	}
	return append(b, '.', '0')
}

func splitExponent(text string) (mantissa string, exponent int) {
	for i := range text {
		if text[i] == 'E' {
			exponent, _ = strconv.Atoi(text[i+1:])
			return text[:i], exponent
		}
	}
	return text, 0
}
