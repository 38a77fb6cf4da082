package standard

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/internal/dateformat"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// What stands for a time.
const (
	asString    = "string"
	asUnix      = "unix"
	asDate      = "Date"
	asTime      = "Time"
	asTimestamp = "Timestamp"
)

// times converts them.
type times struct {
	to, unit string
	format   *dateformat.Format // nil without one
}

var logicalTimes = map[string]*data.Schema{
	asString: smt.String, asUnix: smt.Int64, asTimestamp: smt.Timestamp,
	asDate: data.Named(data.Int32, data.DateName), asTime: data.Named(data.Int32, data.TimeName),
}

var optionalTimes = func() map[string]*data.Schema {
	all := map[string]*data.Schema{}
	for name, s := range logicalTimes {
		all[name] = s.AsOptional()
	}
	return all
}()

func schemaOf(kind string, optional bool) *data.Schema {
	if optional {
		return optionalTimes[kind]
	}
	return logicalTimes[kind]
}

func kindOf(s *data.Schema) (string, error) {
	switch {
	case s.Name == data.TimestampName:
		return asTimestamp, nil
	case s.Name == data.DateName:
		return asDate, nil
	case s.Name == data.TimeName:
		return asTime, nil
	case s.Type == data.String:
		return asString, nil
	case s.Type == data.Int64:
		return asUnix, nil
	}
	return "", fmt.Errorf("Schema %s %s does not correspond to a known timestamp type format", s.Type, s.Name) //nolint:staticcheck // Kafka Connect's own words
}

// infer what stands for the time where there is no schema.
func (t times) infer(value any) (any, error) {
	switch value.(type) {
	case nil:
		return nil, nil
	case time.Time:
		return t.convert(value, asTimestamp)
	case int64:
		return t.convert(value, asUnix)
	case string:
		return t.convert(value, asString)
	}
	return nil, fmt.Errorf("TimestampConverter does not support %s objects as timestamps", smt.Kind(value)) //nolint:staticcheck // see above
}

func (t times) convert(value any, from string) (any, error) {
	if value == nil {
		return nil, nil
	}
	at, err := t.read(value, from)
	if err != nil {
		return nil, err
	}
	switch t.to {
	case asString:
		return t.format.Text(at), nil
	case asUnix:
		return t.number(at), nil
	case asDate:
		return at.Truncate(24 * time.Hour), nil
	case asTime:
		return time.UnixMilli((at.UnixMilli()%dayMillis + dayMillis) % dayMillis).UTC(), nil
	}
	return at, nil
}

func (t times) read(value any, from string) (time.Time, error) {
	switch from {
	case asString:
		text, ok := value.(string)
		if !ok {
			return time.Time{}, fmt.Errorf("Expected string timestamp to be a String, but found %s", smt.Kind(value)) //nolint:staticcheck // see above
		}
		if t.format == nil {
			return time.Time{}, fmt.Errorf("the time is text, and there is no format to read it by: set format")
		}
		at, ok := t.format.Time(text)
		if !ok {
			return time.Time{}, fmt.Errorf("Could not parse timestamp: value (%s) does not match pattern (%s)", text, t.format) //nolint:staticcheck // see above
		}
		return at, nil
	case asUnix:
		n, ok := value.(int64)
		if !ok {
			return time.Time{}, fmt.Errorf("Expected Unix timestamp to be a Long, but found %s", smt.Kind(value)) //nolint:staticcheck // see above
		}
		return time.UnixMilli(t.millis(n)).UTC(), nil
	}
	at, ok := value.(time.Time)
	if !ok {
		return time.Time{}, fmt.Errorf("Expected %s to be a java.util.Date, but found %s", from, smt.Kind(value)) //nolint:staticcheck // see above
	}
	return at.Truncate(time.Millisecond), nil
}

// millis cuts off what is less, towards zero as Java does.
func (t times) millis(n int64) int64 {
	switch t.unit {
	case "seconds":
		return n * 1000
	case "microseconds":
		return n / 1000
	case "nanoseconds":
		return n / 1_000_000
	}
	return n
}

func (t times) number(at time.Time) int64 {
	ms := at.UnixMilli()
	switch t.unit {
	case "seconds":
		return ms / 1000
	case "microseconds":
		return ms * 1000
	case "nanoseconds":
		return ms * 1_000_000
	}
	return ms
}
