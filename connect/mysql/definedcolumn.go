package mysql

import (
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/mysql/internal/values"
)

// Numbers of java.sql.Types.
const (
	jdbcBit, jdbcSmallint, jdbcInteger, jdbcBigint             = -7, 5, 4, -5
	jdbcFloat, jdbcDouble, jdbcDecimal                         = 6, 8, 3
	jdbcChar, jdbcVarchar, jdbcBinary, jdbcVarbinary, jdbcBlob = 1, 12, -2, -3, 2004
	jdbcDate, jdbcTime, jdbcTimestamp, jdbcTimestampWithZone   = 91, 92, 93, 2014
	jdbcOther                                                  = 1111
)

var jdbcTypes = map[string]int{
	"bit": jdbcBit, "tinyint": jdbcSmallint, "smallint": jdbcSmallint, "mediumint": jdbcInteger, "int": jdbcInteger, "bigint": jdbcBigint,
	"float": jdbcFloat, "double": jdbcDouble, "decimal": jdbcDecimal, "year": jdbcInteger,
	"char": jdbcChar, "varchar": jdbcVarchar, "tinytext": jdbcVarchar, "text": jdbcVarchar, "mediumtext": jdbcVarchar, "longtext": jdbcVarchar,
	"enum": jdbcChar, "set": jdbcChar, "binary": jdbcBinary, "varbinary": jdbcVarbinary,
	"tinyblob": jdbcBlob, "blob": jdbcBlob, "mediumblob": jdbcBlob, "longblob": jdbcBlob,
	"date": jdbcDate, "time": jdbcTime, "datetime": jdbcTimestamp, "timestamp": jdbcTimestampWithZone,
}

// columnDefinition has the type's number of java.sql.Types, as Debezium's parser of statements has it.
func columnDefinition(c *values.Column, comments bool) debezium.ColumnDefinition {
	jdbc, known := jdbcTypes[c.Type]
	if !known {
		jdbc = jdbcOther
	}
	out := debezium.ColumnDefinition{
		Name: c.Name, JDBCType: jdbc, NativeType: debezium.Unset, TypeName: c.TypeName(), TypeExpression: c.TypeName(),
		Length: c.Length, Scale: c.Scale, Optional: !c.NotNull, AutoIncremented: c.Serial, Computed: c.Serial,
		EnumValues: quotedMembers(c.Members),
	}
	switch {
	case c.Type == "enum":
		out.Length = 1
	case c.Type == "set":
		out.Length = max(0, 2*len(c.Members)-1)
	}
	if c.Text() || c.Type == "enum" || c.Type == "set" {
		out.Charset = c.Charset
	}
	if comments {
		out.Comment = c.Comment
	}
	if !c.Generated {
		out.Default = defaultExpression(c)
	}
	return out
}

// epoch is what Debezium has for a default that is the present time.
var epoch = "1970-01-01 00:00:00"

func defaultExpression(c *values.Column) *string {
	switch {
	case c.Default == nil:
		return nil
	case c.Computed && strings.HasPrefix(strings.ToLower(*c.Default), "current_timestamp"):
		return &epoch
	case c.Type == "bit":
		if n, err := strconv.ParseUint(*c.Default, 10, 64); err == nil {
			bits := strconv.FormatUint(n, 2)
			return &bits
		}
	}
	return c.Default
}

func quotedMembers(members []string) (out []string) {
	for _, m := range members {
		out = append(out, "'"+strings.ReplaceAll(m, "'", "''")+"'")
	}
	return out
}
