package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// progress of a snapshot: which tables are read, and up to which key others are. It does not
// change; with makes another one.
type progress struct {
	// done tables, by their names.
	done []string
	// active are tables read up to a row.
	active []*rowAt
	// tables are those of the snapshot, to compare keys.
	tables map[string]*snapshotTable
}

// rowAt is the last row of a table that was read.
type rowAt struct {
	table string
	// key is the primary key's columns, as COPY writes them; "" where the table has no order.
	key string
	// last says that the table ends with it.
	last bool
}

type progressJSON struct {
	Done   []string            `json:"done,omitempty"`
	Active map[string][]string `json:"active,omitempty"`
}

func (p *progress) with(row *rowAt) *progress {
	if row == nil {
		return p
	}
	out := &progress{done: p.done, tables: p.tables}
	for _, a := range p.active {
		if a.table != row.table {
			out.active = append(out.active, a)
		}
	}
	switch {
	case row.last:
		out.done = append(slices.Clone(p.done), row.table)
	case row.key != "":
		out.active = append(out.active, row)
	}
	return out
}

func (p *progress) encode(row *rowAt) string {
	p = p.with(row)
	j := progressJSON{Done: p.done}
	for _, a := range p.active {
		if j.Active == nil {
			j.Active = map[string][]string{}
		}
		j.Active[a.table] = keyOf(a.key)
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
	p := &progress{done: j.Done}
	for name, key := range j.Active {
		p.active = append(p.active, &rowAt{table: name, key: joinKey(key)})
	}
	return p, nil
}

// begun says whether rows of a table were read.
func (p *progress) begun(name string) bool { return p.whole(name) || p.row(name) != nil }

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

// cut a change to what a consumer knows of: rows that were read. keep is false where it is none.
func (p *progress) cut(ctx context.Context, r *run, t *table, c *debezium.Change) (keep bool, err error) {
	name := t.ID.String()
	if p.whole(name) {
		return true, nil
	}
	row := p.row(name)
	if row == nil {
		return false, nil
	}
	oldRow := c.Before
	if oldRow == nil {
		oldRow = c.After // an update that leaves the key as it is, or an insert
	}
	before, err := p.read(ctx, r, t, row, oldRow)
	if err != nil {
		return false, err
	}
	if c.Op != debezium.Update || c.Before == nil {
		return before, nil
	}
	after, err := p.read(ctx, r, t, row, c.After)
	switch {
	case err != nil || !before && !after:
		return false, err
	case before && !after: // it moved to where it will be read
		c.Op, c.After = debezium.Delete, nil
	case after && !before:
		c.Op, c.Before = debezium.Create, nil
	}
	return true, nil
}

// read says whether a row comes not after the last one read, in the order of its primary key, which
// the database knows.
func (p *progress) read(ctx context.Context, r *run, t *table, last *rowAt, row []any) (bool, error) {
	st := p.tables[last.table]
	if st == nil || len(st.key) == 0 {
		return false, nil
	}
	key, ok := plainKey(t, st, row)
	if !ok {
		return false, fmt.Errorf("the snapshot of %s was interrupted, and its primary key's order cannot be told: delete the connector's offsets to begin anew", last.table)
	}
	if a, ok := row[t.key[0]].(int64); ok && len(st.key) == 1 {
		return a <= parseInt(last.key), nil
	}
	if a, ok := row[t.key[0]].(int32); ok && len(st.key) == 1 {
		return int64(a) <= parseInt(last.key), nil
	}
	var before bool
	err := r.db.QueryRow(ctx, "SELECT "+st.literal(key)+" <= "+st.literal(keyOf(last.key))).Scan(&before)
	return before, err
}

// plainKey is a row's primary key as text, where its values are such.
func plainKey(t *table, st *snapshotTable, row []any) ([]string, bool) {
	if len(t.key) != len(st.key) {
		return nil, false
	}
	var out []string
	for _, i := range t.key {
		switch v := row[i].(type) {
		case string:
			out = append(out, v)
		case int16, int32, int64, bool:
			out = append(out, fmt.Sprint(v))
		default:
			text, ok := st.text(t, i, v)
			if !ok {
				return nil, false
			}
			out = append(out, text)
		}
	}
	return out, true
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
