// Package values makes values of Kafka Connect of the text that PostgreSQL writes columns as, with
// the schemas and handling modes of Debezium. The text is that of a session with the Settings.
package values

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
)

// Settings of the sessions whose text is read.
var Settings = map[string]string{
	"DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "TimeZone": "UTC", "bytea_output": "hex",
	"extra_float_digits": "1", "lc_monetary": "C", "client_encoding": "UTF8", "xmloption": "content",
	"standard_conforming_strings": "on",  // as literals are written
	"row_security":                "off", // an error, instead of a part of the rows
}

// ErrValue is wrapped by errors about text that is no value of its type.
var ErrValue = errors.New("value of a column")

// ErrLabel is what Parse returns, with the value, for a label of an enum that is not known: it was
// added since, or it is gone.
var ErrLabel = errors.New("a label that the enum does not have")

// Type of a database's catalog.
type Type struct {
	OID          uint32
	Schema, Name string
	// Element is the type of an array's elements; 0 where it is no array.
	Element uint32
	// Base is the type that a domain restricts, with BaseModifier; 0 where it is no domain.
	Base         uint32
	BaseModifier int32
	// Enum are the labels of an enum, in their order; nil where it is none.
	Enum []string
}

// Options are how values are written, by the values of Debezium's options.
type Options struct {
	Decimal  string // precise, double, string
	Time     string // adaptive, adaptive_time_microseconds, microseconds, nanoseconds, isostring, connect
	Binary   string // bytes, base64, base64-url-safe, hex
	HStore   string // json, map
	Interval string // numeric, string
	// MoneyDigits after the point.
	MoneyDigits int
	// Placeholder stands for values that were not changed and are stored elsewhere (TOAST).
	Placeholder string
	// Unknown says that values of types without a schema are given as bytes; else there are none.
	Unknown bool
}

// Codec of one type with its modifier.
type Codec struct {
	// Schema of values that are not null; without a default.
	Schema *data.Schema
	// Parse what PostgreSQL wrote. The text may be used again after the call.
	Parse func(text []byte) (any, error)
	// Fallback stands for null where a column cannot be null, such as in the unsent part of the old
	// row of a change.
	Fallback any
	// Unchanged stands for a value that was not sent as it did not change (TOAST); nil where the
	// type has none.
	Unchanged any
}

// Types knows those of a database.
type Types struct {
	options Options
	byOID   map[uint32]Type
}

// New with the types of a database.
func New(o Options, all []Type) *Types {
	t := &Types{options: o, byOID: make(map[uint32]Type, len(all))}
	for _, one := range all {
		t.byOID[one.OID] = one
	}
	return t
}

// Put a type, or replace it.
func (t *Types) Put(one Type) { t.byOID[one.OID] = one }

// Get a type.
func (t *Types) Get(oid uint32) (Type, bool) {
	one, ok := t.byOID[oid]
	return one, ok
}

// Root of a domain and its modifier; of others themselves.
func (t *Types) Root(oid uint32, modifier int32) (uint32, int32) {
	for range 100 { // domains over domains
		one := t.byOID[oid]
		if one.Base == 0 {
			break
		}
		oid = one.Base
		if modifier == noModifier {
			modifier = one.BaseModifier
		}
	}
	return oid, modifier
}

const noModifier int32 = -1

// Codec of a column's type; nil where Debezium leaves such columns out.
func (t *Types) Codec(oid uint32, modifier int32) *Codec {
	oid, modifier = t.Root(oid, modifier)
	one := t.byOID[oid]
	c := t.codec(one, oid, modifier)
	if c == nil && t.options.Unknown {
		c = t.binary(parseText)
		if one.Element != 0 {
			return nil
		}
	}
	if c != nil {
		t.fillUnchanged(c, one)
	}
	return c
}

func (t *Types) codec(one Type, oid uint32, modifier int32) *Codec {
	if make, ok := builtin[oid]; ok {
		return make(t, modifier)
	}
	switch {
	case one.Enum != nil:
		return labels(one.Enum)
	case one.Element != 0:
		return t.array(oid, one.Element, modifier)
	}
	if make, ok := extensions[one.Name]; ok {
		return make(t, modifier)
	}
	return nil
}

// fillUnchanged with what fits the schema. A number has no such value: there it is that of null.
func (t *Types) fillUnchanged(c *Codec, one Type) {
	if c.Unchanged == nil && data.Validate(c.Schema, t.options.Placeholder) == nil {
		c.Unchanged = t.options.Placeholder
	}
}

// parseText copies it.
func parseText(text []byte) (any, error) { return string(text), nil }

func text(s *data.Schema) *Codec { return &Codec{Schema: s, Parse: parseText, Fallback: ""} }

func wrong(text []byte, what string) error {
	const most = 80
	if len(text) > most {
		text = text[:most]
	}
	return fmt.Errorf("%w: %q is no %s", ErrValue, text, what)
}
