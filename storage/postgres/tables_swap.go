package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

var (
	tablesNames  = statementFile("tables_names")
	tablesAdopt  = statementFile("tables_adopt")
	tablesBehind = statementFile("tables_behind")
)

// SwapTables is described at projection.Tables. The tables that were live are
// dropped. Statements that use them are waited for; new ones wait meanwhile, at
// most for swapPatience, then the swap gives up with a transient error.
func (db *DB) SwapTables(ctx context.Context, tables []string, suffix, live, rebuild string) error {
	pairs, err := db.pairs(tables, suffix)
	if err != nil {
		return err
	}
	swap := func(tx pgx.Tx) error {
		if err := db.adopt(ctx, tx, live, rebuild); err != nil {
			return err
		}
		if err := run(ctx, tx, "SET LOCAL lock_timeout = "+strconv.FormatInt(swapPatience.Milliseconds(), 10)); err != nil {
			return err
		}
		for _, p := range pairs {
			if err := db.swapTable(ctx, tx, p); err != nil {
				return fmt.Errorf("table %s: %w", p.name, err)
			}
		}
		return nil
	}
	err = db.repeat(ctx, func() error { return db.onProjections(ctx, live, rebuild, swap) })
	if err != nil {
		return fmt.Errorf("swap the tables of projection %s: %w", live, err)
	}
	return nil
}

// swapPatience is how long users of a table are waited for.
const swapPatience = 5 * time.Second

// onProjections is onProjection for two, and waits for the transactions of all
// their workers.
func (db *DB) onProjections(ctx context.Context, one, other string, change func(pgx.Tx) error) error {
	names := []string{one, other}
	slices.Sort(names)
	return db.onProjection(ctx, names[0], func(tx pgx.Tx) error {
		if err := db.lockProjection(ctx, tx, names[1]); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := db.lockRanges(ctx, tx, name, journal.AllSlices()); err != nil {
				return err
			}
		}
		return change(tx)
	})
}

// adopt gives the live projection the offsets of the rebuild, with new epochs.
func (db *DB) adopt(ctx context.Context, tx pgx.Tx, live, rebuild string) error {
	if err := db.checkAhead(ctx, tx, live, rebuild); err != nil {
		return err
	}
	if _, _, err := db.clear(ctx, tx, live); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, db.names.sql(tablesAdopt), live, rebuild); err != nil {
		return failed("move the offsets", err)
	}
	if _, err := tx.Exec(ctx, db.names.sql(projectionForget), rebuild); err != nil {
		return failed("forget the rebuild", err)
	}
	return nil
}

// swapTable drops a table and gives its name, and those of what belonged to it, to
// the copy.
func (db *DB) swapTable(ctx context.Context, tx pgx.Tx, p pair) error {
	for _, table := range []string{p.live, p.copy} {
		if err := db.refuse(ctx, tx, table); err != nil {
			return err
		}
	}
	names, err := db.sharedNames(ctx, tx, p)
	if err != nil {
		return err
	}
	if err := db.runAll(ctx, tx, tablesOwned, p.live, p.copy); err != nil {
		return err
	}
	if err := run(ctx, tx, "DROP TABLE "+p.live); err != nil {
		return err
	}
	names = append(names, shared{"TABLE", p.table, p.copied})
	for _, n := range names {
		statement := fmt.Sprintf("ALTER %s %s RENAME TO %s", n.kind,
			pgx.Identifier{p.schema, n.copy}.Sanitize(), pgx.Identifier{n.live}.Sanitize())
		if err := run(ctx, tx, statement); err != nil {
			return err
		}
	}
	return nil
}

// shared is a name that belongs to a table, and that of its like of the copy.
type shared struct{ kind, live, copy string }

// sharedNames refuses a copy that does not have what the table has.
func (db *DB) sharedNames(ctx context.Context, tx pgx.Tx, p pair) ([]shared, error) {
	rows, err := tx.Query(ctx, db.names.sql(tablesNames), p.live, p.copy)
	if err != nil {
		return nil, failed("look at the table", err)
	}
	names, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s shared, err error) {
		err = row.Scan(&s.kind, &s.live, &s.copy)
		return s, err
	})
	if err != nil {
		return nil, failed("look at the table", err)
	}
	for _, n := range names {
		if n.live == "" || n.copy == "" {
			return nil, fmt.Errorf("postgres: the table and its copy differ in the %s %s%s: rebuild once more", n.kind, n.live, n.copy)
		}
	}
	return names, nil
}

// checkAhead is projection.ErrBehind unless the rebuild has handled whatever the
// live one has.
func (db *DB) checkAhead(ctx context.Context, tx pgx.Tx, live, rebuild string) error {
	ranges, err := db.queryRanges(ctx, tx, projectionRangesOf, rebuild)
	if err != nil {
		return err
	}
	u, err := db.unreadOf(ctx, tx, ranges)
	if err != nil {
		return err
	}
	var id string
	var seqNr int64
	err = tx.QueryRow(ctx, db.names.sql(tablesBehind), live, rebuild, u.xid, u.open,
		u.before.Time, u.before.PersistenceID, u.before.SeqNr, u.from).Scan(&id, &seqNr)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return failed("compare the offsets", err)
	}
	return fmt.Errorf("%w: %s up to sequence number %d", projection.ErrBehind, id, seqNr)
}
