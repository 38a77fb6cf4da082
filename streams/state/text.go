package state

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/streams/serde"
)

// encodeText makes a key's bytes of what a person typed: text for strings and bytes, digits for
// numbers, else JSON.
func encodeText[K any](keys serde.Serde[K], text string) ([]byte, error) {
	key, err := parseKey[K](text)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", text, err)
	}
	data, err := keys.Append([]byte{}, key)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", text, err)
	}
	return data, nil
}

// encodeKey makes a key's bytes.
func encodeKey[K any](store string, keys serde.Serde[K], key any) ([]byte, error) {
	k, ok := key.(K)
	if !ok {
		return nil, fmt.Errorf("store %s: its keys are of type %T, not %T", store, k, key)
	}
	data, err := keys.Append([]byte{}, k)
	if err != nil {
		return nil, keyError(store, err)
	}
	return data, nil
}

func parseKey[K any](text string) (key K, err error) {
	v := reflect.ValueOf(&key).Elem()
	switch kind := v.Kind(); {
	case kind == reflect.String:
		v.SetString(text)
	case kind == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		v.SetBytes([]byte(text))
	case v.CanInt():
		n, e := strconv.ParseInt(text, 10, v.Type().Bits())
		if e != nil {
			return key, fmt.Errorf("expected a whole number of %d bits", v.Type().Bits())
		}
		v.SetInt(n)
	case v.CanUint():
		n, e := strconv.ParseUint(text, 10, v.Type().Bits())
		if e != nil {
			return key, fmt.Errorf("expected a whole number of %d bits, not negative", v.Type().Bits())
		}
		v.SetUint(n)
	case v.CanFloat():
		f, e := strconv.ParseFloat(text, v.Type().Bits())
		if e != nil {
			return key, fmt.Errorf("expected a number")
		}
		v.SetFloat(f)
	default:
		if err = json.Unmarshal([]byte(text), &key); err != nil {
			return key, fmt.Errorf("expected JSON of %T: %w", key, err)
		}
	}
	return key, nil
}

// readable turns bytes that are text into a string, because JSON has bytes as base64.
func readable(v any) any {
	if b, ok := v.([]byte); ok && utf8.Valid(b) {
		return string(b)
	}
	return v
}
