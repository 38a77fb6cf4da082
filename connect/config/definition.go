package config

import (
	"fmt"
	"strings"
)

// Type of a key's value, as Kafka Connect has them.
type Type uint8

// Types.
const (
	Boolean Type = iota + 1
	String
	Int
	Short
	Long
	Double
	List     // separated by commas
	Class    // a plugin, by its Java name
	Password // never shown
)

var typeNames = [...]string{"", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}

// String is the name in Kafka Connect's REST API, such as "BOOLEAN".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("TYPE %d", uint8(t))
}

// Importance of a key for who reads about it.
type Importance uint8

// Importances; the zero value is Medium.
const (
	Medium Importance = iota
	High
	Low
)

// String is the name in Kafka Connect's REST API.
func (i Importance) String() string { return [...]string{"MEDIUM", "HIGH", "LOW"}[i] }

// Key is one setting.
type Key struct {
	Name string
	Type Type
	// Default is the text that stands for a setting that is not there. "" is that of no
	// default: the value is then nil, unless Required.
	Default string
	// Required settings have no default; a configuration without one is wrong.
	Required   bool
	Importance Importance
	// Doc says what it does, in a sentence or two.
	Doc string
	// Check says what is wrong with a value that has the right type; nil is nothing. It gets what
	// Values has: bool, string, int64, float64, []string, or nil where there is none.
	Check func(value any) error
	// Blank says that a Default of "" is a value, not the lack of one. Lists are always so.
	Blank bool
	// Group, Label, Order in the group and Width are for forms; a key without a Group is in none.
	// Width is SHORT, MEDIUM or LONG; "" is none.
	Group, Label, Width string
	Order               int
	// Recommended are values to choose from, for forms.
	Recommended []string
	// Unsupported is why a setting that others know is refused here; "" is that it works.
	// It is refused where it is set to something else than its Default.
	Unsupported string
}

// Definition is the keys of a plugin, in the order in which they are shown.
type Definition struct {
	Keys []Key
	// Patterns are prefixes and suffixes of keys that are known though they are not listed, such
	// as "database.*", "driver.*" or "*.include.list".
	Patterns []string
}

// With is d and more keys; those of more replace d's of the same name.
func (d Definition) With(more ...Key) Definition {
	out := Definition{Keys: append([]Key(nil), d.Keys...), Patterns: d.Patterns}
	for _, key := range more {
		if i := out.find(key.Name); i >= 0 {
			out.Keys[i] = key
			continue
		}
		out.Keys = append(out.Keys, key)
	}
	return out
}

// Key is the one of that name.
func (d Definition) Key(name string) (Key, bool) {
	if i := d.find(name); i >= 0 {
		return d.Keys[i], true
	}
	return Key{}, false
}

func (d Definition) find(name string) int {
	for i := range d.Keys {
		if d.Keys[i].Name == name {
			return i
		}
	}
	return -1
}

// Knows says whether a key is listed or matches a pattern.
func (d Definition) Knows(name string) bool {
	if d.find(name) >= 0 {
		return true
	}
	for _, p := range d.Patterns {
		head, tail, _ := strings.Cut(p, "*")
		if len(name) > len(head)+len(tail) && strings.HasPrefix(name, head) && strings.HasSuffix(name, tail) {
			return true
		}
	}
	return false
}
