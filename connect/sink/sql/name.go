package sql

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// tableName with its schema, as the database has them; an empty schema is the first of the search
// path that has the table.
type tableName struct{ schema, table string }

// quoted for SQL.
func (n tableName) quoted() string {
	if n.schema == "" {
		return quote(n.table)
	}
	return quote(n.schema) + "." + quote(n.table)
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func literal(text string) string {
	return "E'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", "''") + "'"
}

var sourceField = regexp.MustCompile(`\$\{source\.(.*?)\}`)

// errNoTable says that a record has no table on purpose: it is a tombstone, whose deletion told
// the table and came before it.
var errNoTable = errors.New("the record has no table")

// table of a record.
func (s *settings) table(r *plugin.SinkRecord) (tableName, error) {
	topic := r.Topic
	if s.underscores {
		topic = strings.ReplaceAll(topic, ".", "_")
	}
	name := strings.ReplaceAll(s.format, "${topic}", topic)
	if !strings.Contains(name, "${source.") {
		return s.parseName(name)
	}
	value, _ := r.Value.(*data.Struct)
	if value == nil {
		return tableName{}, errNoTable
	}
	source, _ := value.Get("source").(*data.Struct)
	missing := ""
	name = sourceField.ReplaceAllStringFunc(name, func(match string) string {
		key := sourceField.FindStringSubmatch(match)[1]
		text, ok := "", false
		if source != nil {
			text, ok = source.Get(key).(string)
		}
		if !ok {
			missing = key
		}
		return text
	})
	if missing != "" {
		return tableName{}, fmt.Errorf("the record has no source.%s, which collection.name.format asks for", missing)
	}
	return s.parseName(name)
}

// parseName splits at points that are not in quotes. What comes before schema and table is the
// database, which the connection has chosen already.
func (s *settings) parseName(name string) (tableName, error) {
	var parts []string
	var part strings.Builder
	quoted, wasQuoted := false, false
	end := func() {
		text := part.String()
		if !wasQuoted {
			text = s.fold(text)
		}
		parts, wasQuoted = append(parts, text), false
		part.Reset()
	}
	for _, r := range name {
		switch {
		case r == '"' || r == '`':
			quoted, wasQuoted = !quoted, true
		case r == '.' && !quoted:
			end()
		default:
			part.WriteRune(r)
		}
	}
	end()
	if n := len(parts); n > 3 || quoted || parts[n-1] == "" {
		return tableName{}, fmt.Errorf("%q is no name of a table: it is schema.table, or quoted where a name has points", name)
	}
	if n := len(parts); n > 1 {
		return tableName{parts[n-2], parts[n-1]}, nil
	}
	return tableName{table: parts[0]}, nil
}
