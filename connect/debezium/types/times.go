package types

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// DateValue is that of a day, in days since 1970, in the schema that Date makes.
func (m TimeMode) DateValue(days int64) any {
	switch m {
	case ISOTimes:
		return string(append(appendDate(nil, time.Unix(days*secondsPerDay, 0).UTC()), 'Z'))
	case ConnectTimes:
		return time.Unix(days*secondsPerDay, 0).UTC()
	}
	return int32(days)
}

const secondsPerDay = 24 * 60 * 60

// TimeValue is that of a time of day, in nanoseconds since midnight, in the schema that Time makes
// for so many digits.
func (m TimeMode) TimeValue(digits int, nanos int64) any {
	switch m.Time(digits).Name {
	case IsoTimeName:
		return string(append(appendTime(nil, time.Unix(0, nanos).UTC()), 'Z'))
	case TimeName:
		return int32(nanos / int64(time.Millisecond))
	case MicroTimeName:
		return nanos / int64(time.Microsecond)
	case NanoTimeName:
		return nanos
	}
	return time.Unix(0, nanos).UTC().Truncate(time.Millisecond)
}

// TimestampValue is that of a timestamp without a zone, which t has in UTC, in the schema that
// Timestamp makes for so many digits. The error is that int64 has no room for its nanoseconds.
func (m TimeMode) TimestampValue(digits int, t time.Time) (any, error) {
	t = t.UTC()
	switch m.Timestamp(digits).Name {
	case IsoTimestampName:
		return ISOTimestamp(t), nil
	case TimestampName:
		return t.UnixMilli(), nil
	case MicroTimestampName:
		return t.UnixMicro(), nil
	case NanoTimestampName:
		return nanoseconds(t)
	}
	return time.UnixMilli(t.UnixMilli()).UTC(), nil
}

func nanoseconds(t time.Time) (any, error) {
	const most = math.MaxInt64 / 1_000_000_000
	if s := t.Unix(); s <= -most || s > most || s == most && t.Nanosecond() > math.MaxInt64%1_000_000_000 {
		return nil, fmt.Errorf("%w: %s has more nanoseconds since 1970 than 64 bits have room for: time.precision.mode may be microseconds or isostring", data.ErrData, ISOTimestamp(t))
	}
	return t.UnixNano(), nil
}

// ISOTimestamp is that of ZonedTimestamp: ISO 8601 with as many digits of the second as are not
// zero, and the offset of t's zone.
func ISOTimestamp(t time.Time) string {
	return string(appendOffset(appendTime(append(appendDate(nil, t), 'T'), t), t))
}

// ISOTime is that of ZonedTime: the same without the date.
func ISOTime(t time.Time) string { return string(appendOffset(appendTime(nil, t), t)) }

// appendDate has a sign before years of more than four digits, and before those before Christ.
func appendDate(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	switch {
	case year > 9999:
		b = append(b, '+')
	case year < 0:
		b = append(b, '-')
		year = -year
	}
	b = appendPadded(b, year, 4)
	b = appendPadded(append(b, '-'), int(month), 2)
	return appendPadded(append(b, '-'), day, 2)
}

func appendTime(b []byte, t time.Time) []byte {
	b = appendPadded(b, t.Hour(), 2)
	b = appendPadded(append(b, ':'), t.Minute(), 2)
	b = appendPadded(append(b, ':'), t.Second(), 2)
	if t.Nanosecond() == 0 {
		return b
	}
	b = appendPadded(append(b, '.'), t.Nanosecond(), 9)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

func appendOffset(b []byte, t time.Time) []byte {
	_, offset := t.Zone()
	if offset == 0 {
		return append(b, 'Z')
	}
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b = appendPadded(append(b, sign), offset/3600, 2)
	b = appendPadded(append(b, ':'), offset/60%60, 2)
	if offset%60 != 0 {
		b = appendPadded(append(b, ':'), offset%60, 2)
	}
	return b
}

func appendPadded(b []byte, n, width int) []byte {
	text := strconv.Itoa(n)
	for range width - len(text) {
		b = append(b, '0')
	}
	return append(b, text...)
}
