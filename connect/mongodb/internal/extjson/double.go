package extjson

import (
	"bytes"
	"math"
	"strconv"
)

// double writes as Java's Double.toString.
func (w *writer) double(x float64) {
	special := math.IsNaN(x) || math.IsInf(x, 0)
	if w.Mode == Extended || w.Mode == Relaxed && special {
		w.raw(`{"$numberDouble": "`)
		w.out = appendDouble(w.out, x)
		w.raw(`"}`)
		return
	}
	w.out = appendDouble(w.out, x)
}

func appendDouble(dst []byte, x float64) []byte {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return append(dst, "NaN"...)
	case math.IsInf(x, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(x, -1):
		return append(dst, "-Infinity"...)
	case x == 0 && math.Signbit(x):
		return append(dst, "-0.0"...)
	case x == 0:
		return append(dst, "0.0"...)
	case a >= 1e-3 && a < 1e7:
		start := len(dst)
		dst = strconv.AppendFloat(dst, x, 'f', -1, 64)
		if bytes.IndexByte(dst[start:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	return appendScientific(dst, x)
}

// appendScientific writes two digits at least, the closest ones, and an exponent without a plus.
func appendScientific(dst []byte, x float64) []byte {
	var buffer [32]byte
	text := strconv.AppendFloat(buffer[:0], x, 'e', -1, 64)
	if bytes.IndexByte(text, '.') < 0 {
		text = strconv.AppendFloat(buffer[:0], x, 'e', 1, 64)
	}
	digits, exponent, _ := bytes.Cut(text, []byte{'e'})
	dst = append(append(dst, digits...), 'E')
	if exponent[0] == '-' {
		dst = append(dst, '-')
	}
	return append(dst, bytes.TrimLeft(exponent[1:], "0")...)
}
