package jsonschema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// read makes Kafka Connect's schema of the one that the registry has for the id.
func (c *Converter) read(ctx context.Context, id int) (*data.Schema, error) {
	found, err := c.cfg.Registry.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	if kind := cmp.Or(found.Type, client.Avro); kind != client.JSON {
		return nil, fmt.Errorf("%w with id %d: it is %s, and %s is read here", codec.ErrSchema, id, kind, client.JSON)
	}
	r := &reader{loose: c.loose, others: map[string]*data.Map{}, left: registry.DefaultLimits().Values}
	root, err := document(found.Text)
	if err == nil {
		err = r.load(ctx, c.cfg.Registry, found.References)
	}
	if err != nil {
		return nil, fmt.Errorf("%w with id %d: %w", codec.ErrSchema, id, err)
	}
	s, err := r.schema(place{root, root}, false, 0)
	if err != nil {
		return nil, fmt.Errorf("%w with id %d: %w", codec.ErrSchema, id, err)
	}
	return s, nil
}

// document keeps the order of members.
func document(text string) (*data.Map, error) {
	if most := registry.DefaultLimits().Schema; len(text) > most {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(text), most)
	}
	v, err := (&converter.JSON{}).DecodeAs(nil, []byte(text))
	if err != nil {
		return nil, err
	}
	m, ok := v.(*data.Map)
	if !ok {
		return nil, errors.New("it is no object")
	}
	return m, nil
}

// load what the schema refers to, and what that does.
func (r *reader) load(ctx context.Context, c *client.Client, refs []client.Reference) error {
	for _, ref := range refs {
		if r.others[ref.Name] != nil {
			continue
		}
		if len(r.others) >= registry.DefaultLimits().References {
			return fmt.Errorf("it has more than %d references", registry.DefaultLimits().References)
		}
		found, err := c.Version(ctx, ref.Subject, ref.Version)
		if err != nil {
			return fmt.Errorf("its reference %q: %w", ref.Name, err)
		}
		if r.others[ref.Name], err = document(found.Text); err != nil {
			return fmt.Errorf("its reference %q: %w", ref.Name, err)
		}
		if err := r.load(ctx, c, found.References); err != nil {
			return err
		}
	}
	return nil
}

// place is a part of a document.
type place struct{ document, at *data.Map }

// follow a $ref: to a part of the same document, or to another one by its reference's name.
func (r *reader) follow(from place, ref string) (place, error) {
	name, pointer, _ := strings.Cut(ref, "#")
	to := place{from.document, from.document}
	if name != "" {
		other := r.others[name]
		if other == nil {
			return place{}, fmt.Errorf("$ref %q leads to no reference", ref)
		}
		to = place{other, other}
	}
	for _, step := range strings.Split(pointer, "/")[1:] {
		next, ok := get(to.at, strings.NewReplacer("~1", "/", "~0", "~").Replace(step)).(*data.Map)
		if !ok {
			return place{}, fmt.Errorf("$ref %q leads nowhere", ref)
		}
		to.at = next
	}
	return to, nil
}

// get is a member of an object, nil where there is none.
func get(m *data.Map, name string) any {
	for i, key := range m.Keys {
		if key == name {
			return m.Values[i]
		}
	}
	return nil
}

func textOf(m *data.Map, name string) string {
	text, _ := get(m, name).(string)
	return text
}
