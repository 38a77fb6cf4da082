package smt

import (
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Part of a record: the key or the value.
type Part bool

// Parts.
const (
	Key   Part = true
	Value Part = false
)

// Of is the part's schema and value.
func (p Part) Of(r *plugin.Record) (*data.Schema, any) {
	if p == Key {
		return r.KeySchema, r.Key
	}
	return r.ValueSchema, r.Value
}

// Put another schema and value there.
func (p Part) Put(r *plugin.Record, s *data.Schema, value any) {
	if p == Key {
		r.KeySchema, r.Key = s, value
		return
	}
	r.ValueSchema, r.Value = s, value
}

// AddHeader adds one to headers that others may share.
func AddHeader(r *plugin.Record, h plugin.Header) {
	r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], h)
}
