package values

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// binary is bytes in the way of binary.handling.mode. parse gives []byte, or text for its bytes.
func (t *Types) binary(parse func([]byte) (any, error)) *Codec {
	var encode func([]byte) string
	switch strings.ReplaceAll(t.options.Binary, "_", "-") {
	case "base64":
		encode = base64.StdEncoding.EncodeToString
	case "base64-url-safe":
		encode = base64.URLEncoding.EncodeToString
	case "hex":
		encode = hex.EncodeToString
	}
	raw := func(b []byte) ([]byte, error) {
		v, err := parse(b)
		if s, ok := v.(string); ok {
			return []byte(s), err
		}
		out, _ := v.([]byte)
		return out, err
	}
	if encode == nil {
		return &Codec{Schema: data.Of(data.Bytes), Fallback: []byte{}, Unchanged: []byte(t.options.Placeholder),
			Parse: func(b []byte) (any, error) {
				out, err := raw(b)
				return out, err
			}}
	}
	return &Codec{Schema: data.Of(data.String), Fallback: "", Parse: func(b []byte) (any, error) {
		out, err := raw(b)
		return encode(out), err
	}}
}

// bits of length 1 are a boolean, others bytes with the last bit first, without zeros at the end.
func bits(_ *Types, modifier int32) *Codec {
	if modifier == 1 {
		return &Codec{Schema: data.Of(data.Boolean), Fallback: false, Parse: func(b []byte) (any, error) {
			return len(b) == 1 && b[0] == '1', nil
		}}
	}
	length := int(modifier)
	if modifier < 0 {
		length = math.MaxInt32
	}
	return &Codec{Schema: types.Bits(length), Fallback: []byte{}, Parse: func(b []byte) (any, error) {
		out := make([]byte, (len(b)+7)/8)
		used := 0
		for i := range b {
			if b[len(b)-1-i] == '1' {
				out[i/8] |= 1 << (i % 8)
				used = i/8 + 1
			}
		}
		return out[:used], nil
	}}
}
