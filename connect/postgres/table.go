package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/internal/slab"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
	"github.com/pabal-dev/pabal/connect/postgres/internal/values"
)

// sourceSchema of the block that says where a record comes from.
var sourceSchema = debezium.SourceSchema("io.debezium.connector.postgresql.Source",
	data.Field{Name: "schema", Schema: data.Of(data.String)},
	data.Field{Name: "table", Schema: data.Of(data.String)},
	data.Field{Name: "txId", Schema: data.OptionalOf(data.Int64)},
	data.Field{Name: "lsn", Schema: data.OptionalOf(data.Int64)},
	data.Field{Name: "xmin", Schema: data.OptionalOf(data.Int64)},
	data.Field{Name: "origin", Schema: data.OptionalOf(data.String)},
	data.Field{Name: "origin_lsn", Schema: data.OptionalOf(data.Int64)},
)

// Places of the source block's own fields.
const (
	sourceTable = debezium.SourceOwn + 1 + iota
	sourceXID
	sourceLSN
	sourceXmin
	sourceOrigin
	sourceOriginLSN
	sourceSchemaName = debezium.SourceOwn
)

// schemas makes tables of what the catalogs and the stream say. One goroutine uses it.
type schemas struct {
	options *options
	log     *slog.Logger
	types   *values.Types
}

func newSchemas(ctx context.Context, db *pgx.Conn, o *options, log *slog.Logger) (*schemas, error) {
	all, err := catalog.Types(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read the types of the database: %w", err)
	}
	return &schemas{options: o, log: log, types: values.New(o.values, all)}, nil
}

// reload the types, of which there may be new ones, or new labels of enums.
func (s *schemas) reload(ctx context.Context, db *pgx.Conn) error {
	all, err := catalog.Types(ctx, db)
	for _, one := range all {
		s.types.Put(one)
	}
	return err
}

// table is one whose rows become records.
type table struct {
	*debezium.Table
	relation     *pgoutput.Relation // nil in snapshots
	columns      []column
	key          []int // the primary key's places
	schema, name any   // boxed once
	// anyLabel takes labels that enums do not have: they are those of the past.
	anyLabel bool
}

type column struct {
	name  string
	codec *values.Codec // nil where it is in no record
	null  any           // what stands for null
	// identity says that it is part of the replica identity.
	identity bool
	// missing is what stands for a value that was not sent.
	missing any
}

// snapshotTable has the columns that the catalog says.
func (s *schemas) snapshotTable(t *catalog.Table) *table {
	out := s.build(t, t.Columns, t.Key, nil)
	out.anyLabel = true
	return out
}

// streamTable has the columns that the stream says, in its order; what it does not say is the
// catalog's, which may be ahead of it.
func (s *schemas) streamTable(r *pgoutput.Relation, t *catalog.Table) *table {
	columns := make([]catalog.Column, len(r.Columns))
	for i, c := range r.Columns {
		columns[i] = catalog.Column{Name: c.Name, Type: c.Type, Modifier: c.Modifier}
		if one, ok := s.types.Get(c.Type); ok {
			columns[i].TypeName = one.Name
		}
		if known := t.Column(c.Name); known != nil {
			columns[i].NotNull, columns[i].Default, columns[i].Comment = known.NotNull, known.Default, known.Comment
			columns[i].Generated = known.Generated
		}
	}
	key := slices.DeleteFunc(slices.Clone(t.Key), func(name string) bool {
		return !slices.ContainsFunc(columns, func(c catalog.Column) bool { return c.Name == name })
	})
	if told := keyTold(r); len(told) > 0 && !sameColumns(told, key) {
		key = told
	}
	return s.build(&catalog.Table{Schema: r.Namespace, Name: r.Name}, columns, key, r)
}

// keyTold is the primary key as of the stream, where the replica identity is that.
func keyTold(r *pgoutput.Relation) (key []string) {
	if r.Identity != 'd' {
		return nil
	}
	for _, c := range r.Columns {
		if c.Key {
			key = append(key, c.Name)
		}
	}
	return key
}

func sameColumns(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (s *schemas) build(t *catalog.Table, columns []catalog.Column, key []string, r *pgoutput.Relation) *table {
	id := debezium.TableID{Schema: t.Schema, Table: t.Name}
	out := &table{relation: r, columns: make([]column, len(columns)), schema: t.Schema, name: t.Name}
	described := make([]debezium.Column, len(columns))
	for i, c := range columns {
		codec := s.types.Codec(c.Type, c.Modifier)
		described[i] = s.describe(c, codec)
		out.columns[i] = column{name: c.Name, codec: codec}
		if codec == nil {
			continue
		}
		if c.NotNull {
			if out.columns[i].null = described[i].Schema.Default; out.columns[i].null == nil {
				out.columns[i].null = codec.Fallback
			}
		}
		if out.columns[i].missing = codec.Unchanged; codec.Unchanged == nil {
			out.columns[i].missing = out.columns[i].null
		}
		if r != nil {
			out.columns[i].identity = r.Columns[i].Key
		}
	}
	out.Table = s.options.Relational.Table(id, described, key, sourceSchema)
	for _, name := range key {
		out.key = append(out.key, slices.IndexFunc(columns, func(c catalog.Column) bool { return c.Name == name }))
	}
	for i := range out.columns {
		if !out.Uses(i) {
			out.columns[i].codec = nil
		}
	}
	return out
}

func (s *schemas) describe(c catalog.Column, codec *values.Codec) debezium.Column {
	out := debezium.Column{Name: c.Name, TypeName: typeName(c), Length: debezium.Unset, Scale: debezium.Unset, Comment: c.Comment}
	oid, modifier := s.types.Root(c.Type, c.Modifier)
	out.Length, out.Scale = size(oid, modifier)
	switch oid {
	case 18, 25, 1042, 1043:
		out.Text = true
	}
	if codec == nil {
		return out
	}
	schema := *codec.Schema
	schema.Optional = schema.Optional || !c.NotNull
	if !c.Generated {
		schema.Default = s.types.Default(c.Type, codec, c.Default)
	}
	if s.options.Values.Bool("include.schema.comments") {
		schema.Doc = c.Comment
	}
	out.Schema = &schema
	return out
}

// typeName is that of the column, where integers with a sequence are called serial.
func typeName(c catalog.Column) string {
	if strings.HasPrefix(c.Default, "nextval(") {
		switch c.TypeName {
		case "int2":
			return "smallserial"
		case "int4":
			return "serial"
		case "int8":
			return "bigserial"
		}
	}
	return c.TypeName
}

// size of a type as Debezium's driver tells length and scale.
func size(oid uint32, modifier int32) (length, scale int) {
	switch oid {
	case 21:
		return 5, 0
	case 23:
		return 10, 0
	case 20:
		return 19, 0
	case 700:
		return 8, 8
	case 701:
		return 17, 17
	case 16:
		return 1, 0
	case 1042, 1043:
		if modifier < 4 {
			return math.MaxInt32, 0
		}
		return int(modifier - 4), 0
	case 1700:
		if modifier < 4 {
			return 0, 0
		}
		return int(modifier-4) >> 16 & 0xFFFF, int(modifier-4) & 0xFFFF
	case 1560, 1562:
		if modifier < 0 {
			return math.MaxInt32, 0
		}
		return int(modifier), 0
	}
	return math.MaxInt32, 0
}

// mostShared bounds rows that share memory with others, as they live as long as the last one of them.
const mostShared = 4 << 10

// row of values that were sent. old is the row before, whose values stand for those that did not
// change and were not sent; nil is none. The row is made in room, where that is not nil.
func (t *table) row(room *slab.Slab[any], sent []pgoutput.Value, old []any, failed func(column string, err error) error) ([]any, error) {
	var out []any
	if room != nil {
		out = room.Take(len(t.columns))
	} else {
		out = make([]any, len(t.columns))
	}
	for i := range t.columns {
		c := &t.columns[i]
		if c.codec == nil {
			continue
		}
		if i >= len(sent) {
			out[i] = c.null
			continue
		}
		switch sent[i].Kind {
		case 'n':
			out[i] = c.null
		case 'u':
			if out[i] = c.missing; old != nil && old[i] != nil {
				out[i] = old[i]
			}
		case 't':
			v, err := c.codec.Parse(sent[i].Data)
			switch {
			case err == nil, t.anyLabel && errors.Is(err, values.ErrLabel):
			case errors.Is(err, values.ErrLabel):
				return nil, err
			default:
				if err = failed(c.name, err); err != nil {
					return nil, err
				}
				v = c.null
			}
			out[i] = v
		default:
			return nil, fmt.Errorf("the column %s: %w: a value of the kind %q, which is not text", c.name, pgoutput.ErrMessage, sent[i].Kind)
		}
	}
	return out, nil
}
