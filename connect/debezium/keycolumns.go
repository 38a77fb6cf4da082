package debezium

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// keyColumns are message.key.columns: one matcher per column named.
type keyColumns []*Matcher

var keyColumnsPattern = regexp.MustCompile(`^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$`)

// readKeyColumns of "table:column,column;table:column", where tables and columns are regular
// expressions.
func readKeyColumns(text string) (keyColumns, error) {
	var out keyColumns
	if text == "" {
		return nil, nil
	}
	for _, entry := range strings.Split(strings.TrimRight(text, ";"), ";") {
		if !keyColumnsPattern.MatchString(entry) {
			return nil, fmt.Errorf("%s has an invalid format (expecting '%s')", entry, keyColumnsPattern)
		}
		table, columns, _ := strings.Cut(entry, ":")
		for _, column := range strings.Split(columns, ",") {
			m, err := ParseMatcher(table + "." + strings.TrimSpace(column))
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// of a table are the places of its key's columns: those configured, else its primary key's.
func (k keyColumns) of(id TableID, columns []Column, primary []string) []int {
	var out []int
	for _, m := range k {
		for i, c := range columns {
			if m.Match(id.Column(c.Name)) || id.Schema != "" && m.Match(TableID{Schema: id.Schema, Table: id.Table}.Column(c.Name)) {
				out = append(out, i)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, name := range primary {
		if i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == name }); i >= 0 {
			out = append(out, i)
		}
	}
	return out
}
