// Package values are the types of columns of MariaDB and MySQL: their schemas as Debezium has them,
// and how values of the binary log and of queries are written in them.
package values

import (
	"strconv"
	"strings"
)

// Unset is a length or scale that was not declared.
const Unset = -1

// Column as it is declared.
type Column struct {
	Name string
	// Type in lower case and without what follows it, such as "int" or "varchar".
	Type     string
	Unsigned bool
	// Length is that of characters or bytes, the digits of a number, or of a second's fraction.
	Length, Scale int
	// Members of an enum or a set.
	Members []string
	// Charset of texts; "" is that of bytes.
	Charset string
	NotNull bool
	// Default is the literal's value; nil is none. Computed ones are expressions.
	Default           *string
	Computed          bool
	Generated, Serial bool
	Comment           string
}

// ParseType reads a type as information_schema writes it, such as "decimal(10,2) unsigned".
func ParseType(text string) (c Column) {
	c.Length, c.Scale = Unset, Unset
	rest := strings.TrimSpace(text)
	end := strings.IndexAny(rest, "( ")
	if end < 0 {
		c.Type = strings.ToLower(rest)
		return c
	}
	c.Type = strings.ToLower(rest[:end])
	if rest = rest[end:]; rest[0] == '(' {
		rest = c.arguments(rest[1:])
	}
	c.Unsigned = strings.Contains(rest, "unsigned")
	return c
}

// arguments of a type; what follows them is returned.
func (c *Column) arguments(rest string) string {
	for first := true; rest != ""; first = false {
		switch rest[0] {
		case ')':
			return rest[1:]
		case ',', ' ':
			rest = rest[1:]
		case '\'':
			var member string
			member, rest = quoted(rest[1:])
			c.Members = append(c.Members, member)
		default:
			end := strings.IndexAny(rest, ",)")
			if end < 0 {
				return ""
			}
			n, err := strconv.Atoi(strings.TrimSpace(rest[:end]))
			if err == nil && first {
				c.Length = n
			} else if err == nil {
				c.Scale = n
			}
			rest = rest[end:]
		}
	}
	return ""
}

// quoted text up to its end, where two quotes are one.
func quoted(rest string) (text, after string) {
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		if rest[i] != '\'' {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 == len(rest) || rest[i+1] != '\'' {
			return b.String(), rest[i+1:]
		}
		b.WriteByte('\'')
		i++
	}
	return b.String(), ""
}

// TypeName as Debezium has it, such as "INT UNSIGNED".
func (c *Column) TypeName() string {
	name := strings.ToUpper(c.Type)
	if c.Unsigned {
		name += " UNSIGNED"
	}
	return name
}

// Text says whether values are of characters.
func (c *Column) Text() bool {
	switch c.Type {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return true
	}
	return false
}
