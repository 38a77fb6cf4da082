package smt

import (
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// Map is the value as a map, which it has to be where there is no schema; the purpose is for the
// error.
func Map(value any, purpose string) (*data.Map, error) {
	m, ok := value.(*data.Map)
	if !ok || m == nil {
		return nil, fmt.Errorf("Only Map objects supported in absence of schema for [%s], found: %s", purpose, Kind(value)) //nolint:staticcheck // Kafka Connect's own words
	}
	return m, nil
}

// Struct is the value as a struct, which it has to be; the purpose is for the error.
func Struct(value any, purpose string) (*data.Struct, error) {
	s, ok := value.(*data.Struct)
	if !ok || s == nil {
		return nil, fmt.Errorf("Only Struct objects supported for [%s], found: %s", purpose, Kind(value)) //nolint:staticcheck // see above
	}
	return s, nil
}

// Kind names what a value is, for errors.
func Kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case data.Decimal:
		return "decimal"
	case time.Time:
		return "timestamp"
	}
	if t, ok := data.TypeOfValue(value); ok {
		return t.String()
	}
	return fmt.Sprintf("%T", value)
}

// IsEnvelope says whether a value's schema is that of a change as Debezium's connectors make it.
func IsEnvelope(s *data.Schema) bool {
	return s != nil && strings.HasSuffix(s.Name, ".Envelope")
}
