package values

import (
	"math"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// Infinite times as Debezium writes them, which comes from what its driver makes of them.
const (
	infiniteDay, minusInfiniteDay       = -2147472692, -2147472691
	infiniteMicros, minusInfiniteMicros = 9223372036825200000, -9223372036832400000
)

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

// precision of a time's modifier.
func precision(modifier int32) int {
	if modifier < 0 {
		return 6
	}
	return int(modifier)
}

func date(t *Types, _ int32) *Codec {
	days := func(b []byte) (int64, error) {
		switch string(b) {
		case "infinity":
			return infiniteDay, nil
		case "-infinity":
			return minusInfiniteDay, nil
		}
		p := parser{b: b}
		d := p.date()
		if p.era(); p.failed || len(p.b) > 0 {
			return 0, wrong(b, "date")
		}
		if p.bc {
			d = p.beforeChrist()
		}
		return d, nil
	}
	switch t.options.Time {
	case "isostring":
		return &Codec{Schema: types.Of(types.IsoDateName), Fallback: "1970-01-01Z", Parse: func(b []byte) (any, error) {
			d, err := days(b)
			return string(append(appendDate(nil, d), 'Z')), err
		}}
	case "connect":
		return &Codec{Schema: data.Named(data.Int32, data.DateName), Fallback: time.Unix(0, 0).UTC(), Parse: func(b []byte) (any, error) {
			d, err := days(b)
			return time.Unix(d*86_400, 0).UTC(), err
		}}
	}
	return &Codec{Schema: types.Of(types.DateName), Fallback: int32(0), Parse: func(b []byte) (any, error) {
		d, err := days(b)
		return int32(d), err
	}}
}

func timeOfDay(t *Types, modifier int32) *Codec {
	micros := func(b []byte) (int64, error) {
		p := parser{b: b}
		m := p.clock()
		if p.failed || len(p.b) > 0 {
			return 0, wrong(b, "time")
		}
		return m, nil
	}
	number := func(name string, unit func(int64) any) *Codec {
		return &Codec{Schema: types.Of(name), Fallback: unit(0), Parse: func(b []byte) (any, error) {
			m, err := micros(b)
			return unit(m), err
		}}
	}
	switch mode := t.options.Time; {
	case mode == "isostring":
		return &Codec{Schema: types.Of(types.IsoTimeName), Fallback: "00:00:00Z", Parse: func(b []byte) (any, error) {
			m, err := micros(b)
			return string(append(appendClock(nil, m%microsPerDay, -1), 'Z')), err
		}}
	case mode == "connect":
		return &Codec{Schema: data.Named(data.Int32, data.TimeName), Fallback: time.Unix(0, 0).UTC(), Parse: func(b []byte) (any, error) {
			m, err := micros(b)
			return time.UnixMilli(m / 1000).UTC(), err
		}}
	case mode == "nanoseconds":
		return number(types.NanoTimeName, func(m int64) any { return m * 1000 })
	case mode == "adaptive" && precision(modifier) <= 3:
		return number(types.TimeName, func(m int64) any { return int32(m / 1000) })
	}
	return number(types.MicroTimeName, func(m int64) any { return m })
}

func timestamp(t *Types, modifier int32) *Codec {
	micros := func(b []byte) (int64, error) {
		switch string(b) {
		case "infinity":
			return infiniteMicros, nil
		case "-infinity":
			return minusInfiniteMicros, nil
		}
		p := parser{b: b}
		m := p.dateTime()
		if p.failed || len(p.b) > 0 {
			return 0, wrong(b, "timestamp")
		}
		return m, nil
	}
	number := func(name string, unit func(int64) any) *Codec {
		return &Codec{Schema: types.Of(name), Fallback: int64(0), Parse: func(b []byte) (any, error) {
			m, err := micros(b)
			return unit(m), err
		}}
	}
	switch mode := t.options.Time; {
	case mode == "isostring":
		return &Codec{Schema: types.Of(types.IsoTimestampName), Fallback: "1970-01-01T00:00:00Z", Parse: func(b []byte) (any, error) {
			m, err := micros(b)
			return isoTimestamp(m, -1), err
		}}
	case mode == "connect":
		return &Codec{Schema: data.Named(data.Int64, data.TimestampName), Fallback: time.Unix(0, 0).UTC(), Parse: func(b []byte) (any, error) {
			m, err := micros(b)
			return time.UnixMilli(floor(m, 1000)).UTC(), err
		}}
	case mode == "nanoseconds":
		return &Codec{Schema: types.Of(types.NanoTimestampName), Fallback: int64(0), Parse: func(b []byte) (any, error) {
			m, err := micros(b)
			switch m {
			case infiniteMicros:
				return int64(math.MaxInt64), nil
			case minusInfiniteMicros:
				return int64(math.MinInt64), nil
			}
			if m > math.MaxInt64/1000 || m < math.MinInt64/1000 {
				return nil, wrong(b, "timestamp between 1677 and 2262, which nanoseconds can tell")
			}
			return m * 1000, err
		}}
	case mode != "microseconds" && precision(modifier) <= 3:
		return number(types.TimestampName, func(m int64) any { return floor(m, 1000) })
	}
	return number(types.MicroTimestampName, func(m int64) any { return m })
}

func timestampWithZone(_ *Types, modifier int32) *Codec {
	digits := precision(modifier)
	if digits == 0 {
		digits = -1
	}
	return &Codec{Schema: types.Of(types.ZonedTimestampName), Fallback: "1970-01-01T00:00:00Z", Parse: func(b []byte) (any, error) {
		if s := string(b); s == "infinity" || s == "-infinity" {
			return s, nil
		}
		p := parser{b: b}
		m := p.dateTime()
		if p.failed || len(p.b) > 0 {
			return nil, wrong(b, "timestamp with time zone")
		}
		return isoTimestamp(m, digits), nil
	}}
}

func timeWithZone(*Types, int32) *Codec {
	return &Codec{Schema: types.Of(types.ZonedTimeName), Fallback: "00:00:00Z", Parse: func(b []byte) (any, error) {
		p := parser{b: b}
		m := p.clock()
		offset := p.offset()
		if p.failed || len(p.b) > 0 {
			return nil, wrong(b, "time with time zone")
		}
		if m == microsPerDay && offset == 0 {
			return "24:00:00Z", nil
		}
		m = ((m-offset)%microsPerDay + microsPerDay) % microsPerDay
		return string(append(appendClock(nil, m, -1), 'Z')), nil
	}}
}

func floor(n, by int64) int64 {
	if q := n / by; n%by < 0 {
		return q - 1
	}
	return n / by
}

// isoTimestamp with exactly so many digits of a second, or with as many as needed for -1.
func isoTimestamp(micros int64, digits int) string {
	day := floor(micros, microsPerDay)
	b := make([]byte, 0, 32)
	b = append(appendDate(b, day), 'T')
	return string(append(appendClock(b, micros-day*microsPerDay, digits), 'Z'))
}
