package compat

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
	"github.com/pabal-dev/pabal/kafka/registry/internal/jsonschema"
	"github.com/pabal-dev/pabal/kafka/registry/internal/references"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Read schemas. Those of Avro may name types that others of them define, and have them inside then.
// The error is ErrSchema.
func Read(files []File) ([]Schema, error) { return known{}.read(files) }

// ReadReferring is Read of schemas that refer to others of a registry. Those of Avro then have the
// types of these inside, too; those of JSON Schema have as References the ones of that type. Errors
// are ErrSchema, and those of package client about a reference.
func ReadReferring(ctx context.Context, c *client.Client, refs []client.Reference, files []File) ([]Schema, error) {
	k, err := fetch(ctx, c, refs)
	if err != nil {
		return nil, err
	}
	return k.read(files)
}

// known is what files may refer to that is none of them.
type known struct {
	avro   []avro.File
	json   []jsonschema.Reference
	direct []client.Reference // to JSON Schemas
}

func fetch(ctx context.Context, c *client.Client, refs []client.Reference) (known, error) {
	found, err := references.Fetch(ctx, c, refs)
	if err != nil {
		return known{}, err
	}
	var k known
	for _, s := range found {
		switch s.Type {
		case client.Avro:
			k.avro = append(k.avro, avro.File{Name: fmt.Sprintf("%s version %d", s.Subject, s.Version), Text: s.Text})
		case client.JSON:
			k.json = append(k.json, jsonschema.Reference{Name: s.Name, Text: s.Text})
			if slices.Contains(refs, s.Reference) {
				k.direct = append(k.direct, s.Reference)
			}
		default:
			return known{}, fmt.Errorf("%w: the reference %q: %s version %d is %s, neither %s nor %s", ErrSchema, s.Name, s.Subject, s.Version, s.Type, client.Avro, client.JSON)
		}
	}
	return k, nil
}

func (k known) read(files []File) ([]Schema, error) {
	out := make([]Schema, len(files))
	var avros []avro.File
	var at []int
	for i, f := range files {
		var err error
		switch path.Ext(f.Name) {
		case ".avsc":
			avros, at = append(avros, avro.File(f)), append(at, i)
		case ".json":
			out[i], err = k.readJSON(f)
		default:
			err = fmt.Errorf("%s: its name ends neither with .avsc (Avro) nor with .json (JSON Schema)", f.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSchema, err)
		}
	}
	schemas, err := avro.ParseFiles(avros, k.avro, tree.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	for i, s := range schemas {
		if out[at[i]], err = readAvro(avros[i], s); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSchema, err)
		}
	}
	return out, nil
}

func readAvro(f avro.File, s *avro.Schema) (Schema, error) {
	text := s.Resolved()
	whole, err := avro.Parse(text, nil, tree.Limits{})
	if err == nil {
		err = whole.Validate()
	}
	if err != nil {
		return Schema{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	return Schema{Name: f.Name, Record: whole.Name(), Schema: client.Schema{Type: client.Avro, Text: text}, avro: whole}, nil
}

func (k known) readJSON(f File) (Schema, error) {
	s, err := jsonschema.Parse(f.Text, k.json, tree.DefaultLimits())
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return Schema{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	return Schema{Name: f.Name, Record: s.Title(), Schema: client.Schema{Type: client.JSON, Text: f.Text, References: k.direct}, json: s}, nil
}
