package types

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// DecimalMode says how decimal.handling.mode writes numbers with exact digits.
type DecimalMode string

// DecimalModes.
const (
	PreciseDecimals DecimalMode = "precise"
	StringDecimals  DecimalMode = "string"
	DoubleDecimals  DecimalMode = "double"
)

// DecimalModeOf a setting, whatever its case.
func DecimalModeOf(text string) DecimalMode { return DecimalMode(strings.ToLower(text)) }

// TimeMode says how time.precision.mode writes dates and times without a zone.
type TimeMode string

// TimeModes.
const (
	AdaptiveTimes      TimeMode = "adaptive"
	AdaptiveMicroTimes TimeMode = "adaptive_time_microseconds"
	ISOTimes           TimeMode = "isostring"
	ConnectTimes       TimeMode = "connect"
	MicrosecondTimes   TimeMode = "microseconds"
	NanosecondTimes    TimeMode = "nanoseconds"
)

// TimeModeOf a setting, whatever its case.
func TimeModeOf(text string) TimeMode { return TimeMode(strings.ToLower(text)) }

// Date is a new schema of dates.
func (m TimeMode) Date() *data.Schema {
	switch m {
	case ISOTimes:
		return Of(IsoDateName)
	case ConnectTimes:
		return data.Named(data.Int32, data.DateName)
	}
	return Of(DateName)
}

// Time is a new schema of times of day, where the column has so many digits of the second.
func (m TimeMode) Time(digits int) *data.Schema {
	switch {
	case m == ISOTimes:
		return Of(IsoTimeName)
	case m == ConnectTimes:
		return data.Named(data.Int32, data.TimeName)
	case m == MicrosecondTimes, m == AdaptiveMicroTimes:
		return Of(MicroTimeName)
	case m == NanosecondTimes:
		return Of(NanoTimeName)
	case digits <= 3:
		return Of(TimeName)
	case digits <= 6:
		return Of(MicroTimeName)
	}
	return Of(NanoTimeName)
}

// Timestamp is a new schema of timestamps, where the column has so many digits of the second.
func (m TimeMode) Timestamp(digits int) *data.Schema {
	switch {
	case m == ISOTimes:
		return Of(IsoTimestampName)
	case m == ConnectTimes:
		return data.Named(data.Int64, data.TimestampName)
	case m == MicrosecondTimes:
		return Of(MicroTimestampName)
	case m == NanosecondTimes:
		return Of(NanoTimestampName)
	case digits <= 3:
		return Of(TimestampName)
	case digits <= 6:
		return Of(MicroTimestampName)
	}
	return Of(NanoTimestampName)
}

// BinaryMode says how binary.handling.mode writes bytes.
type BinaryMode string

// BinaryModes.
const (
	BytesBinary     BinaryMode = "bytes"
	Base64Binary    BinaryMode = "base64"
	Base64URLBinary BinaryMode = "base64-url-safe"
	HexBinary       BinaryMode = "hex"
)

// BinaryModeOf a setting, whatever its case.
func BinaryModeOf(text string) BinaryMode { return BinaryMode(strings.ToLower(text)) }

// Schema is a new one of binary columns.
func (m BinaryMode) Schema() *data.Schema {
	if m == BytesBinary || m == "" {
		return data.Of(data.Bytes)
	}
	return data.Of(data.String)
}

// Value of the schema.
func (m BinaryMode) Value(b []byte) any {
	switch m {
	case Base64Binary:
		return base64.StdEncoding.EncodeToString(b)
	case Base64URLBinary:
		return base64.URLEncoding.EncodeToString(b)
	case HexBinary:
		return hex.EncodeToString(b)
	}
	return b
}
