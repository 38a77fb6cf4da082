package mongodb

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// valueOf is Kafka Connect's value as one of BSON's.
func valueOf(v any) (any, error) {
	switch v := v.(type) {
	case int8:
		return int32(v), nil
	case int16:
		return int32(v), nil
	case float32:
		return float64(v), nil
	case []byte:
		return bson.Binary{Data: v}, nil
	case time.Time:
		return bson.NewDateTimeFromTime(v), nil
	case data.Decimal:
		d, err := bson.ParseDecimal128(v.String())
		if err != nil {
			return nil, fmt.Errorf("%s has more digits than a decimal of MongoDB", v)
		}
		return d, nil
	case []any:
		array := make(bson.A, len(v))
		for i := range v {
			var err error
			if array[i], err = valueOf(v[i]); err != nil {
				return nil, err
			}
		}
		return array, nil
	case *data.Struct, *data.Map:
		return documentOf(v)
	}
	return v, nil // nil, bool, int32, int64, float64 and string are BSON's, too
}

// documentOf a struct or a map.
func documentOf(v any) (bson.D, error) {
	doc := bson.D{}
	add := func(name string, v any) error {
		value, err := valueOf(v)
		if err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		doc = append(doc, bson.E{Key: name, Value: value})
		return nil
	}
	switch v := v.(type) {
	case *data.Struct:
		for i, field := range v.Schema.Fields {
			if err := add(field.Name, v.Values[i]); err != nil {
				return nil, err
			}
		}
	case *data.Map:
		for i, key := range v.Keys {
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("a key is %v, and only text can be a field's name", key)
			}
			if err := add(name, v.Values[i]); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("a %T is no document", v)
	}
	return doc, nil
}

// field of a struct or a map; nil where there is none.
func field(v any, name string) any {
	switch v := v.(type) {
	case *data.Struct:
		return v.Get(name)
	case *data.Map:
		value, _ := v.Get(name)
		return value
	}
	return nil
}

func has(v any, name string) bool {
	switch v := v.(type) {
	case *data.Struct:
		return v.Schema.Field(name) >= 0
	case *data.Map:
		_, ok := v.Get(name)
		return ok
	}
	return false
}
