package sql

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// plan is what the records of one Put do, in batches that keep the order of a table's changes.
type plan struct {
	*settings
	batches []*batch
	open    map[tableName]*batch // the last batch of each table
}

// batch is changes of one table: rows that go first, then rows that are written. A row with a key
// is in each at most once where rows are upserted.
type batch struct {
	table    *table
	truncate bool
	removed  *rows
	written  *rows
}

// add a change, to the table's last batch where it fits in.
func (p *plan) add(target *table, c *change) error {
	b := p.open[c.table]
	if c.kind == truncate {
		p.start(c.table, &batch{table: target, truncate: true})
		return nil
	}
	one, err := newRows(target, c)
	if err != nil {
		return &refused{err}
	}
	if len(one.columns) == 0 {
		return nil // the table makes all of them itself
	}
	if b == nil || !p.fits(b, c.kind, one) {
		b = &batch{table: target}
		p.start(c.table, b)
	}
	if c.kind == remove {
		if b.written != nil {
			b.written.drop(one.key(0))
		}
		b.removed = b.removed.join(one, true)
		return nil
	}
	b.written = b.written.join(one, p.mode != modeInsert)
	return nil
}

func (p *plan) start(name tableName, b *batch) {
	p.batches = append(p.batches, b)
	p.open[name] = b
}

func (p *plan) fits(b *batch, k kind, one *rows) bool {
	if b.truncate || b.removed.len()+b.written.len() >= p.batch {
		return false
	}
	same, other := b.written, b.removed
	if k == remove {
		same, other = other, same
	}
	if same != nil && same.signature != one.signature {
		return false
	}
	return other == nil || p.mode == modeUpsert && other.keySignature == one.keySignature
}

// queue the statements.
func (b *batch) queue(all *pgx.Batch, mode string) {
	if b.truncate {
		all.Queue("TRUNCATE TABLE " + b.table.name.quoted())
	}
	if b.removed.len() > 0 {
		all.Queue(b.removed.deletion(b.table), b.removed.arguments()...)
	}
	if b.written.len() > 0 {
		if text := b.written.statement(b.table, mode); text != "" {
			all.Queue(text, b.written.arguments()...)
		}
	}
}

// rows of the same columns. The nil rows are none.
type rows struct {
	signature, keySignature string
	columns                 []target
	keys                    int
	all                     [][][]byte // values of the rows; nil is one that a later one replaced
	byKey                   map[string]int
	live                    int
}

// target is a column of a table, with the type that a record's values have by themselves.
type target struct {
	column
	own string
}

// newRows is one row.
func newRows(t *table, c *change) (*rows, error) {
	r := &rows{live: 1}
	values := make([][]byte, 0, len(c.keys)+len(c.rest))
	var signature strings.Builder
	add := func(f *field) error {
		to, _ := t.column(f.name)
		if to.generated {
			return nil
		}
		value, err := t.dialect.encode(f.schema, f.value, to.kind)
		if err != nil {
			return fieldError(f.name, err)
		}
		own := t.dialect.natural(f.schema)
		r.columns, values = append(r.columns, target{to, own}), append(values, value)
		signature.WriteString(f.name + "\x00" + own + "\x00" + string(to.kind) + "\x01")
		return nil
	}
	for i := range c.keys {
		if err := add(&c.keys[i]); err != nil {
			return nil, err
		}
	}
	r.keys, r.keySignature = len(r.columns), signature.String()
	for i := range c.rest {
		if err := add(&c.rest[i]); err != nil {
			return nil, err
		}
	}
	r.signature, r.all = signature.String(), [][][]byte{values}
	return r, nil
}

func (r *rows) len() int {
	if r == nil {
		return 0
	}
	return r.live
}

// key of a row, as a text that tells keys apart.
func (r *rows) key(i int) string {
	var b strings.Builder
	for _, value := range r.all[i][:r.keys] {
		for n := len(value); ; n >>= 7 {
			b.WriteByte(byte(n & 0x7f))
			if n < 0x80 {
				break
			}
		}
		b.WriteByte(0xff)
		b.Write(value)
	}
	return b.String()
}

// join another row of the same columns. Where rows are told apart by their key, it replaces the
// one with the same.
func (r *rows) join(one *rows, byKey bool) *rows {
	if r == nil {
		r = &rows{signature: one.signature, keySignature: one.keySignature, columns: one.columns, keys: one.keys, byKey: map[string]int{}}
	}
	if byKey && r.keys > 0 {
		key := one.key(0)
		r.drop(key)
		r.byKey[key] = len(r.all)
	}
	r.all = append(r.all, one.all[0])
	r.live++
	return r
}

func (r *rows) drop(key string) {
	if i, ok := r.byKey[key]; ok {
		r.all[i] = nil
		r.live--
		delete(r.byKey, key)
	}
}

// arguments are the columns' values, each column an array.
func (r *rows) arguments() []any {
	out := make([]any, len(r.columns))
	for c := range r.columns {
		values := make([][]byte, 0, r.live)
		for _, row := range r.all {
			if row != nil {
				values = append(values, row[c])
			}
		}
		out[c] = values
	}
	return out
}
