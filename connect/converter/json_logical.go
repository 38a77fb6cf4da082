package converter

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// appendLogical writes values of Kafka Connect's logical types; done is false for others.
func (c *JSON) appendLogical(b []byte, s *data.Schema, value any) (_ []byte, done bool, err error) {
	switch s.Name {
	case data.DecimalName:
		d, ok := value.(data.Decimal)
		if !ok {
			return nil, false, data.Validate(s, value)
		}
		scale, err := scaleOf(s)
		if err == nil && scale != d.Scale {
			err = fmt.Errorf("%w: a decimal of scale %d for one of scale %d", data.ErrData, d.Scale, scale)
		}
		if err != nil {
			return nil, false, err
		}
		if c.NumericDecimals {
			return append(b, d.String()...), true, nil
		}
		return appendBase64(b, d.Bytes()), true, nil
	case data.DateName, data.TimeName, data.TimestampName:
		t, ok := value.(time.Time)
		if !ok {
			return nil, false, data.Validate(s, value)
		}
		return strconv.AppendInt(b, encodeTime(s.Name, t), 10), true, nil
	}
	return b, false, nil
}

func scaleOf(s *data.Schema) (int, error) {
	text, ok := s.Parameter("scale")
	scale, err := strconv.Atoi(text)
	if !ok || err != nil {
		return 0, fmt.Errorf("%w: the schema of a decimal has the scale %q", data.ErrData, text)
	}
	return scale, nil
}

const day = 24 * 60 * 60 * 1000 // milliseconds

// encodeTime: days, milliseconds of the day, or milliseconds, since 1970.
func encodeTime(name string, t time.Time) int64 {
	ms := t.UnixMilli()
	switch name {
	case data.DateName:
		return (ms - (ms%day+day)%day) / day
	case data.TimeName:
		if ms == day { // 24:00, which Kafka Connect lets be
			return ms
		}
		return (ms%day + day) % day
	}
	return ms
}

func decodeTime(name string, n int64) time.Time {
	if name == data.DateName {
		n *= day
	}
	return time.UnixMilli(n).UTC()
}
