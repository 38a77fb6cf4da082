package debezium

import "strings"

// TableID names a table or a collection. Parts that a database does not have are "": PostgreSQL's
// tables have no Catalog here, MariaDB's and MongoDB's no Schema.
type TableID struct{ Catalog, Schema, Table string }

// String joins the parts with points.
func (t TableID) String() string { return t.join(t.Table) }

// Column is the full name of one of the table's columns.
func (t TableID) Column(name string) string { return t.join(t.Table + "." + name) }

func (t TableID) join(rest string) string {
	switch {
	case t.Catalog == "" && t.Schema == "":
		return rest
	case t.Catalog == "":
		return t.Schema + "." + rest
	case t.Schema == "":
		return t.Catalog + "." + rest
	}
	return t.Catalog + "." + t.Schema + "." + rest
}

// ParseTableID reads one to three parts with points between them; parts in quotes or
// backticks may contain points. Of two parts the first is the catalog, or the schema
// where catalogFirst is false. ok is false for anything else.
func ParseTableID(text string, catalogFirst bool) (id TableID, ok bool) {
	parts, ok := splitName(text)
	if !ok {
		return TableID{}, false
	}
	switch len(parts) {
	case 1:
		return TableID{Table: parts[0]}, true
	case 2:
		if catalogFirst {
			return TableID{Catalog: parts[0], Table: parts[1]}, true
		}
		return TableID{Schema: parts[0], Table: parts[1]}, true
	case 3:
		return TableID{parts[0], parts[1], parts[2]}, true
	}
	return TableID{}, false
}

// quotes that parts may be within.
var quotes = map[byte]bool{'"': true, '`': true, '\'': true}

// splitName at points outside of quotes. A doubled quote stands for itself.
func splitName(text string) (parts []string, ok bool) {
	for rest := strings.TrimSpace(text); ; {
		var part string
		if part, rest, ok = nextPart(rest); !ok || part == "" {
			return nil, false
		}
		parts = append(parts, part)
		if rest == "" {
			return parts, true
		}
		rest = rest[1:] // the point
	}
}

func nextPart(text string) (part, rest string, ok bool) {
	if text == "" {
		return "", "", false
	}
	end := text[0]
	if !quotes[end] {
		if i := strings.IndexByte(text, '.'); i >= 0 {
			return text[:i], text[i:], true
		}
		return text, "", true
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != end:
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == end:
			b.WriteByte(end)
			i++
		default:
			rest = text[i+1:]
			return b.String(), rest, rest == "" || rest[0] == '.'
		}
	}
	return "", "", false
}
