package debezium

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// Adjuster makes names that Avro accepts of others.
type Adjuster struct {
	unicode bool // invalid characters become _uxxxx, else _
	dots    bool // are valid after the first character
	on      bool
}

// SchemaAdjuster is that of a schema.name.adjustment.mode: none, avro or avro_unicode.
func SchemaAdjuster(mode string) Adjuster { return adjuster(mode, true) }

// FieldAdjuster is that of a field.name.adjustment.mode: none, avro or avro_unicode.
func FieldAdjuster(mode string) Adjuster { return adjuster(mode, false) }

func adjuster(mode string, dots bool) Adjuster {
	switch strings.ToLower(mode) {
	case "avro":
		return Adjuster{on: true, dots: dots}
	case "avro_unicode":
		return Adjuster{on: true, dots: dots, unicode: true}
	}
	return Adjuster{}
}

// Adjust a name; one that is valid is returned as it is.
func (a Adjuster) Adjust(name string) string {
	if !a.on {
		return name
	}
	var b strings.Builder
	for i, c := range utf16.Encode([]rune(name)) {
		switch {
		case a.valid(c, i == 0):
			b.WriteByte(byte(c))
		case i == 0 && !a.unicode && '0' <= c && c <= '9':
			b.WriteString("_") // before the digit, so that names that differ in it stay different
			b.WriteByte(byte(c))
		default:
			b.WriteString(a.replacement(c))
		}
	}
	return b.String()
}

func (a Adjuster) valid(c uint16, first bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return true
	case c == '_':
		return !a.unicode // which uses it to escape
	case '0' <= c && c <= '9':
		return !first
	}
	return c == '.' && a.dots && !first
}

func (a Adjuster) replacement(c uint16) string {
	if !a.unicode {
		return "_"
	}
	return escaped(c)
}

// escaped as Debezium does, which fills up to four digits only where there are at most two.
func escaped(c uint16) string {
	hex := fmt.Sprintf("%x", c)
	if len(hex) <= 2 {
		hex = "00" + hex
	}
	return "_u" + hex
}
