package types_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// TestSchemas against the JSON of Debezium 3.6.1's own.
func TestSchemas(t *testing.T) {
	for _, c := range []struct {
		schema *data.Schema
		want   string
	}{
		{types.VariableScaleDecimal(), `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"scale"},{"type":"bytes","optional":false,"field":"value"}],"optional":false,"name":"io.debezium.data.VariableScaleDecimal","version":1,"doc":"Variable scaled decimal"}`},
		{types.Point(), `{"type":"struct","fields":[{"type":"double","optional":false,"field":"x"},{"type":"double","optional":false,"field":"y"},{"type":"bytes","optional":true,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}],"optional":false,"name":"io.debezium.data.geometry.Point","version":1,"doc":"Geometry (POINT)"}`},
		{types.Geometry(), `{"type":"struct","fields":[{"type":"bytes","optional":false,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}],"optional":true,"name":"io.debezium.data.geometry.Geometry","version":1,"doc":"Geometry"}`},
		{types.Geography(), `{"type":"struct","fields":[{"type":"bytes","optional":false,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}],"optional":false,"name":"io.debezium.data.geometry.Geography","version":1,"doc":"Geography"}`},
		{types.Bits(5), `{"type":"bytes","optional":false,"name":"io.debezium.data.Bits","version":1,"parameters":{"length":"5"}}`},
		{types.Enum([]string{"a", "b"}), `{"type":"string","optional":false,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"a,b"}}`},
		{types.EnumSet([]string{"a", "b"}), `{"type":"string","optional":false,"name":"io.debezium.data.EnumSet","version":1,"parameters":{"allowed":"a,b"}}`},
		{types.FloatVector(), `{"type":"array","items":{"type":"float","optional":false},"optional":false,"name":"io.debezium.data.FloatVector","version":1}`},
		{types.DoubleVector(), `{"type":"array","items":{"type":"double","optional":false},"optional":false,"name":"io.debezium.data.DoubleVector","version":1}`},
		{types.SparseDoubleVector(), `{"type":"struct","fields":[{"type":"int16","optional":false,"field":"dimensions"},{"type":"map","keys":{"type":"int16","optional":false},"values":{"type":"double","optional":false},"optional":false,"field":"vector"}],"optional":false,"name":"io.debezium.data.SparseDoubleVector","version":1,"doc":"Sparse double vector"}`},
		{types.Of(types.JSONName), `{"type":"string","optional":false,"name":"io.debezium.data.Json","version":1}`},
		{types.Of(types.DateName), `{"type":"int32","optional":false,"name":"io.debezium.time.Date","version":1}`},
		{types.Of(types.MicroDurationName), `{"type":"int64","optional":false,"name":"io.debezium.time.MicroDuration","version":1}`},
		{types.Of(types.ZonedTimeName), `{"type":"string","optional":false,"name":"io.debezium.time.ZonedTime","version":1}`},
		{types.Of(types.YearName), `{"type":"int32","optional":false,"name":"io.debezium.time.Year","version":1}`},
		{types.PreciseDecimals.Schema(5, 2), `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"5"}}`},
	} {
		json := converter.JSON{Schemas: true}
		got, err := json.Encode("", &data.Schema{Type: data.Array, Value: c.schema}, []any{})
		got = bytes.TrimPrefix(got, []byte(`{"schema":{"type":"array","items":`))
		if got = bytes.TrimSuffix(got, []byte(`,"optional":false},"payload":[]}`)); err != nil || string(got) != c.want {
			t.Errorf("got %s, %v\nwant %s", got, err, c.want)
		}
	}
}

// TestTimes against what Debezium 3.6.1 writes.
func TestTimes(t *testing.T) {
	west := time.FixedZone("", -(3*3600 + 30*60))
	for _, c := range []struct {
		seconds, nanos        int64
		iso, day, clock, west string
		millis, micros        int64
		room                  bool // for nanoseconds
	}{
		{0, 0, "1970-01-01T00:00:00Z", "1970-01-01Z", "00:00:00Z", "1970-01-01T00:00:00-03:30", 0, 0, true},
		{1700000000, 123456789, "2023-11-14T22:13:20.123456789Z", "2023-11-14Z", "22:13:20.123456789Z", "2023-11-14T22:13:20.123456789-03:30", 1700000000123, 1700000000123456, true},
		{-1, 500000000, "1969-12-31T23:59:59.5Z", "1969-12-31Z", "23:59:59.5Z", "1969-12-31T23:59:59.5-03:30", -500, -500000, true},
		{253402300800, 0, "+10000-01-01T00:00:00Z", "+10000-01-01Z", "00:00:00Z", "+10000-01-01T00:00:00-03:30", 253402300800000, 253402300800000000, false},
		{-62198755200, 1000, "-0001-01-01T00:00:00.000001Z", "-0001-01-01Z", "00:00:00.000001Z", "-0001-01-01T00:00:00.000001-03:30", -62198755200000, -62198755199999999, false},
		{1700000000, 120000000, "2023-11-14T22:13:20.12Z", "2023-11-14Z", "22:13:20.12Z", "2023-11-14T22:13:20.12-03:30", 1700000000120, 1700000000120000, true},
		{-9223372037, 145224193, "1677-09-21T00:12:43.145224193Z", "1677-09-21Z", "00:12:43.145224193Z", "1677-09-21T00:12:43.145224193-03:30", -9223372036855, -9223372036854776, false},
		{9223372036, 854775807, "2262-04-11T23:47:16.854775807Z", "2262-04-11Z", "23:47:16.854775807Z", "2262-04-11T23:47:16.854775807-03:30", 9223372036854, 9223372036854775, true},
		{9223372037, 0, "2262-04-11T23:47:17Z", "2262-04-11Z", "23:47:17Z", "2262-04-11T23:47:17-03:30", 9223372037000, 9223372037000000, false},
		{-9223372036, 0, "1677-09-21T00:12:44Z", "1677-09-21Z", "00:12:44Z", "1677-09-21T00:12:44-03:30", -9223372036000, -9223372036000000, false},
	} {
		at := time.Unix(c.seconds, c.nanos).UTC()
		days := at.Truncate(24*time.Hour).Unix() / 86400
		midnight := int64(at.Sub(time.Unix(days*86400, 0)))
		y, m, d := at.Date()
		there := time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), west)
		got := []any{
			timestamp(t, types.ISOTimes, 9, at), types.ISOTimes.DateValue(days), types.ISOTimes.TimeValue(9, midnight), types.ISOTimestamp(there),
			timestamp(t, types.AdaptiveTimes, 3, at), timestamp(t, types.AdaptiveTimes, 6, at), types.AdaptiveTimes.DateValue(days),
			types.AdaptiveTimes.TimeValue(3, midnight), types.AdaptiveMicroTimes.TimeValue(0, midnight), types.AdaptiveTimes.TimeValue(7, midnight),
			timestamp(t, types.ConnectTimes, 6, at), types.ConnectTimes.DateValue(days), types.ConnectTimes.TimeValue(0, midnight),
		}
		want := []any{
			c.iso, c.day, c.clock, c.west,
			c.millis, c.micros, int32(days),
			int32(midnight / 1e6), midnight / 1e3, midnight,
			time.UnixMilli(c.millis).UTC(), time.Unix(days*86400, 0).UTC(), time.UnixMilli(midnight / 1e6).UTC(),
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
		nanos, err := types.NanosecondTimes.TimestampValue(6, at)
		if c.room && nanos != c.seconds*1e9+c.nanos || !c.room && !errors.Is(err, data.ErrData) {
			t.Errorf("%s in nanoseconds: %v, %v", c.iso, nanos, err)
		}
	}
}

func timestamp(t *testing.T, m types.TimeMode, digits int, at time.Time) any {
	t.Helper()
	v, err := m.TimestampValue(digits, at)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestModes(t *testing.T) {
	number, err := data.ParseDecimal("12.50")
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]any{"PRECISE": number, "string": "12.50", "Double": 12.5} {
		if got, err := types.DecimalModeOf(setting).Value(number, 2); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", setting, got, err)
		}
	}
	if _, err := types.PreciseDecimals.Value(number, 0); !errors.Is(err, data.ErrData) {
		t.Errorf("12.5 without digits after the point: %v", err)
	}
	for setting, want := range map[string]any{"bytes": []byte{0xfb, 0xff}, "base64": "+/8=", "base64-url-safe": "-_8=", "HEX": "fbff"} {
		m := types.BinaryModeOf(setting)
		if got := m.Value([]byte{0xfb, 0xff}); !reflect.DeepEqual(got, want) || data.Validate(m.Schema(), got) != nil {
			t.Errorf("%s: %v", setting, got)
		}
	}
}

func TestStructs(t *testing.T) {
	var json converter.JSON
	s := types.Point()
	if got, err := json.Encode("", s, types.PointOf(s, 1.5, -2.25)); err != nil || string(got) != `{"x":1.5,"y":-2.25,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAALA","srid":null}` {
		t.Errorf("got %s, %v", got, err)
	}
	number, _ := data.ParseDecimal("-1.5")
	s = types.VariableScaleDecimal()
	if got, err := json.Encode("", s, types.VariableScaleDecimalOf(s, number)); err != nil || string(got) != `{"scale":1,"value":"8Q=="}` {
		t.Errorf("got %s, %v", got, err)
	}
}
