package values

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

func (o Options) times(c *Column) *Codec {
	digits := max(c.Length, 0)
	switch c.Type {
	case "date":
		return stamped(c, o.Time.Date(), func(t time.Time) (any, error) { return o.Time.DateValue(t.Unix() / 86400), nil })
	case "datetime":
		return stamped(c, o.Time.Timestamp(digits), func(t time.Time) (any, error) { return o.Time.TimestampValue(digits, t) })
	case "timestamp":
		return zoned(c, digits)
	}
	read := func(v any) (any, error) {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		nanos, err := duration(s)
		if err != nil {
			return nil, err
		}
		if day := int64(24 * time.Hour); o.Time.Time(digits).Name == data.TimeName && (nanos < 0 || nanos >= day) {
			return nil, fmt.Errorf("%w: %s is no time of day, which time.precision.mode asks for", ErrValue, s)
		}
		return o.Time.TimeValue(digits, nanos), nil
	}
	zero, _ := read("00:00:00")
	return same(o.Time.Time(digits), zero, read)
}

// zoned timestamps of the stream have all digits of the second, and zero is 1970; those of a snapshot
// have as many as are not zero, and zero is null. So they are in Debezium's records.
func zoned(c *Column, digits int) *Codec {
	out := stamped(c, types.Of(types.ZonedTimestampName), func(t time.Time) (any, error) { return types.ISOTimestamp(t), nil })
	layout := "2006-01-02T15:04:05Z"
	if digits > 0 {
		layout = "2006-01-02T15:04:05." + strings.Repeat("0", digits) + "Z"
	}
	out.Row = func(v any) (any, error) {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		t, ok, err := instant(s)
		if !ok {
			t = time.Unix(0, 0)
		}
		return t.UTC().Format(layout), err
	}
	return out
}

// stamped are types with a date. One that has no month or day is null, or 1970 where the column has
// no nulls.
func stamped(c *Column, s *data.Schema, write func(time.Time) (any, error)) *Codec {
	epoch, _ := write(time.Unix(0, 0).UTC())
	return same(s, epoch, func(v any) (any, error) {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		t, ok, err := instant(s)
		switch {
		case err != nil:
			return nil, err
		case ok:
			return write(t)
		case c.NotNull:
			return epoch, nil
		}
		return nil, nil
	})
}

// instant of "2006-01-02" or "2006-01-02 15:04:05.000000"; ok is false where there is no such day.
func instant(s string) (t time.Time, ok bool, err error) {
	date, clock, _ := strings.Cut(strings.Replace(s, "T", " ", 1), " ")
	parts := strings.Split(date, "-")
	if len(parts) != 3 {
		return t, false, fmt.Errorf("%w: %q is no date", ErrValue, s)
	}
	var n [3]int
	for i := range parts {
		if n[i], err = strconv.Atoi(parts[i]); err != nil {
			return t, false, fmt.Errorf("%w: %q is no date", ErrValue, s)
		}
	}
	if n[1] == 0 || n[2] == 0 || n[0] == 0 {
		return t, false, nil
	}
	t = time.Date(n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, time.UTC)
	if clock != "" {
		nanos, err := duration(clock)
		if err != nil {
			return t, false, err
		}
		t = t.Add(time.Duration(nanos))
	}
	return t, true, nil
}

// duration in nanoseconds of "-838:59:59.000000".
func duration(s string) (int64, error) {
	rest, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(rest, ".")
	var seconds int64
	parts := strings.Split(whole, ":")
	if len(parts) < 2 || len(parts) > 3 || len(fraction) > 9 {
		return 0, fmt.Errorf("%w: %q is no time", ErrValue, s)
	}
	for len(parts) < 3 {
		parts = append(parts, "0")
	}
	for _, part := range parts {
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%w: %q is no time", ErrValue, s)
		}
		seconds = seconds*60 + n
	}
	nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is no time", ErrValue, s)
	}
	nanos += seconds * int64(time.Second)
	if negative {
		nanos = -nanos
	}
	return nanos, nil
}
