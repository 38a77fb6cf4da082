package data

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// ErrData is wrapped by errors about values that do not fit their schemas.
var ErrData = errors.New("data does not fit its schema")

// Validate says whether a value, with all that is in it, is one of the schema. A nil schema has
// every value.
func Validate(s *Schema, value any) error {
	if s == nil {
		return nil
	}
	if value == nil {
		if s.Optional || s.Default != nil {
			return nil
		}
		return fmt.Errorf("%w: nil for %s, which is required and has no default", ErrData, s.describe())
	}
	if wanted, ok := logical[s.Name]; ok {
		if reflect.TypeOf(value) == wanted {
			return nil
		}
		return fmt.Errorf("%w: %T for %s, which is a %s", ErrData, value, s.describe(), wanted)
	}
	if !is(s.Type, value) {
		return fmt.Errorf("%w: %T for %s", ErrData, value, s.describe())
	}
	return validateInside(s, value)
}

func validateInside(s *Schema, value any) error {
	switch v := value.(type) {
	case []any:
		for i, e := range v {
			if err := Validate(s.Value, e); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
	case *Map:
		for i := range v.Keys {
			if err := errors.Join(Validate(s.Key, v.Keys[i]), Validate(s.Value, v.Values[i])); err != nil {
				return fmt.Errorf("entry %v: %w", v.Keys[i], err)
			}
		}
	case *Struct:
		if !v.Schema.Equal(s) && !v.Schema.AsOptional().Equal(s.AsOptional()) {
			return fmt.Errorf("%w: a struct of %s for %s", ErrData, v.Schema.describe(), s.describe())
		}
		if len(v.Values) != len(s.Fields) {
			return fmt.Errorf("%w: %d values for the %d fields of %s", ErrData, len(v.Values), len(s.Fields), s.describe())
		}
		for i, f := range s.Fields {
			if err := Validate(f.Schema, v.Values[i]); err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
	}
	return nil
}

var logical = map[string]reflect.Type{
	DecimalName: reflect.TypeFor[Decimal](), DateName: reflect.TypeFor[time.Time](),
	TimeName: reflect.TypeFor[time.Time](), TimestampName: reflect.TypeFor[time.Time](),
}

func is(t Type, value any) bool {
	got, ok := TypeOfValue(value)
	return ok && got == t
}

// TypeOfValue is the type that a value without a schema has; values of logical types and nil have none.
func TypeOfValue(value any) (Type, bool) {
	switch value.(type) {
	case int8:
		return Int8, true
	case int16:
		return Int16, true
	case int32:
		return Int32, true
	case int64:
		return Int64, true
	case float32:
		return Float32, true
	case float64:
		return Float64, true
	case bool:
		return Boolean, true
	case string:
		return String, true
	case []byte:
		return Bytes, true
	case []any:
		return Array, true
	case *Map:
		return MapType, true
	case *Struct:
		return StructType, true
	}
	return 0, false
}

func (s *Schema) describe() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Type.String()
}

func equalKeys(a, b any) bool {
	x, ok := a.([]byte)
	y, both := b.([]byte)
	if ok && both {
		return bytes.Equal(x, y)
	}
	return reflect.DeepEqual(a, b)
}
