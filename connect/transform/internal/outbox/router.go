package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// Table is the keys of io.debezium.transforms.outbox.EventRouter.
var Table = definition("table", "column", "id", "aggregateid")

// router makes messages of rows.
type router struct {
	id, key, payload, timestamp, version, routeBy string

	regex         *smt.Regex
	topic         smt.Replacement
	additions     []addition
	envelope      bool // there is an addition for it
	ignoreMissing bool
	tombstones    bool
	invalid       string
	expand        *expander // nil where payloads stay as they are

	plans  smt.Cache[*plan]
	values valueSchemas
}

// NewTable makes one for rows of tables.
func NewTable(c config.Values) (plugin.Transform, error) {
	t, err := newRouter(c, "table")
	if err == nil && c.Bool("table.expand.json.payload") {
		t.expand = &expander{
			name:      t.payload,
			keepNull:  strings.EqualFold(c.String("table.json.payload.null.behavior"), "optional_bytes"),
			keepEmpty: strings.EqualFold(c.String("table.json.payload.empty.array.behavior"), "optional_string"),
		}
	}
	return t, err
}

func newRouter(c config.Values, prefix string) (*router, error) {
	t := &router{
		id: c.String(prefix + ".field.event.id"), key: c.String(prefix + ".field.event.key"), payload: c.String(prefix + ".field.event.payload"),
		timestamp: c.String(prefix + ".field.event.timestamp"), version: c.String(prefix + ".field.event.schema.version"),
		routeBy: c.String("route.by.field"), tombstones: c.Bool("route.tombstone.on.empty.payload"),
		ignoreMissing: strings.EqualFold(c.String(prefix+".field.additional.missing"), "ignore"),
		invalid:       strings.ToLower(c.String(invalidOperation.Name)),
	}
	var err error
	if t.additions, err = parseAdditions(c.List(prefix + ".fields.additional.placement")); err != nil {
		return nil, config.Problem{Key: prefix + ".fields.additional.placement", Message: err.Error()}
	}
	for _, a := range t.additions {
		t.envelope = t.envelope || a.placement == inEnvelope
	}
	if t.regex, err = smt.CompileRegex(c.String("route.topic.regex")); err != nil {
		return nil, config.Problem{Key: "route.topic.regex", Message: err.Error()}
	}
	if t.topic, err = t.regex.Replacement(c.String("route.topic.replacement")); err != nil {
		return nil, config.Problem{Key: "route.topic.replacement", Message: err.Error()}
	}
	return t, nil
}

func (t *router) Apply(r *plugin.Record) (bool, error) { return t.route(r, nil) }

// route a record; expand, if any, makes its "after" a struct first.
func (t *router) route(r *plugin.Record, expand func(*plugin.Record) error) (bool, error) {
	if r.Value == nil {
		return false, nil // the tombstone of a deleted row
	}
	if !smt.IsEnvelope(r.ValueSchema) {
		return true, nil // such as a heartbeat
	}
	change, err := smt.Struct(r.Value, "Detect Debezium Operation")
	if err != nil {
		return false, err
	}
	switch op, _ := change.Get("op").(string); op {
	case "d":
		return false, nil
	case "u":
		return false, t.unexpected(r)
	}
	if expand != nil {
		if err := expand(r); err != nil {
			slog.Warn("outbox: the document is no struct", "topic", r.Topic, "error", err)
		}
		if change, err = smt.Struct(r.Value, "Outbox converter"); err != nil {
			return false, err
		}
	}
	p, err := t.plans.Of(r.ValueSchema, t.plan)
	if err != nil {
		return false, err
	}
	row, err := smt.Struct(change.Values[p.after], "Read Outbox Event")
	if err != nil {
		return false, err
	}
	return true, t.message(r, p, change, row)
}

func (t *router) unexpected(r *plugin.Record) error {
	level := slog.LevelWarn
	switch t.invalid {
	case "fatal":
		return fmt.Errorf("Unexpected update message received on topic %s, fail.", r.Topic) //nolint:staticcheck // Debezium's own words
	case "error":
		level = slog.LevelError
	}
	slog.Log(context.Background(), level, "outbox: a row was updated; it is skipped", "topic", r.Topic)
	return nil
}

// message changes the record to what the row says.
func (t *router) message(r *plugin.Record, p *plan, change, row *data.Struct) error {
	topic, ok := smt.At(row, p.routeBy, true).(string)
	if !ok {
		return fmt.Errorf("%s, which topics are named after, is %s and no text", t.routeBy, smt.Kind(smt.At(row, p.routeBy, true)))
	}
	at, err := t.time(p, change, row)
	if err != nil {
		return err
	}
	s, payload := p.schema(p.payload), smt.At(row, p.payload, true)
	if t.expand != nil {
		s, payload = t.expand.payload(s, payload)
	}
	headers := append(r.Headers[:len(r.Headers):len(r.Headers)], plugin.Header{Key: "id", Schema: p.schema(p.id), Value: smt.At(row, p.id, true)})
	partition := plugin.NoPartition
	for i, a := range t.additions {
		from := p.additions[i]
		switch {
		case from < 0 || a.placement == inEnvelope:
		case a.placement == inHeader:
			headers = append(headers, plugin.Header{Key: a.alias, Schema: p.schema(from), Value: smt.At(row, from, true)})
		default:
			n, ok := smt.At(row, from, true).(int32)
			if !ok {
				return fmt.Errorf("%s, which is the partition, is %s and no int32", a.field, smt.Kind(smt.At(row, from, true)))
			}
			partition = n
		}
	}
	empty := payload == nil
	if text, ok := payload.(string); ok {
		empty = strings.TrimFunc(text, func(c rune) bool { return c <= ' ' }) == ""
	}
	switch {
	case empty && t.tombstones:
		s, payload = nil, nil
	case t.envelope:
		if s, payload, err = t.enveloped(p, row, s, payload, topic); err != nil {
			return err
		}
	}
	r.KeySchema, r.Key = smt.String, nil
	if p.key >= 0 {
		r.KeySchema, r.Key = p.schema(p.key), smt.At(row, p.key, true)
	}
	r.ValueSchema, r.Value, r.Timestamp, r.Headers, r.Partition = s, payload, at, headers, partition
	if r.Topic = topic; t.regex.Matches(topic) {
		r.Topic = t.regex.ReplaceFirst(topic, t.topic)
	}
	return nil
}

// enveloped puts the payload and additional fields into a struct.
func (t *router) enveloped(p *plan, row *data.Struct, s *data.Schema, payload any, topic string) (*data.Schema, any, error) {
	version := 0
	if p.version >= 0 {
		n, ok := smt.At(row, p.version, true).(int32)
		if !ok {
			return nil, nil, fmt.Errorf("%s, which is the schema's version, is %s and no int32", t.version, smt.Kind(smt.At(row, p.version, true)))
		}
		version = int(n)
	}
	made, err := t.values.of(s, version, func() (*data.Schema, error) { return t.valueSchema(p, s, version, topic) })
	if err != nil {
		return nil, nil, err
	}
	out := data.NewStruct(made)
	out.Values[0] = payload
	n := 1
	for i, a := range t.additions {
		if a.placement == inEnvelope && p.additions[i] >= 0 {
			out.Values[n] = smt.At(row, p.additions[i], true)
			n++
		}
	}
	return made, out, nil
}

// time of the message, in milliseconds.
func (t *router) time(p *plan, change, row *data.Struct) (int64, error) {
	if p.timestamp >= 0 {
		if v := smt.At(row, p.timestamp, true); v != nil {
			s := p.schema(p.timestamp)
			n, ok := v.(int64)
			switch {
			case ok && s.Name == "io.debezium.time.Timestamp":
				return n, nil
			case ok && s.Name == "io.debezium.time.MicroTimestamp":
				return n / 1000, nil
			case ok && s.Name == "io.debezium.time.NanoTimestamp":
				return n / 1_000_000, nil
			case s.Name == "":
				return 0, fmt.Errorf("Unsupported field type %s (without logical schema name) for event timestamp", s.Type) //nolint:staticcheck // Debezium's own words
			}
			return 0, fmt.Errorf("Unsupported field type %s for event timestamp", s.Name) //nolint:staticcheck // see above
		}
	}
	if n, ok := change.Get("ts_ms").(int64); ok {
		return n, nil
	}
	return plugin.NoTimestamp, nil
}
