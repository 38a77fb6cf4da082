package converter

import (
	"strconv"
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
)

// schemaCache keeps the JSON of schemas, by their addresses.
type schemaCache struct {
	mu  sync.RWMutex
	all map[*data.Schema][]byte
}

func (c *JSON) mostSchemas() int {
	if c.MostSchemas > 0 {
		return c.MostSchemas
	}
	return 1000
}

func (k *schemaCache) of(c *JSON, s *data.Schema) ([]byte, error) {
	k.mu.RLock()
	b, ok := k.all[s]
	k.mu.RUnlock()
	if ok {
		return b, nil
	}
	b, err := c.appendSchema(nil, s, "")
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= c.mostSchemas() {
		k.all = map[*data.Schema][]byte{}
	}
	k.all[s] = b
	return b, nil
}

// appendSchema writes a schema, of a field of that name where it is not "".
func (c *JSON) appendSchema(b []byte, s *data.Schema, field string) (_ []byte, err error) {
	if s == nil {
		return append(b, "null"...), nil
	}
	b = appendText(append(b, `{"type":`...), s.Type.String())
	switch s.Type {
	case data.Array:
		if b, err = c.appendSchema(append(b, `,"items":`...), s.Value, ""); err != nil {
			return nil, err
		}
	case data.MapType:
		if b, err = c.appendSchema(append(b, `,"keys":`...), s.Key, ""); err != nil {
			return nil, err
		}
		if b, err = c.appendSchema(append(b, `,"values":`...), s.Value, ""); err != nil {
			return nil, err
		}
	case data.StructType:
		if b, err = c.appendFields(append(b, `,"fields":[`...), s.Fields); err != nil {
			return nil, err
		}
	}
	b = strconv.AppendBool(append(b, `,"optional":`...), s.Optional)
	if s.Name != "" {
		b = appendText(append(b, `,"name":`...), s.Name)
	}
	if s.Version != 0 {
		b = strconv.AppendInt(append(b, `,"version":`...), int64(s.Version), 10)
	}
	if s.Doc != "" {
		b = appendText(append(b, `,"doc":`...), s.Doc)
	}
	if len(s.Parameters) > 0 {
		b = appendParameters(append(b, `,"parameters":{`...), s.Parameters)
	}
	if s.Default != nil {
		if b, err = c.appendValue(append(b, `,"default":`...), s, s.Default); err != nil {
			return nil, err
		}
	}
	if field != "" {
		b = appendText(append(b, `,"field":`...), field)
	}
	return append(b, '}'), nil
}

func (c *JSON) appendFields(b []byte, fields []data.Field) (_ []byte, err error) {
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = c.appendSchema(b, f.Schema, f.Name); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendParameters(b []byte, all []data.Parameter) []byte {
	for i, p := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(appendText(b, p.Name), ':'), p.Value)
	}
	return append(b, '}')
}
