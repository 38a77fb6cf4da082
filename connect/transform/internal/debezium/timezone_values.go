package debezium

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// converted is a time of a logical type in the other zone. Times with a zone stay the same
// instant; those without are taken as of that zone.
func (t *timezone) converted(name string, v any) (any, error) {
	switch name {
	case "io.debezium.time.ZonedTimestamp":
		return t.zoned(v, "2006-01-02T15:04:05.999999999Z07:00")
	case "io.debezium.time.ZonedTime":
		return t.zonedTime(v)
	case "io.debezium.time.Timestamp":
		return t.shifted(v, time.Millisecond)
	case "io.debezium.time.MicroTimestamp":
		return t.shifted(v, time.Microsecond)
	case "io.debezium.time.NanoTimestamp":
		return t.shifted(v, time.Nanosecond)
	case data.TimestampName:
		at, ok := v.(time.Time)
		if !ok {
			return nil, fmt.Errorf("%w: %T is no time", data.ErrData, v)
		}
		return at.Add(-t.offset(at)), nil
	}
	return v, nil
}

// shifted takes a number's clock for one in the zone.
func (t *timezone) shifted(v any, unit time.Duration) (any, error) {
	n, ok := v.(int64)
	if !ok {
		return nil, fmt.Errorf("%w: %T is no time", data.ErrData, v)
	}
	perSecond := int64(time.Second / unit)
	seconds := n / perSecond
	if n%perSecond < 0 {
		seconds--
	}
	return n - int64(t.offset(time.Unix(seconds, 0))/unit), nil
}

// offset that the zone has when its clock shows what t's shows in UTC. What it shows twice is the
// first time, and what it skips has the offset of before, as in Java.
func (t *timezone) offset(at time.Time) time.Duration {
	const day = 24 * time.Hour
	at = at.UTC()
	of := func(instant time.Time) time.Duration {
		_, seconds := instant.In(t.zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	before, after := of(at.Add(-day)), of(at.Add(day))
	if before != after && of(at.Add(-before)) != before && of(at.Add(-after)) == after {
		return after
	}
	return before
}

func (t *timezone) zoned(v any, layout string) (any, error) {
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, fmt.Errorf("%w: %v is no time with a zone: %w", data.ErrData, v, err)
	}
	// Debezium looks the offset up by the clock of the zone that the text is in.
	_, seconds := at.Zone()
	clock := at.UTC().Add(time.Duration(seconds) * time.Second)
	return at.In(time.FixedZone("", int(t.offset(clock)/time.Second))).Format(layout), nil
}

// zonedTime has no date: the offset is that of today.
func (t *timezone) zonedTime(v any) (any, error) {
	text, _ := v.(string)
	at, err := time.Parse("15:04:05.999999999Z07:00", text)
	if err != nil {
		return nil, fmt.Errorf("%w: %v is no time with a zone: %w", data.ErrData, v, err)
	}
	_, seconds := time.Now().In(t.zone).Zone()
	return at.In(time.FixedZone("", seconds)).Format("15:04:05.999999999Z07:00"), nil
}

// epoch is a number of the source's; they are moved the other way, as in Debezium.
func (t *timezone) epoch(name string, v any) any {
	n, ok := v.(int64)
	units := map[string]time.Duration{"ts_ms": time.Millisecond, "ts_us": time.Microsecond, "ts_ns": time.Nanosecond}
	unit := units[name]
	if !ok || unit == 0 {
		return v
	}
	perSecond := int64(time.Second / unit)
	_, seconds := time.Unix(n/perSecond, 0).In(t.zone).Zone()
	return n + int64(seconds)*perSecond
}
