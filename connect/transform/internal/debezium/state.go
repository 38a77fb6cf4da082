package debezium

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// What becomes of deletions and tombstones.
const (
	drop                 = "drop"
	tombstone            = "tombstone"
	rewrite              = "rewrite"
	rewriteWithTombstone = "rewrite-with-tombstone"
	deleteToTombstone    = "delete-to-tombstone"
)

// stateConfig is the keys that ExtractNewRecordState and ExtractNewDocumentState have in common.
var stateConfig = config.Definition{Keys: []config.Key{
	{
		Name: "delete.tombstone.handling.mode", Type: config.String, Default: tombstone,
		Check:       config.OneOf(drop, tombstone, rewrite, rewriteWithTombstone, deleteToTombstone),
		Recommended: []string{drop, tombstone, rewrite, rewriteWithTombstone, deleteToTombstone},
		Doc: "What becomes of a deletion and the tombstone after it: drop leaves out both, tombstone makes the deletion a record without a value and leaves " +
			"out the other, rewrite keeps the row as it was with __deleted=true, rewrite-with-tombstone also keeps the tombstone, delete-to-tombstone makes the " +
			"deletion a tombstone and leaves out the other.",
	},
	{
		Name: "route.by.field", Type: config.String, Importance: config.Low,
		Doc: "Field of the row whose value is the topic.",
	},
	{Name: "add.fields.prefix", Type: config.String, Default: "__", Importance: config.Low, Doc: "What the names of added fields begin with."},
	{
		Name: "add.fields", Type: config.List, Importance: config.Low,
		Doc: "Fields of the envelope, its source or its transaction to add to the row, such as op, table, source.ts_ms or lsn:LSN for another name.",
	},
	{Name: "add.headers.prefix", Type: config.String, Default: "__", Importance: config.Low, Doc: "What the names of added headers begin with."},
	{Name: "add.headers", Type: config.List, Importance: config.Low, Doc: "The same for headers."},
	{
		Name: "replace.null.with.default", Type: config.Boolean, Default: "true", Importance: config.Low,
		Doc: "Whether, in the modes that rewrite, a field that is null and has a default becomes its default.",
	},
}}

// state is what both have in common.
type state struct {
	mode            string
	routeBy         string
	fields, headers []reference
	defaults        bool
}

func newState(c config.Values) (state, error) {
	s := state{mode: strings.ToLower(c.String("delete.tombstone.handling.mode")), routeBy: c.String("route.by.field"), defaults: c.Bool("replace.null.with.default")}
	var err error
	if s.fields, err = references(prefixOf(c, "add.fields.prefix"), c.List("add.fields")); err != nil {
		return s, config.Problem{Key: "add.fields", Message: err.Error()}
	}
	if s.headers, err = references(prefixOf(c, "add.headers.prefix"), c.List("add.headers")); err != nil {
		return s, config.Problem{Key: "add.headers", Message: err.Error()}
	}
	return s, nil
}

func prefixOf(c config.Values, key string) string {
	if text, ok := c.Raw(key); ok {
		return text
	}
	return c.String(key)
}

// reference is a field of the envelope or of a struct in it.
type reference struct {
	inside, field string // inside is "" for the envelope itself
	name          string
}

// references reads field, struct.field and field:name.
func references(prefix string, list []string) ([]reference, error) {
	var all []reference
	for _, text := range list {
		path, name, renamed := strings.Cut(text, ":")
		if strings.Contains(name, ":") {
			return nil, fmt.Errorf("Unexpected field name: %s", text) //nolint:staticcheck // Debezium's own words
		}
		first, second, dotted := strings.Cut(path, ".")
		r := reference{inside: first, field: second, name: first + "_" + second}
		if !dotted {
			r = reference{inside: home(first), field: first, name: first}
		}
		if renamed {
			r.name = name
		}
		r.name = prefix + r.name
		all = append(all, r)
	}
	return all, nil
}

// home is where a field is of which only the name is given.
func home(field string) string {
	switch field {
	case "op", "ts_ms", "ts_us", "ts_ns":
		return ""
	case "id", "data_collection_order", "total_order":
		return "transaction"
	case "updateDescription":
		return "updateDescription"
	}
	return "source"
}

// found is a reference in the schema of an envelope: outer is the struct that has the field, -1
// for the envelope itself.
type found struct {
	name         string
	schema       *data.Schema
	outer, inner int
}

// find those that are there. What is not where it belongs may be in the envelope, where other
// transforms may have put it.
func find(all []reference, s *data.Schema) []found {
	var out []found
	for _, r := range all {
		parent, outer := s, -1
		if r.inside != "" {
			if outer = s.Field(r.inside); outer < 0 {
				continue
			}
			parent = s.Fields[outer].Schema
		}
		inner := parent.Field(r.field)
		if inner < 0 {
			if inner = s.Field(r.field); inner < 0 {
				continue
			}
			parent, outer = s, -1
		}
		// As Debezium does: optional, and without the default.
		field := *parent.Fields[inner].Schema
		field.Optional, field.Default = true, nil
		out = append(out, found{r.name, &field, outer, inner})
	}
	return out
}

// of the change that has it.
func (f found) of(change *data.Struct) any {
	if f.outer < 0 {
		return change.Values[f.inner]
	}
	parent, _ := change.Values[f.outer].(*data.Struct)
	if parent == nil {
		return nil
	}
	return parent.Values[f.inner]
}

func addHeaders(r *plugin.Record, change *data.Struct, all []found) {
	for _, f := range all {
		smt.AddHeader(r, plugin.Header{Key: f.name, Schema: f.schema, Value: f.of(change)})
	}
}

// tombstoneHeaders has the operation only: there is no envelope.
func (s *state) tombstoneHeaders(r *plugin.Record) {
	for _, h := range s.headers {
		if h.field == "op" {
			smt.AddHeader(r, plugin.Header{Key: h.name, Schema: smt.String, Value: "d"})
		}
	}
}
