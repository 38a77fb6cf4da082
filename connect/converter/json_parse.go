package converter

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
)

// parsedCache keeps schemas by their JSON.
type parsedCache struct {
	mu  sync.RWMutex
	all map[string]*data.Schema
}

func (k *parsedCache) of(c *JSON, text []byte) (*data.Schema, error) {
	k.mu.RLock()
	s, ok := k.all[string(text)]
	k.mu.RUnlock()
	if ok {
		return s, nil
	}
	s, err := c.parseSchema(text, 0)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= c.mostSchemas() {
		k.all = map[string]*data.Schema{}
	}
	k.all[string(text)] = s
	return s, nil
}

// schemaText is a schema as JSON.
type schemaText struct {
	Type       string          `json:"type"`
	Optional   bool            `json:"optional"`
	Name       string          `json:"name"`
	Version    int             `json:"version"`
	Doc        string          `json:"doc"`
	Parameters json.RawMessage `json:"parameters"`
	Default    json.RawMessage `json:"default"`
	Items      json.RawMessage `json:"items"`
	Keys       json.RawMessage `json:"keys"`
	Values     json.RawMessage `json:"values"`
	Fields     []json.RawMessage
	Field      *string `json:"field"`
}

// deepest is how far schemas may be nested in each other.
const deepest = 100

// parseSchema reads a schema; null is none.
func (c *JSON) parseSchema(b []byte, depth int) (*data.Schema, error) {
	s, _, err := c.parseField(b, depth)
	return s, err
}

func (c *JSON) parseField(b []byte, depth int) (s *data.Schema, field *string, err error) {
	if string(b) == "null" {
		return nil, nil, nil
	}
	if depth > deepest {
		return nil, nil, fmt.Errorf("it is nested more than %d times", deepest)
	}
	var t schemaText
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, nil, err
	}
	kind, ok := data.TypeOf(t.Type)
	if !ok {
		return nil, nil, fmt.Errorf("its type is %q", t.Type)
	}
	s = &data.Schema{Type: kind, Optional: t.Optional, Name: t.Name, Version: t.Version, Doc: t.Doc}
	if s.Parameters, err = parseParameters(t.Parameters); err != nil {
		return nil, nil, err
	}
	if err := c.parseInside(s, t, depth+1); err != nil {
		return nil, nil, err
	}
	if len(t.Default) > 0 && string(t.Default) != "null" {
		if s.Default, err = c.decode(s, t.Default); err != nil {
			return nil, nil, fmt.Errorf("default: %w", err)
		}
	}
	return s, t.Field, nil
}

// parseInside reads the schemas within one.
func (c *JSON) parseInside(s *data.Schema, t schemaText, depth int) (err error) {
	switch s.Type {
	case data.Array:
		s.Value, err = c.parseNeeded("items", t.Items, depth)
	case data.MapType:
		if s.Key, err = c.parseNeeded("keys", t.Keys, depth); err == nil {
			s.Value, err = c.parseNeeded("values", t.Values, depth)
		}
	case data.StructType:
		for _, f := range t.Fields {
			one, name, err := c.parseField(f, depth)
			if err == nil && (name == nil || one == nil) {
				err = errors.New("it has no name in \"field\"")
			}
			if err != nil {
				return fmt.Errorf("field %d: %w", len(s.Fields), err)
			}
			s.Fields = append(s.Fields, data.Field{Name: *name, Schema: one})
		}
	}
	return err
}

func (c *JSON) parseNeeded(what string, b []byte, depth int) (*data.Schema, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("it has no %q", what)
	}
	s, err := c.parseSchema(b, depth)
	if err == nil && s == nil {
		err = errors.New("it is null")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

// parseParameters keeps their order.
func parseParameters(b []byte) (all []data.Parameter, err error) {
	if len(b) == 0 || string(b) == "null" {
		return nil, nil
	}
	value, err := (&JSON{}).decode(nil, b)
	if err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	m, ok := value.(*data.Map)
	if !ok {
		return nil, errors.New("parameters are no object")
	}
	for i, key := range m.Keys {
		text, ok := m.Values[i].(string)
		if !ok {
			return nil, fmt.Errorf("parameter %v is no string", key)
		}
		all = append(all, data.Parameter{Name: key.(string), Value: text})
	}
	return all, nil
}
