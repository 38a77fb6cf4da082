package values

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// floats between two brackets, with commas between.
func floats(b []byte, opening, closing byte, size int) ([]float64, bool) {
	if len(b) < 2 || b[0] != opening || b[len(b)-1] != closing {
		return nil, false
	}
	var out []float64
	for part := range bytes.SplitSeq(b[1:len(b)-1], []byte{','}) {
		f, err := strconv.ParseFloat(string(bytes.TrimSpace(part)), size)
		if err != nil {
			return nil, false
		}
		out = append(out, f)
	}
	return out, true
}

// geometry is the well-known binary of PostGIS in hexadecimal, whose reference system goes to a
// field of its own.
func geometry(schema func() *data.Schema) maker {
	return func(*Types, int32) *Codec {
		s := *schema()
		s.Optional = false
		empty := []byte{1, 7, 0, 0, 0, 0, 0, 0, 0} // a collection of nothing
		return &Codec{Schema: &s, Fallback: &data.Struct{Schema: &s, Values: []any{empty, nil}}, Parse: func(b []byte) (any, error) {
			wkb := make([]byte, hex.DecodedLen(len(b)))
			if _, err := hex.Decode(wkb, b); err != nil || len(wkb) < 5 {
				return nil, wrong(b, "geometry")
			}
			return &data.Struct{Schema: &s, Values: []any{wkb, srid(wkb)}}, nil
		}}
	}
}

// srid of an extended well-known binary; nil is none.
func srid(wkb []byte) any {
	var order binary.ByteOrder = binary.BigEndian
	if wkb[0] == 1 {
		order = binary.LittleEndian
	}
	const hasSRID = 0x20000000
	if order.Uint32(wkb[1:])&hasSRID == 0 || len(wkb) < 9 {
		return nil
	}
	return int32(order.Uint32(wkb[5:]))
}

// vector of pgvector, such as [1,2,3].
func vector(schema func() *data.Schema, size int) maker {
	return func(*Types, int32) *Codec {
		return &Codec{Schema: schema(), Fallback: []any{}, Parse: func(b []byte) (any, error) {
			numbers, ok := floats(b, '[', ']', size)
			if !ok {
				return nil, wrong(b, "vector")
			}
			out := make([]any, len(numbers))
			for i, f := range numbers {
				if out[i] = f; size == 32 {
					out[i] = float32(f)
				}
			}
			return out, nil
		}}
	}
}

// sparse is pgvector's {1:0.5,3:2}/5, whose indices begin at 1.
func sparse(*Types, int32) *Codec {
	s := types.SparseDoubleVector()
	return &Codec{Schema: s, Fallback: &data.Struct{Schema: s, Values: []any{int16(0), &data.Map{}}}, Parse: func(b []byte) (any, error) {
		head, tail, ok := bytes.Cut(b, []byte("}/"))
		size, err := strconv.ParseInt(string(tail), 10, 16)
		if !ok || err != nil || len(head) == 0 || head[0] != '{' {
			return nil, wrong(b, "sparse vector")
		}
		m := &data.Map{}
		for part := range bytes.SplitSeq(head[1:], []byte{','}) {
			if len(part) == 0 {
				continue
			}
			index, value, _ := bytes.Cut(part, []byte{':'})
			i, err1 := strconv.ParseInt(string(index), 10, 16)
			f, err2 := strconv.ParseFloat(string(value), 64)
			if err1 != nil || err2 != nil {
				return nil, wrong(b, "sparse vector")
			}
			m.Put(int16(i), f)
		}
		return &data.Struct{Schema: s, Values: []any{int16(size), m}}, nil
	}}
}
