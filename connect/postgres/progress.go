package postgres

import (
	"encoding/json"
	"slices"
	"strings"
)

// progress of a snapshot: which tables are read, and up to which key others are. It does not
// change; with makes another one.
type progress struct {
	// done tables, by their names.
	done []string
	// active are tables read up to a row.
	active []*rowAt
	// anew are tables of which rows were read, and that are read from their first row on again.
	anew []string
	// tables are those of the snapshot, to compare keys.
	tables map[string]*snapshotTable
}

// rowAt is the last row of a table that was read.
type rowAt struct {
	table string
	// key is the primary key's columns, as COPY writes them; keyed says that there is one.
	key   string
	keyed bool
	// last says that the table ends with it.
	last bool
	// definition of the key, where it was read from an offset.
	definition []string
}

type progressJSON struct {
	Done   []string            `json:"done,omitempty"`
	Active map[string][]string `json:"active,omitempty"`
	Keys   map[string][]string `json:"keys,omitempty"`
	Anew   []string            `json:"anew,omitempty"`
}

func (p *progress) with(row *rowAt) *progress {
	if row == nil {
		return p
	}
	out := &progress{done: p.done, active: p.others(row.table), anew: p.anew, tables: p.tables}
	switch {
	case row.last:
		out.done = append(slices.Clone(p.done), row.table)
		out.anew = slices.DeleteFunc(slices.Clone(p.anew), func(name string) bool { return name == row.table })
	case row.keyed:
		out.active = append(out.active, row)
	default:
		out.anew = addText(p.anew, row.table)
	}
	return out
}

// restart a table: its rows are read again.
func (p *progress) restart(name string) *progress {
	return &progress{done: p.done, active: p.others(name), anew: addText(p.anew, name), tables: p.tables}
}

// others are the active tables but one.
func (p *progress) others(name string) (out []*rowAt) {
	for _, a := range p.active {
		if a.table != name {
			out = append(out, a)
		}
	}
	return out
}

// addText to a list that others have, too.
func addText(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(slices.Clone(all), one)
}

func (p *progress) encode(row *rowAt) string {
	p = p.with(row)
	j := progressJSON{Done: p.done, Anew: p.anew}
	if len(p.active) > 0 {
		j.Active, j.Keys = map[string][]string{}, map[string][]string{}
	}
	for _, a := range p.active {
		j.Active[a.table] = keyOf(a.key)
		if j.Keys[a.table] = a.definition; p.tables[a.table] != nil {
			j.Keys[a.table] = p.tables[a.table].definition()
		}
	}
	b, err := json.Marshal(j)
	if err != nil { // of strings
		return "{}"
	}
	return string(b)
}

func decodeProgress(text string) (*progress, error) {
	var j progressJSON
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return nil, err
	}
	p := &progress{done: j.Done, anew: j.Anew}
	for name, key := range j.Active {
		p.active = append(p.active, &rowAt{table: name, key: joinKey(key), keyed: true, definition: j.Keys[name]})
	}
	return p, nil
}

// begun says whether rows of a table were read.
func (p *progress) begun(name string) bool {
	return p.whole(name) || p.row(name) != nil || slices.Contains(p.anew, name)
}

// empty says that no rows were read.
func (p *progress) empty() bool { return len(p.done)+len(p.active)+len(p.anew) == 0 }

func (p *progress) whole(name string) bool { return slices.Contains(p.done, name) }

// row is the last one read of a table that is not read whole; nil is none.
func (p *progress) row(name string) *rowAt {
	for _, a := range p.active {
		if a.table == name {
			return a
		}
	}
	return nil
}

// keyOf the columns of a key that COPY wrote.
func keyOf(key string) []string {
	parts := strings.Split(key, "\t")
	for i := range parts {
		parts[i] = string(unescape([]byte(parts[i])))
	}
	return parts
}

var escapes = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

func joinKey(parts []string) string {
	out := make([]string, len(parts))
	for i := range parts {
		out[i] = escapes.Replace(parts[i])
	}
	return strings.Join(out, "\t")
}
