package sql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

var mysqlPlainTypes = map[data.Type]string{
	data.Boolean: "tinyint(1)", data.Int8: "tinyint", data.Int16: "smallint", data.Int32: "int", data.Int64: "bigint",
	data.Float32: "float", data.Float64: "double", data.String: "longtext", data.Bytes: "longblob",
	data.Array: "json", data.MapType: "json", data.StructType: "json",
}

// mysqlNamedTypes for schemas' names. Times have the microseconds that the servers keep at most.
var mysqlNamedTypes = map[string]string{
	data.DateName: "date", data.TimeName: "time(3)", data.TimestampName: "datetime(3)",
	types.DateName: "date", types.TimeName: "time(3)", types.MicroTimeName: "time(6)", types.NanoTimeName: "time(6)",
	types.TimestampName: "datetime(3)", types.MicroTimestampName: "datetime(6)", types.NanoTimestampName: "datetime(6)",
	types.ZonedTimestampName: "datetime(6)", types.JSONName: "json", types.UUIDName: "char(36)", types.EnumName: "varchar(255)",
	types.VariableScaleDecimalName: "decimal(65,30)", types.PointName: "point", types.GeometryName: "geometry", types.GeographyName: "geometry",
	types.YearName: "int",
}

// What MariaDB and MySQL take in a column's definition.
const (
	mysqlDigits = 65
	mysqlScale  = 30
	mysqlBits   = 64
	mysqlLength = 16383 // of varchar in four bytes
	mysqlChars  = 255
)

func (mySQL) natural(s *data.Schema) string {
	switch name := mysqlNamedTypes[s.Name]; {
	case s.Name == types.BitsName:
		text, _ := s.Parameter("length")
		if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= mysqlBits {
			return "bit(" + text + ")"
		}
		return "longtext"
	case s.Name == data.DecimalName:
		return mysqlDecimal(s)
	case name != "":
		return name
	case s.Type == data.String:
		return mysqlText(s)
	}
	return mysqlPlainTypes[s.Type]
}

func mysqlDecimal(s *data.Schema) string {
	digits, _ := s.Parameter("connect.decimal.precision")
	scale, _ := s.Parameter("scale")
	n, err := strconv.Atoi(scale)
	if err != nil || n < 0 || n > mysqlScale {
		return fmt.Sprintf("decimal(%d,%d)", mysqlDigits, mysqlScale)
	}
	if p, err := strconv.Atoi(digits); err == nil && p > 0 && p <= mysqlDigits && n <= p {
		return "decimal(" + digits + "," + scale + ")"
	}
	return fmt.Sprintf("decimal(%d,%d)", mysqlDigits, n)
}

func mysqlText(s *data.Schema) string {
	source, _ := s.Parameter(sourceType)
	length, _ := s.Parameter(sourceLength)
	n, err := strconv.Atoi(length)
	if err != nil || n <= 0 || n > mysqlLength {
		return "longtext"
	}
	switch strings.ToUpper(source) {
	case "VARCHAR", "CHARACTER VARYING", "VARCHAR2", "NVARCHAR":
		return "varchar(" + length + ")"
	case "CHAR", "CHARACTER", "BPCHAR", "NCHAR":
		if n <= mysqlChars {
			return "char(" + length + ")"
		}
	}
	return "longtext"
}

// mysqlKey is the type of a column in a key, which must have a length.
func mysqlKey(kind string) string {
	switch kind {
	case "longtext", "json":
		return "varchar(255)"
	case "longblob":
		return "varbinary(255)"
	}
	return kind
}

func backquote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (n tableName) backquoted() string {
	if n.schema == "" {
		return backquote(n.table)
	}
	return backquote(n.schema) + "." + backquote(n.table)
}

func (d mySQL) creation(c *change) string {
	var parts, names []string
	for _, f := range c.keys {
		parts = append(parts, backquote(f.name)+" "+mysqlKey(d.natural(f.schema))+" NOT NULL")
		names = append(names, backquote(f.name))
	}
	for _, f := range c.rest {
		text := d.columnText(f)
		if !f.schema.Optional {
			text += " NOT NULL"
		}
		parts = append(parts, text)
	}
	if len(names) > 0 {
		parts = append(parts, "PRIMARY KEY ("+strings.Join(names, ", ")+")")
	}
	return "CREATE TABLE IF NOT EXISTS " + c.table.backquoted() + " (" + strings.Join(parts, ", ") + ") CHARACTER SET utf8mb4"
}

// alterations are one for each column: MySQL cannot leave out those that another task has added.
func (d mySQL) alterations(name tableName, missing []field) []string {
	out := make([]string, len(missing))
	for i, f := range missing {
		out[i] = "ALTER TABLE " + name.backquoted() + " ADD COLUMN " + d.columnText(f)
		if !f.schema.Optional && f.schema.Default != nil {
			out[i] += " NOT NULL"
		}
	}
	return out
}

func (d mySQL) columnText(f field) string {
	kind := d.natural(f.schema)
	text := backquote(f.name) + " " + kind
	if f.schema.Default == nil {
		return text
	}
	base, _, _ := strings.Cut(kind, "(")
	value, err := d.encode(f.schema, f.schema.Default, columnType(base))
	switch {
	case err != nil || base == "point" || base == "geometry" || base == "bit":
		return text // records have their values anyway
	case base == "longblob":
		return text + fmt.Sprintf(" DEFAULT (X'%x')", value)
	}
	return text + " DEFAULT ('" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(string(value)) + "')"
}
