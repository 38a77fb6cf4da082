package sql

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium/types"
)

const clock = "15:04:05.999999999"

// timeTexts of Debezium's types whose values are numbers.
var timeTexts = map[string]func(int64) string{
	types.DateName:           func(n int64) string { return date(time.Unix(n*secondsPerDay, 0)) },
	types.TimeName:           func(n int64) string { return midnight(n, time.Millisecond) },
	types.MicroTimeName:      func(n int64) string { return midnight(n, time.Microsecond) },
	types.NanoTimeName:       func(n int64) string { return midnight(n, time.Nanosecond) },
	types.TimestampName:      func(n int64) string { return timestamp(time.UnixMilli(n)) },
	types.MicroTimestampName: func(n int64) string { return timestamp(time.UnixMicro(n)) },
	types.NanoTimestampName:  func(n int64) string { return timestamp(time.Unix(0, n)) },
	types.MicroDurationName:  interval,
}

const secondsPerDay = 24 * 60 * 60

// midnight is a time of day, which may be 24:00:00, too.
func midnight(n int64, unit time.Duration) string {
	if n == int64(24*time.Hour/unit) {
		return "24:00:00"
	}
	perSecond := int64(time.Second / unit)
	return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC().Format(clock)
}

func date(t time.Time) string {
	day, era := ofEra(t.UTC())
	return day + era
}

func timestamp(t time.Time) string {
	t = t.UTC()
	day, era := ofEra(t)
	return day + " " + t.Format(clock) + era
}

// ofEra counts years as PostgreSQL does: there is none with the number 0.
func ofEra(t time.Time) (day, era string) {
	year, month, n := t.Date()
	if year <= 0 {
		year, era = 1-year, " BC"
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, month, n), era
}

// interval of microseconds.
func interval(n int64) string {
	const perSecond = int64(time.Second / time.Microsecond)
	sign := ""
	seconds, rest := n/perSecond, n%perSecond
	if n < 0 {
		sign, seconds, rest = "-", -seconds, -rest
	}
	return sign + strconv.FormatInt(seconds, 10) + fmt.Sprintf(".%06d seconds", rest)
}
