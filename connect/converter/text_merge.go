package converter

import (
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// merger finds a schema for all elements of a list.
type merger struct {
	common *data.Schema
	failed bool
}

func (m *merger) add(s *data.Schema) {
	switch {
	case s == nil || m.failed:
	case m.common == nil:
		m.common = s
	default:
		m.common = widest(m.common, s)
		m.failed = m.common == nil
	}
}

// widest of two numbers; nil where the types have nothing in common.
func widest(a, b *data.Schema) *data.Schema {
	isNumber := func(s *data.Schema) bool { return s.Type >= data.Int8 && s.Type <= data.Float64 }
	switch {
	case a.Type == b.Type:
		return b
	case !isNumber(a) || !isNumber(b):
		return nil
	case a.Type > b.Type:
		return a
	}
	return b
}

// align makes all values those of the common schema; null is none.
func (m *merger) align(all []any) error {
	if m.common == nil {
		return nil
	}
	for i, v := range all {
		if v == nil {
			return errors.New("null among values of a type")
		}
		var err error
		if all[i], err = widen(m.common, v); err != nil {
			return err
		}
	}
	return nil
}

func widen(s *data.Schema, v any) (any, error) {
	if s.Type < data.Int8 || s.Type > data.Float64 {
		return v, nil
	}
	var f float64
	var n int64
	switch v := v.(type) {
	case time.Time:
		return v, nil
	case int8:
		n, f = int64(v), float64(v)
	case int16:
		n, f = int64(v), float64(v)
	case int32:
		n, f = int64(v), float64(v)
	case int64:
		n, f = v, float64(v)
	case float32:
		f = float64(v)
	case float64:
		f = v
	default:
		return nil, fmt.Errorf("%w: %T is no number", data.ErrData, v)
	}
	switch s.Name {
	case data.DateName, data.TimeName, data.TimestampName:
		return decodeTime(s.Name, n), nil
	}
	switch s.Type {
	case data.Int8:
		return int8(n), nil
	case data.Int16:
		return int16(n), nil
	case data.Int32:
		return int32(n), nil
	case data.Int64:
		return n, nil
	case data.Float32:
		return float32(f), nil
	}
	return f, nil
}
