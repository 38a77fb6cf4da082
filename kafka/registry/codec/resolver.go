package codec

import (
	"context"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/client"
)

// Resolver finds the Avro schemas of ids, within the bounds of a registry, for those who read and
// write the bytes themselves. It is safe for concurrent use.
type Resolver struct{ known schemas }

// NewResolver holds most schemas ready; 1000 where zero.
func NewResolver(c *client.Client, most int) *Resolver {
	if most <= 0 {
		most = 1000
	}
	return &Resolver{schemas{registry: c, format: &avroFormat{}, byID: remembered[int, parsed]{most: most}}}
}

// Avro returns the schema that records with the id are written with, with those that it refers to
// inside. Errors are ErrSchema, and those of the registry.
func (r *Resolver) Avro(ctx context.Context, id int) (*avro.Schema, error) {
	s, err := r.known.get(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.(*avroSchema).writes, nil
}
