package mysql

import (
	"fmt"
	"slices"

	driver "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/mysql/internal/values"
)

// streamTable has the columns that the stream says; what it does not say is what information_schema
// has now, which may be ahead of it.
func (s *schemas) streamTable(db *database, e *replication.TableMapEvent) (*table, error) {
	id := debezium.TableID{Catalog: string(e.Schema), Table: string(e.Table)}
	known, err := s.define(db, id)
	if err != nil {
		return nil, err
	}
	names := e.ColumnNameString()
	if len(names) == 0 {
		if known == nil || len(known.columns) != int(e.ColumnCount) {
			return nil, fmt.Errorf("%w: %s has other columns now than when it was changed: set the server's binlog_row_metadata to FULL, and delete the connector's offsets to begin anew", errColumns, id)
		}
		for i := range known.columns {
			names = append(names, known.columns[i].Name)
		}
	}
	d := &tableDefinition{id: id, columns: make([]values.Column, len(names))}
	told := newTold(s, e)
	for i, name := range names {
		d.columns[i] = told.column(i, name, known.column(name))
	}
	d.key = keyOf(e, names, known)
	return s.build(d), nil
}

// keyOf a table is the primary key that the stream tells, or else what information_schema has.
func keyOf(e *replication.TableMapEvent, names []string, known *tableDefinition) (key []string) {
	for _, i := range e.PrimaryKey {
		if i < uint64(len(names)) {
			key = append(key, names[i])
		}
	}
	if len(key) > 0 || known == nil {
		return key
	}
	for _, name := range known.key {
		if !slices.Contains(names, name) {
			return nil
		}
	}
	return known.key
}

// told is what a TABLE_MAP event says of columns.
type told struct {
	*replication.TableMapEvent
	schemas                 *schemas
	unsigned                map[int]bool
	texts, members          map[int]uint64
	enums, sets             map[int][]string
	geometries              map[int]uint64
	hasSigns, hasCollations bool
}

func newTold(s *schemas, e *replication.TableMapEvent) *told {
	t := &told{
		TableMapEvent: e, schemas: s, unsigned: e.UnsignedMap(), texts: e.CollationMap(), members: e.EnumSetCollationMap(),
		enums: e.EnumStrValueMap(), sets: e.SetStrValueMap(), geometries: e.GeometryTypeMap(),
	}
	t.hasSigns, t.hasCollations = len(t.unsigned) > 0, len(t.texts) > 0
	return t
}

// column as the event tells it, with what it does not tell from the one known, if that may be the
// same.
func (t *told) column(i int, name string, known *values.Column) values.Column {
	c := t.plain(i)
	c.Name = name
	if known != nil && alike(c.Type, known.Type) {
		k := *known
		k.Name, k.NotNull = c.Name, c.NotNull
		if t.hasSigns {
			k.Unsigned = c.Unsigned
		}
		if t.hasCollations && c.Charset != "" {
			k.Charset = c.Charset
		}
		if len(c.Members) > 0 {
			k.Members = c.Members
		}
		switch k.Type {
		case "decimal", "datetime", "timestamp", "time", "bit", "binary", "varbinary":
			k.Length, k.Scale = c.Length, c.Scale
		}
		return k
	}
	return c
}

// alike says whether a type of the log may be one of information_schema.
func alike(told, known string) bool {
	if told == known {
		return true
	}
	switch known {
	case "uuid", "inet6", "inet4":
		return told == "binary" || told == "char"
	case "vector":
		return told == "varbinary" || told == "varchar" || told == "longblob"
	case "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return told == "geometry"
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return told == bytesOf[known] // where the log does not tell the character set
	}
	return false
}

var bytesOf = map[string]string{
	"char": "binary", "varchar": "varbinary", "tinytext": "tinyblob", "text": "blob", "mediumtext": "mediumblob", "longtext": "longblob",
}

var simpleTypes = map[byte]string{
	driver.MYSQL_TYPE_TINY: "tinyint", driver.MYSQL_TYPE_SHORT: "smallint", driver.MYSQL_TYPE_INT24: "mediumint",
	driver.MYSQL_TYPE_LONG: "int", driver.MYSQL_TYPE_LONGLONG: "bigint", driver.MYSQL_TYPE_FLOAT: "float",
	driver.MYSQL_TYPE_DOUBLE: "double", driver.MYSQL_TYPE_YEAR: "year", driver.MYSQL_TYPE_DATE: "date",
	driver.MYSQL_TYPE_NEWDATE: "date", driver.MYSQL_TYPE_JSON: "json", driver.MYSQL_TYPE_TIMESTAMP: "timestamp",
	driver.MYSQL_TYPE_DATETIME: "datetime", driver.MYSQL_TYPE_TIME: "time", driver.MYSQL_TYPE_VECTOR: "vector",
}

var fractions = map[byte]string{
	driver.MYSQL_TYPE_TIMESTAMP2: "timestamp", driver.MYSQL_TYPE_DATETIME2: "datetime", driver.MYSQL_TYPE_TIME2: "time",
}

var shapes = []string{"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection"}

var blobs = []string{1: "tinyblob", 2: "blob", 3: "mediumblob", 4: "longblob"}

func (t *told) plain(i int) values.Column {
	_, nullable := t.Nullable(i)
	c := values.Column{NotNull: !nullable, Unsigned: t.unsigned[i], Length: values.Unset, Scale: values.Unset}
	kind, meta := t.ColumnType[i], t.ColumnMeta[i]
	if kind == driver.MYSQL_TYPE_STRING && meta >= 256 {
		if high := byte(meta >> 8); high == driver.MYSQL_TYPE_ENUM || high == driver.MYSQL_TYPE_SET {
			kind = high
		}
	}
	c.Type = simpleTypes[kind]
	switch kind {
	case driver.MYSQL_TYPE_NEWDECIMAL:
		c.Type, c.Length, c.Scale = "decimal", int(meta>>8), int(meta&0xFF)
	case driver.MYSQL_TYPE_BIT:
		c.Type, c.Length = "bit", int(meta>>8)*8+int(meta&0xFF)
	case driver.MYSQL_TYPE_TIMESTAMP2, driver.MYSQL_TYPE_DATETIME2, driver.MYSQL_TYPE_TIME2:
		if c.Type = fractions[kind]; meta > 0 {
			c.Length = int(meta)
		}
	case driver.MYSQL_TYPE_VARCHAR, driver.MYSQL_TYPE_VAR_STRING:
		c.Length = int(meta)
		t.characters(&c, i, "varbinary", "varchar")
	case driver.MYSQL_TYPE_STRING:
		c.Length = int(meta & 0xFF)
		if meta >= 256 {
			c.Length |= (int(meta>>8)&0x30 ^ 0x30) << 4
		}
		t.characters(&c, i, "binary", "char")
	case driver.MYSQL_TYPE_BLOB:
		size := blobs[min(max(int(meta), 1), 4)]
		t.characters(&c, i, size, textNames[size])
	case driver.MYSQL_TYPE_ENUM:
		c.Type, c.Members = "enum", t.decoded(i, t.enums[i])
	case driver.MYSQL_TYPE_SET:
		c.Type, c.Members = "set", t.decoded(i, t.sets[i])
	case driver.MYSQL_TYPE_GEOMETRY:
		if c.Type = "geometry"; t.geometries[i] < uint64(len(shapes)) {
			c.Type = shapes[t.geometries[i]]
		}
	}
	return c
}

var textNames = map[string]string{"tinyblob": "tinytext", "blob": "text", "mediumblob": "mediumtext", "longblob": "longtext"}

// characters are those of a collation, or bytes where it is that of bytes or none is told.
func (t *told) characters(c *values.Column, i int, bytes, text string) {
	c.Type = bytes
	if charset := t.schemas.charsets[t.texts[i]]; charset != "" && charset != "binary" {
		c.Type, c.Charset = text, charset
	}
}

func (t *told) decoded(i int, members []string) []string {
	out := make([]string, len(members))
	for j := range members {
		out[j] = values.Decode(t.schemas.charsets[t.members[i]], members[j])
	}
	return out
}
