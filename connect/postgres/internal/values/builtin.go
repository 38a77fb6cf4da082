package values

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

type maker func(t *Types, modifier int32) *Codec

// builtin are types with fixed numbers (https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat).
var builtin map[uint32]maker

// extensions are types of extensions, by name.
var extensions map[string]maker

func init() { // of two maps that refer to each other's functions
	plain := func(*Types, int32) *Codec { return text(data.Of(data.String)) }
	named := func(name string) maker { return func(*Types, int32) *Codec { return text(types.Of(name)) } }
	builtin = map[uint32]maker{
		16: boolean, 20: integer(data.Int64), 21: integer(data.Int16), 23: integer(data.Int32), 26: integer(data.Int64),
		700: float32s, 701: float64s, 1700: numeric, 790: money,
		18: plain, 19: plain, 25: plain, 1042: plain, 1043: plain,
		17: bytea, 1560: bits, 1562: bits,
		1082: date, 1083: timeOfDay, 1266: timeWithZone, 1114: timestamp, 1184: timestampWithZone, 1186: interval,
		114: named(types.JSONName), 3802: named(types.JSONName), 142: named(types.XMLName), 3614: named(types.TsVectorName),
		2950: uuid, 600: point,
		869: plain, 650: plain, 829: plain, 774: plain, // inet, cidr, macaddr, macaddr8
		3904: plain, 3906: plain, 3908: plain, 3910: plain, 3912: plain, 3926: plain, // ranges
		// Arrays that Debezium leaves out: money, name, interval, varbit, xml, point, refcursor.
		791: none, 1003: none, 1187: none, 1563: none, 143: none, 1017: none, 2201: none,
	}
	extensions = map[string]maker{
		"citext": plain, "isbn": plain, "ltree": named("io.debezium.data.Ltree"), "hstore": hstore,
		"geometry": geometry(types.Geometry), "geography": geometry(types.Geography),
		"vector": vector(types.DoubleVector, 64), "halfvec": vector(types.FloatVector, 32), "sparsevec": sparse,
	}
}

func none(*Types, int32) *Codec { return nil }

// labels of an enum.
func labels(all []string) *Codec {
	known := make(map[string]any, len(all)) // boxed once
	for _, label := range all {
		known[label] = label
	}
	return &Codec{Schema: types.Enum(all), Fallback: "", Parse: func(b []byte) (any, error) {
		if v, ok := known[string(b)]; ok {
			return v, nil
		}
		return string(b), ErrLabel
	}}
}

func boolean(*Types, int32) *Codec {
	return &Codec{Schema: data.Of(data.Boolean), Fallback: false, Parse: func(b []byte) (any, error) {
		return len(b) == 1 && b[0] == 't', nil
	}}
}

func integer(typ data.Type) maker {
	return func(*Types, int32) *Codec {
		c := &Codec{Schema: data.Of(typ)}
		switch typ {
		case data.Int16:
			c.Fallback, c.Parse = int16(0), func(b []byte) (any, error) {
				n, err := strconv.ParseInt(string(b), 10, 16)
				return int16(n), err
			}
		case data.Int32:
			c.Fallback, c.Parse = int32(0), func(b []byte) (any, error) {
				n, err := strconv.ParseInt(string(b), 10, 32)
				return int32(n), err
			}
		default:
			c.Fallback, c.Parse = int64(0), func(b []byte) (any, error) {
				n, err := strconv.ParseInt(string(b), 10, 64)
				return n, err
			}
		}
		return c
	}
}

func float32s(*Types, int32) *Codec {
	return &Codec{Schema: data.Of(data.Float32), Fallback: float32(0), Parse: func(b []byte) (any, error) {
		f, err := strconv.ParseFloat(string(b), 32)
		return float32(f), err
	}}
}

func float64s(*Types, int32) *Codec {
	return &Codec{Schema: data.Of(data.Float64), Fallback: float64(0), Parse: func(b []byte) (any, error) {
		f, err := strconv.ParseFloat(string(b), 64)
		return f, err
	}}
}

func bytea(t *Types, _ int32) *Codec { return t.binary(parseBytea) }

func parseBytea(b []byte) (any, error) {
	if len(b) < 2 || b[0] != '\\' || b[1] != 'x' {
		return nil, wrong(b, "bytea in hexadecimal")
	}
	out := make([]byte, hex.DecodedLen(len(b)-2))
	if _, err := hex.Decode(out, b[2:]); err != nil {
		return nil, wrong(b, "bytea in hexadecimal")
	}
	return out, nil
}

func uuid(t *Types, _ int32) *Codec {
	return text(types.Of(types.UUIDName))
}

// point is (x,y).
func point(*Types, int32) *Codec {
	s := types.Point()
	of := func(x, y float64) *data.Struct {
		wkb := make([]byte, 0, 21)
		wkb = append(wkb, 1, 1, 0, 0, 0) // little-endian, a point
		wkb = binary.LittleEndian.AppendUint64(wkb, math.Float64bits(x))
		wkb = binary.LittleEndian.AppendUint64(wkb, math.Float64bits(y))
		return &data.Struct{Schema: s, Values: []any{x, y, wkb, nil}}
	}
	return &Codec{Schema: s, Fallback: of(0, 0), Parse: func(b []byte) (any, error) {
		numbers, ok := floats(b, '(', ')', 64)
		if !ok || len(numbers) != 2 {
			return nil, wrong(b, "point")
		}
		return of(numbers[0], numbers[1]), nil
	}}
}
