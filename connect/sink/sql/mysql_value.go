package sql

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// encode a value as text that the server reads as the column's type, or as the bytes of a column
// of bytes.
func (d mySQL) encode(s *data.Schema, v any, t columnType) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	if b, ok := v.([]byte); ok && s.Name != types.BitsName {
		return append([]byte{}, b...), nil
	}
	if geometry, ok := v.(*data.Struct); ok && (s.Name == types.PointName || s.Name == types.GeometryName || s.Name == types.GeographyName) {
		return mysqlGeometry(s, geometry)
	}
	text, err := d.text(s, v, string(t))
	return []byte(text), err
}

func (d mySQL) text(s *data.Schema, v any, base string) (string, error) {
	switch v := v.(type) {
	case bool:
		return mysqlBool(v, base), nil
	case float32:
		return finite(float64(v), 32)
	case float64:
		return finite(v, 64)
	case []any:
		return jsonText(s, v)
	case string:
		if s.Name == types.ZonedTimestampName || s.Name == types.IsoTimestampName {
			return d.moment(s, v, base), nil
		}
		if s.Name == types.ZonedTimeName && base == "time" {
			if at, err := time.Parse("15:04:05.999999999Z07:00", v); err == nil {
				return at.UTC().Format(clock), nil
			}
		}
		return v, nil
	}
	if s.Name == types.MicroDurationName {
		n, ok := integer(v)
		if !ok {
			return "", wrong(s, v)
		}
		return strconv.FormatInt(n, 10), nil
	}
	text, err := textOf(s, v, base)
	if err == nil && s.Name == types.BitsName && base == "bit" {
		n, err := strconv.ParseUint(text, 2, 64)
		return strconv.FormatUint(n, 10), err
	}
	return text, err
}

// mysqlBool is a word where the column has text.
func mysqlBool(v bool, base string) string {
	switch base {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json":
		return strconv.FormatBool(v)
	}
	if v {
		return "1"
	}
	return "0"
}

func finite(f float64, size int) (string, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "", fmt.Errorf("the database has no %v", f)
	}
	return number(f, size), nil
}

// moment with a zone, in the one of the connection where the column has none: the type timestamp
// is sent in UTC, which the session has.
func (d mySQL) moment(s *data.Schema, text, base string) string {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	zone := d.zone
	if base == "timestamp" || s.Name == types.IsoTimestampName {
		zone = time.UTC
	}
	switch at = at.In(zone); base {
	case "date":
		return at.Format(time.DateOnly)
	case "time":
		return at.Format(clock)
	case "datetime", "timestamp":
		return at.Format("2006-01-02 " + clock)
	}
	return text
}

// mysqlGeometry is the form that both servers keep: the number of the reference system, and the
// well-known binary.
func mysqlGeometry(s *data.Schema, v *data.Struct) ([]byte, error) {
	srid, _ := integer(v.Get("srid"))
	wkb, ok := v.Get("wkb").([]byte)
	if !ok {
		x, hasX := v.Get("x").(float64)
		y, hasY := v.Get("y").(float64)
		if !hasX || !hasY {
			return nil, wrong(s, v)
		}
		wkb = binary.LittleEndian.AppendUint32([]byte{1}, 1)
		wkb = binary.LittleEndian.AppendUint64(wkb, math.Float64bits(x))
		wkb = binary.LittleEndian.AppendUint64(wkb, math.Float64bits(y))
	}
	return append(binary.LittleEndian.AppendUint32(nil, uint32(srid)), wkb...), nil //nolint:gosec // a number of 32 bits
}

// argument of a statement: numbers are sent as such, so that they are compared with keys exactly.
func (c *target) argument(value []byte) any {
	if value == nil {
		return nil
	}
	switch string(c.kind) {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			return n
		}
	case "bit":
		if n, err := strconv.ParseUint(string(value), 10, 64); err == nil {
			return n
		}
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "point", "geometry":
		return value
	case "uuid":
		if len(value) == 16 { // of a binary column
			return hex.EncodeToString(value)
		}
	}
	return string(value)
}
