package mysql

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/mysql/internal/values"
)

// sourceSchemas of the blocks that say where a record comes from.
var sourceSchemas = map[flavor]*data.Schema{mariadb: sourceSchema(mariadb), mysql: sourceSchema(mysql)}

func sourceSchema(f flavor) *data.Schema {
	return debezium.SourceSchema("io.debezium.connector."+string(f)+".Source",
		data.Field{Name: "table", Schema: data.OptionalOf(data.String)},
		data.Field{Name: "server_id", Schema: data.Of(data.Int64)},
		data.Field{Name: "gtid", Schema: data.OptionalOf(data.String)},
		data.Field{Name: "file", Schema: data.Of(data.String)},
		data.Field{Name: "pos", Schema: data.Of(data.Int64)},
		data.Field{Name: "row", Schema: data.Of(data.Int32)},
		data.Field{Name: "thread", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "query", Schema: data.OptionalOf(data.String)},
	)
}

// Places of the source block's own fields.
const (
	sourceTable = debezium.SourceOwn + iota
	sourceServer
	sourceGTID
	sourceFile
	sourcePos
	sourceRow
	sourceThread
	sourceQuery
)

// schemas makes tables of what information_schema and the stream say. One goroutine uses it.
type schemas struct {
	options *options
	log     *slog.Logger
	// charsets of collations, by their numbers.
	charsets map[uint64]string
}

func newSchemas(db *database, o *options, log *slog.Logger) (*schemas, error) {
	s := &schemas{options: o, log: log, charsets: map[uint64]string{}}
	queries := []string{"SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"}
	if o.flavor == mariadb { // those for many character sets have numbers only here
		queries = append(queries, "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY")
	}
	for i, query := range queries {
		rows, err := db.rows(query)
		if i > 0 && refusal(err) != 0 {
			continue // of a server before 10.10
		}
		if err != nil {
			return nil, fmt.Errorf("read the collations of the server: %w", err)
		}
		for _, row := range rows {
			if row[0] == nil || row[1] == nil {
				continue
			}
			if id, err := strconv.ParseUint(*row[0], 10, 64); err == nil {
				s.charsets[id] = *row[1]
			}
		}
	}
	return s, nil
}

// table is one whose rows become records.
type table struct {
	*debezium.Table
	columns  []column
	key      []int // places of the primary key's columns
	database string
	name     any // boxed once
}

type column struct {
	name  string
	codec *values.Codec // nil where it is in no record
	null  any           // what stands for null
}

func (s *schemas) build(d *tableDefinition) *table {
	out := &table{columns: make([]column, len(d.columns)), database: d.id.Catalog, name: d.id.Table}
	described := make([]debezium.Column, len(d.columns))
	for i := range d.columns {
		c := &d.columns[i]
		codec := s.options.values.New(c)
		described[i] = s.describe(c, codec)
		out.columns[i] = column{name: c.Name, codec: codec}
		if codec == nil {
			s.log.Warn("mysql: a column is left out, as there is no schema for its type", "table", d.id.String(), "column", c.Name, "type", c.Type)
		} else if c.NotNull {
			if out.columns[i].null = described[i].Schema.Default; out.columns[i].null == nil {
				out.columns[i].null = codec.Fallback
			}
		}
	}
	out.Table = s.options.Relational.Table(d.id, described, d.key, sourceSchemas[s.options.flavor])
	for _, name := range d.key {
		out.key = append(out.key, slices.IndexFunc(d.columns, func(c values.Column) bool { return strings.EqualFold(c.Name, name) }))
	}
	if slices.ContainsFunc(out.key, func(i int) bool { return i < 0 || !out.Uses(i) }) {
		out.key = nil
	}
	for i := range out.columns {
		if !out.Uses(i) {
			out.columns[i].codec = nil
		}
	}
	return out
}

func (s *schemas) describe(c *values.Column, codec *values.Codec) debezium.Column {
	out := debezium.Column{
		Name: c.Name, TypeName: c.TypeName(), Length: c.Length, Scale: c.Scale, Text: c.Text(), Comment: c.Comment,
	}
	if codec == nil {
		return out
	}
	schema := *codec.Schema
	schema.Optional = schema.Optional || !c.NotNull
	schema.Default = c.DefaultValue(codec)
	if s.options.Values.Bool("include.schema.comments") {
		schema.Doc = c.Comment
	}
	out.Schema = &schema
	return out
}

// errColumns is wrapped by errors about rows whose columns are not known.
var errColumns = errors.New("the columns of a change are not known")

// row of values of the binary log.
func (s *schemas) row(t *table, from []any) ([]any, error) {
	if len(from) != len(t.columns) {
		return nil, fmt.Errorf("%w: %s has %d columns, and the row %d", errColumns, t.ID, len(t.columns), len(from))
	}
	out := make([]any, len(from))
	for i := range t.columns {
		c := &t.columns[i]
		if c.codec == nil {
			continue
		}
		if out[i] = c.null; from[i] == nil {
			continue
		}
		v, err := c.codec.Row(from[i])
		if out[i], err = s.fit(t, c, v, err); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fit is the value, or what stands for one that its type cannot be read from.
func (s *schemas) fit(t *table, c *column, v any, err error) (any, error) {
	switch {
	case err == nil:
		return v, nil
	case !s.options.lenient:
		return nil, fmt.Errorf("the column %s of %s: %w", c.name, t.ID, err)
	}
	s.log.Warn("mysql: null stands for a value that cannot be converted, as event.converting.failure.handling.mode says", "table", t.ID.String(), "column", c.name, "error", err)
	return c.null, nil
}
