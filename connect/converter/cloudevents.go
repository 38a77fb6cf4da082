package converter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// CloudEvents is io.debezium.converters.CloudEventsConverter with JSON events that have JSON data:
// changes of Debezium's connectors in structured mode. What is no change, such as a heartbeat,
// becomes no bytes, as in Debezium.
type CloudEvents struct {
	// Data writes the attribute "data", with its schema if it has Schemas.
	Data *JSON
	// NoExtensions leaves out the attributes iodebezium… (extension.attributes.enable=false).
	NoExtensions bool

	mu    sync.RWMutex
	plans map[*data.Schema]*eventPlan
}

// eventPlan is what an envelope's schema becomes.
type eventPlan struct {
	event, data *data.Schema
	// fields of the envelope that are the data.
	fields     []int
	source, op int
	tx         int // -1 without
}

var eventTime = mustFormat("yyyy-MM-dd'T'HH:mm:ss.SSSXXX")

// Encode writes an event.
func (c *CloudEvents) Encode(topic string, s *data.Schema, value any) ([]byte, error) {
	if s == nil || value == nil || !strings.HasSuffix(s.Name, ".Envelope") {
		return nil, nil
	}
	change, ok := value.(*data.Struct)
	if !ok || s.Type != data.StructType {
		return nil, fmt.Errorf("%w: CloudEvents are made of structs, not of %T", data.ErrData, value)
	}
	p, err := c.plan(change)
	if err != nil {
		return nil, err
	}
	source, ok := change.Values[p.source].(*data.Struct)
	if !ok {
		return nil, fmt.Errorf("%w: the change has no source", data.ErrData)
	}
	event, err := c.event(p, change, source)
	if err != nil {
		return nil, err
	}
	content := data.NewStruct(p.data)
	for i, from := range p.fields {
		if content.Values[i] = change.Values[from]; content.Values[i] == nil {
			content.Values[i] = p.data.Fields[i].Schema.Default
		}
	}
	plain := &JSON{NumericDecimals: c.Data.NumericDecimals, KeepNull: c.Data.KeepNull}
	b, err := plain.Encode(topic, p.event, event)
	if err != nil {
		return nil, err
	}
	inner, err := c.Data.Encode(topic, p.data, content)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	b = append(b[:len(b)-1], `,"data":`...)
	return append(append(b, inner...), '}'), nil
}

// event is all but the data.
func (c *CloudEvents) event(p *eventPlan, change, source *data.Struct) (*data.Struct, error) {
	connector, _ := source.Get("connector").(string)
	id, err := eventID(connector, source)
	if err != nil {
		return nil, err
	}
	ms, ok := source.Get("ts_ms").(int64)
	if !ok {
		return nil, fmt.Errorf("%w: the source of the change has no ts_ms", data.ErrData)
	}
	out := &data.Struct{Schema: p.event, Values: make([]any, 0, len(p.event.Fields))}
	out.Values = append(out.Values, id, fmt.Sprintf("/debezium/%s/%v", connector, source.Get("name")), "1.0",
		"io.debezium.connector."+connector+".DataChangeEvent", eventTime.Text(time.UnixMilli(ms)), "application/json")
	if c.NoExtensions {
		return out, nil
	}
	out.Values = append(out.Values, change.Values[p.op])
	for i, f := range source.Schema.Fields {
		v := source.Values[i]
		if v == nil {
			v = f.Schema.Default
		}
		out.Values = append(out.Values, extension(v))
	}
	var tx *data.Struct
	if p.tx >= 0 {
		tx, _ = change.Values[p.tx].(*data.Struct)
	}
	for _, name := range transactionFields {
		var v any
		if tx != nil {
			v = extension(tx.Get(name))
		}
		out.Values = append(out.Values, v)
	}
	return out, nil
}

// extension is a value that CloudEvents has: integers of 64 bits are text there.
func extension(v any) any {
	switch n := v.(type) {
	case int64:
		return strconv.FormatInt(n, 10)
	case int8:
		return int32(n)
	case int16:
		return int32(n)
	}
	return v
}

// eventID says where the change is in its source.
func eventID(connector string, source *data.Struct) (string, error) {
	parts := map[string][]string{
		"postgresql": {"name", "lsn", "txId", "sequence"},
		"mysql":      {"name", "file", "pos"},
		"mariadb":    {"name", "file", "pos"},
		"mongodb":    {"name", "ts:ts_ms", "ord"},
	}[connector]
	if parts == nil {
		return "", fmt.Errorf("No usable CloudEvents converters for connector type %q", connector) //nolint:staticcheck // Debezium's own words
	}
	var b strings.Builder
	for i, part := range parts {
		label, field, ok := strings.Cut(part, ":")
		if !ok {
			field = label
		}
		if source.Schema.Field(field) < 0 {
			return "", fmt.Errorf("%w: the source of the change has no %s", data.ErrData, field)
		}
		text := "null"
		if v := source.Get(field); v != nil {
			text = fmt.Sprint(v)
		}
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(label + ":" + text)
	}
	return b.String(), nil
}

// Decode reads an event as a map whose data is as it was encoded: with schemas a struct.
func (c *CloudEvents) Decode(topic string, b []byte) (*data.Schema, any, error) {
	_, value, err := (&JSON{}).Decode(topic, b)
	if err != nil {
		return nil, nil, err
	}
	event, ok := value.(*data.Map)
	if ok {
		for _, name := range []string{"id", "source", "specversion", "type"} {
			_, has := event.Get(name)
			ok = ok && has
		}
	}
	if !ok {
		return nil, nil, fmt.Errorf("%w: a record's value is not a CloudEvent", ErrBytes)
	}
	var raw struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrBytes, err)
	}
	if len(bytes.TrimSpace(raw.Data)) == 0 {
		return nil, nil, fmt.Errorf("%w: the CloudEvent has no data", ErrBytes)
	}
	_, content, err := c.Data.Decode(topic, raw.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	event.Put("data", content)
	return nil, event, nil
}
