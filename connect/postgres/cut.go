package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// cut a change to what a consumer knows of: rows that were read. keep is false where it is none. Of
// a table that is read anew all deletions are kept, as the rows may have been read the first time.
func (p *progress) cut(ctx context.Context, r *run, t *table, c *debezium.Change, sent *pgoutput.Change) (keep bool, err error) {
	name := t.ID.String()
	if p.whole(name) {
		return true, nil
	}
	row, st, anew := p.row(name), p.tables[name], slices.Contains(p.anew, name)
	switch {
	case anew && c.Op == debezium.Delete:
		return true, nil
	case row == nil && !anew || st == nil:
		return false, nil
	case len(st.key) == 0: // it is read anew
		return false, nil
	}
	oldKey, newKey, err := st.keysOf(t, c.Op, sent)
	if err != nil {
		return false, err
	}
	moved := c.Op == debezium.Update && !slices.Equal(oldKey, newKey)
	var before, after bool
	if row != nil {
		if before, err = p.read(ctx, r, st, row, oldKey); err != nil {
			return false, err
		}
	}
	if !moved {
		return before, nil
	}
	if row != nil {
		if after, err = p.read(ctx, r, st, row, newKey); err != nil {
			return false, err
		}
	}
	before = before || anew
	switch {
	case !before && !after:
		return false, nil
	case before && !after: // it moved to where it will be read
		c.Op, c.After = debezium.Delete, nil
	case after && !before:
		c.Op, c.Before = debezium.Create, nil
	}
	return true, nil
}

// read says whether a row comes not after the last one read, in the order of its primary key, which
// the database knows.
func (*progress) read(ctx context.Context, r *run, st *snapshotTable, last *rowAt, key []string) (bool, error) {
	if len(key) == 1 && slices.Contains(wholeNumbers, st.types[0]) {
		return parseInt(key[0]) <= parseInt(last.key), nil
	}
	var before bool
	err := r.db.QueryRow(ctx, "SELECT "+st.literal(key)+" <= "+st.literal(keyOf(last.key))).Scan(&before)
	if err != nil {
		return false, fmt.Errorf("compare keys of %s, whose snapshot was interrupted: %w", last.table, err)
	}
	return before, nil
}

// wholeNumbers are types whose order we know, too.
var wholeNumbers = []string{`"pg_catalog"."int2"`, `"pg_catalog"."int4"`, `"pg_catalog"."int8"`}

// keysOf a change: the primary key's columns before and after, as the server sent them, which is as
// COPY writes them. They are the same where it does not say that the key changed.
func (t *snapshotTable) keysOf(of *table, op debezium.Op, sent *pgoutput.Change) (before, after []string, err error) {
	for _, name := range t.keyNames {
		i := slices.IndexFunc(of.columns, func(c column) bool { return c.name == name })
		if i < 0 {
			return nil, nil, t.unknownKey(name)
		}
		told := sent.OldKind == 'O' || sent.OldKind == 'K' && of.columns[i].identity
		oldText, isOld := textAt(sent.Old, i)
		newText, isNew := textAt(sent.New, i)
		if op != debezium.Delete && !isNew && told && isOld {
			newText, isNew = oldText, true // it was not sent, as it is large and did not change
		}
		if !told {
			oldText, isOld = newText, isNew
		}
		if !isOld || op != debezium.Delete && !isNew {
			return nil, nil, t.unknownKey(name)
		}
		before, after = append(before, oldText), append(after, newText)
	}
	return before, after, nil
}

func textAt(sent []pgoutput.Value, i int) (string, bool) {
	if i >= len(sent) || sent[i].Kind != 't' {
		return "", false
	}
	return string(sent[i].Data), true
}

func (t *snapshotTable) unknownKey(column string) error {
	return fmt.Errorf("the snapshot of %s was interrupted, and the server does not tell the column %s of its primary key, as the table was altered since: delete the connector's offsets to begin anew", t.ID, column)
}

// resume decides of each table that was read in part whether its rows can be told from those that
// are still to be read. Where they cannot, the table is read from its first row on.
func (n *snapshotRun) resume(ctx context.Context) error {
	for _, a := range n.progress.active {
		st := n.progress.tables[a.table]
		if st == nil {
			continue // it was dropped, or is not captured any more
		}
		why, err := n.unresumable(ctx, st, a)
		if err != nil {
			return err
		}
		if why != "" {
			n.log.Warn("postgres: the snapshot of a table was interrupted and begins anew, as "+why, "table", a.table)
			n.progress = n.progress.restart(a.table)
		}
	}
	for _, name := range n.progress.anew {
		if st := n.progress.tables[name]; st != nil && len(st.key) == 0 {
			n.log.Warn("postgres: the snapshot of a table was interrupted and begins anew, as it has no primary key", "table", name)
		}
	}
	return nil
}

// unresumable says why a table cannot be read on from where it was left off; "" where it can.
func (n *snapshotRun) unresumable(ctx context.Context, st *snapshotTable, a *rowAt) (why string, err error) {
	if !slices.Equal(st.definition(), a.definition) {
		return "its primary key was " + strings.Join(a.definition, ", ") + " and is " + strings.Join(st.definition(), ", "), nil
	}
	if st.replica != 'i' || n.blocking != nil { // whose stream shows all changes meanwhile
		return "", nil
	}
	identity, err := catalog.IdentityIndex(ctx, n.db, st.oid)
	if err != nil {
		return "", err
	}
	for _, name := range st.keyNames {
		if !slices.Contains(identity, name) {
			return "its replica identity does not tell the primary key", nil
		}
	}
	return "", nil
}
