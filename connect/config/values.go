package config

import (
	"maps"
	"time"
)

// Values is a configuration as it was parsed: every key of its definition has a value, its
// default where it was not set, nil where there is none.
type Values struct {
	parsed map[string]any
	raw    map[string]string
}

// Raw is a setting as it was given, also one that no definition lists.
func (v Values) Raw(name string) (string, bool) {
	text, ok := v.raw[name]
	return text, ok
}

// All is the whole as it was given, a copy.
func (v Values) All() map[string]string { return maps.Clone(v.raw) }

// Set says whether the key was given, be it as its default.
func (v Values) Set(name string) bool {
	_, ok := v.raw[name]
	return ok
}

// String of a String, Class or Password; "" where there is none.
func (v Values) String(name string) string { return get[string](v, name) }

// Bool of a Boolean; false where there is none.
func (v Values) Bool(name string) bool { return get[bool](v, name) }

// Int of an Int, Short or Long; 0 where there is none.
func (v Values) Int(name string) int64 { return get[int64](v, name) }

// Float of a Double; 0 where there is none.
func (v Values) Float(name string) float64 { return get[float64](v, name) }

// List of a List; nil where there is none.
func (v Values) List(name string) []string { return get[[]string](v, name) }

// Millis is an Int or Long that counts milliseconds, as those of Kafka Connect do.
func (v Values) Millis(name string) time.Duration {
	return time.Duration(v.Int(name)) * time.Millisecond
}

// get panics where the definition has no such key or another type: the code asks for what it
// never defined.
func get[T any](v Values, name string) T {
	value, ok := v.parsed[name]
	if !ok {
		panic("config: key " + name + " is not defined")
	}
	if value == nil {
		var none T
		return none
	}
	return value.(T)
}
