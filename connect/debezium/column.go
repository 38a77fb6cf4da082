package debezium

import "github.com/pabal-dev/pabal/connect/data"

// Unset is the Length or Scale of a column that has none.
const Unset = -1

// Column of a table, as the connector found it.
type Column struct {
	Name string
	// Schema of its values with its comment and default; optional where they may be null. A nil
	// Schema leaves the column out: there is no type for it.
	Schema *data.Schema
	// TypeName is the database's, such as "varchar".
	TypeName string
	// Length and Scale are those of the declared type, Unset where there is none.
	Length, Scale int
	// Text columns are those of character types, which can be masked.
	Text bool
	// Comment in the database; "" is none.
	Comment string
}

// mapper changes a column on its way into values; keys have it as it is.
type mapper interface {
	// schema may add parameters to a copy.
	schema(c Column, s *data.Schema)
	// value is what to put in a value's place; nil leaves it.
	value(c Column) func(any) any
}

func mapped(c Column, m mapper) *data.Schema {
	if m == nil {
		return c.Schema
	}
	s := *c.Schema
	s.Parameters = append([]data.Parameter(nil), s.Parameters...)
	m.schema(c, &s)
	return &s
}

func setParameter(s *data.Schema, name, value string) {
	for i := range s.Parameters {
		if s.Parameters[i].Name == name {
			s.Parameters[i].Value = value
			return
		}
	}
	s.Parameters = append(s.Parameters, data.Parameter{Name: name, Value: value})
}
