package codec

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/internal/references"
)

// schemas of the registry, ready to read and write with.
type schemas struct {
	registry *client.Client
	format   format
	byID     remembered[int, parsed]
}

// parsed is a schema, or why it cannot be used.
type parsed struct {
	schema schema
	err    error
}

func (s *schemas) get(ctx context.Context, id int) (schema, error) {
	p, ok := s.byID.get(id)
	if ok {
		return p.schema, p.err
	}
	found, err := s.registry.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	p.schema, p.err = s.parse(ctx, found)
	if p.err != nil {
		p.err = fmt.Errorf("%w with id %d: %w", ErrSchema, id, p.err)
		if passing(p.err) {
			return nil, p.err
		}
	}
	s.byID.put(id, p)
	return p.schema, p.err
}

// passing tells of an error that is about the registry, and not about the schema.
func passing(err error) bool {
	return errors.Is(err, client.ErrUnavailable) || errors.Is(err, client.ErrUnauthorized) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (s *schemas) parse(ctx context.Context, found client.Schema) (schema, error) {
	if kind := cmp.Or(found.Type, client.Avro); kind != s.format.kind() {
		return nil, fmt.Errorf("it is %s, and %s is read here", kind, s.format.kind())
	}
	refs, err := references.Fetch(ctx, s.registry, found.References)
	if err != nil {
		return nil, err
	}
	if err := references.CheckSize(found.Text); err != nil {
		return nil, err
	}
	return s.format.parse(found.Text, refs)
}
