package values

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

func texts(c *Column) *Codec {
	decode := decoder(c.Charset)
	return &Codec{
		Schema: data.Of(data.String), Fallback: "",
		Query: func(v any) (any, error) { return text(v) },
		Row: func(v any) (any, error) {
			s, err := text(v)
			if err != nil {
				return nil, err
			}
			return decode(s)
		},
	}
}

func (o Options) bytes(c *Column) *Codec {
	return same(o.Binary.Schema(), o.Binary.Value([]byte{}), func(v any) (any, error) {
		b, err := raw(v)
		if err != nil {
			return nil, err
		}
		if c.Type == "binary" && len(b) < c.Length {
			b = append(b, make([]byte, c.Length-len(b))...)
		}
		return o.Binary.Value(b), nil
	})
}

func enum(c *Column) *Codec {
	return &Codec{
		Schema: types.Enum(c.Members), Fallback: "",
		Query: func(v any) (any, error) { return text(v) },
		Row: func(v any) (any, error) {
			n, err := whole(v)
			switch {
			case err != nil:
				return nil, err
			case n == 0:
				return "", nil
			case n < 0 || n > int64(len(c.Members)):
				return nil, fmt.Errorf("%w: there is no member %d of the enum", ErrValue, n)
			}
			return c.Members[n-1], nil
		},
	}
}

func set(c *Column) *Codec {
	return &Codec{
		Schema: types.EnumSet(c.Members), Fallback: "",
		Query: func(v any) (any, error) { return text(v) },
		Row: func(v any) (any, error) {
			n, err := whole(v)
			if err != nil {
				return nil, err
			}
			var in []string
			for i, member := range c.Members {
				if uint64(n)>>i&1 != 0 {
					in = append(in, member)
				}
			}
			return strings.Join(in, ","), nil
		},
	}
}

var emptyCollection = []byte{1, 7, 0, 0, 0, 0, 0, 0, 0}

// shape is a well-known binary behind the number of its reference system.
func shape(v any) (wkb []byte, srid any, err error) {
	b, err := raw(v)
	if err != nil || len(b) < 4 {
		return nil, nil, wrong(v)
	}
	if n := binary.LittleEndian.Uint32(b); n != 0 {
		srid = int32(n)
	}
	return b[4:], srid, nil
}

func geometries() *Codec {
	s := types.Geometry()
	empty := &data.Struct{Schema: s, Values: []any{emptyCollection, nil}}
	return same(s, empty, func(v any) (any, error) {
		wkb, srid, err := shape(v)
		return &data.Struct{Schema: s, Values: []any{wkb, srid}}, err
	})
}

func points() *Codec {
	s := types.Point()
	const size = 21
	return same(s, types.PointOf(s, 0, 0), func(v any) (any, error) {
		wkb, srid, err := shape(v)
		if err != nil || len(wkb) != size {
			return nil, fmt.Errorf("%w: it is no point", ErrValue)
		}
		var order binary.ByteOrder = binary.LittleEndian
		if wkb[0] == 0 {
			order = binary.BigEndian
		}
		x, y := math.Float64frombits(order.Uint64(wkb[5:])), math.Float64frombits(order.Uint64(wkb[13:]))
		return &data.Struct{Schema: s, Values: []any{x, y, wkb, srid}}, nil
	})
}

// addresses are bytes in the binary log, of which zeros at the end are missing, and text in queries.
func addresses(c *Column) *Codec {
	schema := data.Of(data.String)
	if c.Type == "uuid" {
		schema = types.Of(types.UUIDName)
	}
	return &Codec{
		Schema: schema, Fallback: "",
		Query: func(v any) (any, error) { return text(v) },
		Row: func(v any) (any, error) {
			b, err := raw(v)
			if err != nil {
				return nil, err
			}
			size := 16
			if c.Type == "inet4" {
				size = 4
			}
			if len(b) > size {
				return nil, wrong(v)
			}
			b = append(b, make([]byte, size-len(b))...)
			if c.Type != "uuid" {
				a, _ := netip.AddrFromSlice(b)
				return a.String(), nil
			}
			return dashed(b), nil
		},
	}
}

func dashed(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func vectors() *Codec {
	return same(types.FloatVector(), []any{}, func(v any) (any, error) {
		b, err := raw(v)
		if err != nil || len(b)%4 != 0 {
			return nil, wrong(v)
		}
		out := make([]any, 0, len(b)/4)
		for ; len(b) > 0; b = b[4:] {
			out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
		return out, nil
	})
}
