package debezium

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/pabal-dev/pabal/connect/data"
)

// mappers are the rules for columns, in order: the first that matches has a column.
type mappers []rule

type rule struct {
	matcher *Matcher
	// byType matches the name of the column's type instead of its own.
	byType bool
	mapper mapper
}

// of a column is nil where no rule has it.
func (all mappers) of(id TableID, c Column) mapper {
	for _, r := range all {
		name := c.Name
		if r.byType {
			name = c.TypeName
		}
		if r.matcher.Match(id.Column(name)) || id.Schema != "" && r.matcher.Match(TableID{Schema: id.Schema, Table: id.Table}.Column(name)) {
			return r.mapper
		}
	}
	return nil
}

// truncate cuts text and bytes after so many characters, as Java counts them.
type truncate int

func (n truncate) possible(c Column) bool { return c.Length < 0 || c.Length > int(n) }

func (n truncate) schema(c Column, s *data.Schema) {
	if n.possible(c) {
		setParameter(s, "truncateLength", strconv.Itoa(int(n)))
	}
}

func (n truncate) value(c Column) func(any) any {
	if !n.possible(c) {
		return nil
	}
	return n.cut
}

func (n truncate) cut(value any) any {
	switch v := value.(type) {
	case string:
		return cutText(v, int(n))
	case []byte:
		if len(v) > int(n) {
			return v[:n]
		}
	}
	return value
}

// cutText after n units of UTF-16. Half a surrogate pair is no text: it becomes a question mark,
// as Java writes it.
func cutText(text string, n int) string {
	units := 0
	for i, r := range text {
		width := utf16.RuneLen(r)
		if width < 0 {
			width = 1
		}
		if units+width > n {
			if units < n {
				return text[:i] + "?"
			}
			return text[:i]
		}
		units += width
	}
	return text
}

// mask puts the same text in the place of each value.
type mask string

func (m mask) schema(_ Column, s *data.Schema) { setParameter(s, "masked", "true") }

func (m mask) value(c Column) func(any) any {
	if !c.Text {
		return nil
	}
	var boxed any = string(m)
	return func(any) any { return boxed }
}

// propagate tells the column's type in the parameters of its schema.
type propagate struct{}

func (propagate) schema(c Column, s *data.Schema) {
	setParameter(s, "__debezium.source.column.type", strings.ToUpper(c.TypeName))
	if c.Length != Unset {
		setParameter(s, "__debezium.source.column.length", strconv.Itoa(c.Length))
	}
	if c.Scale != Unset {
		setParameter(s, "__debezium.source.column.scale", strconv.Itoa(c.Scale))
	}
	if c.Comment != "" {
		setParameter(s, "__debezium.source.column.comment", c.Comment)
	}
	setParameter(s, "__debezium.source.column.name", c.Name)
}

func (propagate) value(Column) func(any) any { return nil }
