package converter

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// transactionFields are those of Debezium's transaction block.
var transactionFields = []string{"id", "total_order", "data_collection_order"}

func (c *CloudEvents) plan(change *data.Struct) (*eventPlan, error) {
	s := change.Schema
	c.mu.RLock()
	p, ok := c.plans[s]
	c.mu.RUnlock()
	if ok {
		return p, nil
	}
	p, err := c.newPlan(change)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.plans[s]; ok {
		return old, nil
	}
	if c.plans == nil || len(c.plans) >= c.Data.mostSchemas() {
		c.plans = map[*data.Schema]*eventPlan{}
	}
	c.plans[s] = p
	return p, nil
}

func (c *CloudEvents) newPlan(change *data.Struct) (*eventPlan, error) {
	s := change.Schema
	p := &eventPlan{source: s.Field("source"), op: s.Field("op"), tx: s.Field("transaction")}
	if p.source < 0 || p.op < 0 || s.Fields[p.source].Schema.Type != data.StructType {
		return nil, fmt.Errorf("%w: %s has no source or no op", data.ErrData, s.Name)
	}
	source := s.Fields[p.source].Schema
	var connector any
	if v, ok := change.Values[p.source].(*data.Struct); ok {
		connector = v.Get("connector")
	}
	p.data = &data.Schema{Type: data.StructType}
	for i, f := range s.Fields {
		switch f.Name {
		case "before", "after", "updateDescription":
			p.data.Fields, p.fields = append(p.data.Fields, f), append(p.fields, i)
		}
	}
	p.data.Name = fmt.Sprintf("io.debezium.connector.%v.Data", connector)
	var err error
	p.event, err = c.eventSchema(source)
	return p, err
}

// eventSchema is that of all attributes but the data.
func (c *CloudEvents) eventSchema(source *data.Schema) (*data.Schema, error) {
	text := data.Of(data.String)
	s := &data.Schema{Type: data.StructType}
	for _, name := range []string{"id", "source", "specversion", "type", "time", "datacontenttype"} {
		s.Fields = append(s.Fields, data.Field{Name: name, Schema: text})
	}
	if c.NoExtensions {
		return s, nil
	}
	s.Fields = append(s.Fields, data.Field{Name: extensionName("op"), Schema: text})
	for _, f := range source.Fields {
		e := &data.Schema{Optional: f.Schema.Optional}
		switch f.Schema.Type {
		case data.Boolean:
			e.Type = data.Boolean
		case data.Int8, data.Int16, data.Int32:
			e.Type = data.Int32
		case data.String, data.Int64:
			e.Type = data.String
		default:
			return nil, fmt.Errorf("%w: Source field of type %s cannot be converted into CloudEvents extension attribute: %s", data.ErrData, f.Schema.Type, f.Name)
		}
		s.Fields = append(s.Fields, data.Field{Name: extensionName(f.Name), Schema: e})
	}
	for _, name := range transactionFields {
		s.Fields = append(s.Fields, data.Field{Name: extensionName("tx" + name), Schema: data.OptionalOf(data.String)})
	}
	return s, nil
}

// extensionName has letters and digits only.
func extensionName(name string) string {
	return "iodebezium" + strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, name)
}
