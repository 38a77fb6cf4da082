package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ownMigrations is the name our own are recorded under.
const ownMigrations = "pabal"

func ownFiles() fs.FS {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic("postgres: " + err.Error())
	}
	return files
}

// Migrate applies the numbered .sql files of a folder ("0001_orders.sql") that
// were not applied yet under that name, in order, each in a transaction, one
// process at a time; unqualified names are in the schema. A file that changed
// after it was applied is an error. The name "pabal" is ours.
func (db *DB) Migrate(ctx context.Context, name string, files fs.FS) error {
	if name == ownMigrations || name == "" {
		return fmt.Errorf("postgres: migrations cannot be named %q", name)
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return failed("migrate "+name, err)
	}
	defer conn.Release()
	return migrate(ctx, conn.Conn(), db.names, db.schema, name, files)
}

type migration struct {
	version        int64
	file, sum, sql string
}

func migrate(ctx context.Context, conn *pgx.Conn, n *names, schema, name string, files fs.FS) error {
	all, err := readMigrations(name, files)
	if err != nil {
		return err
	}
	for _, m := range all {
		if name == ownMigrations {
			m.sql = n.render(m.sql)
		}
		if err := applyOnce(ctx, conn, n, schema, name, m); err != nil {
			return failed("migration "+name+"/"+m.file, err)
		}
	}
	return nil
}

// readMigrations checks every file before the first is applied.
func readMigrations(name string, files fs.FS) ([]migration, error) {
	found, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, file := range found {
		number, _, ok := strings.Cut(path.Base(file), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || version < 1 {
			return nil, fmt.Errorf("postgres: migration %s/%s: the name must begin with a number and an underscore, like 0001_%s", name, file, file)
		}
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, fmt.Errorf("postgres: migration %s/%s: %w", name, file, err)
		}
		sql := strings.ReplaceAll(string(text), "\r\n", "\n") // checkouts differ
		sum := sha256.Sum256([]byte(sql))
		all = append(all, migration{version, file, hex.EncodeToString(sum[:]), sql})
	}
	slices.SortFunc(all, func(a, b migration) int { return int(a.version - b.version) })
	for i := 1; i < len(all); i++ {
		if all[i].version == all[i-1].version {
			return nil, fmt.Errorf("postgres: migrations %s: %s and %s have the same number", name, all[i-1].file, all[i].file)
		}
	}
	return all, nil
}

// applyOnce looks without the lock first: usually there is nothing to do, and
// no right to change tables is needed.
func applyOnce(ctx context.Context, conn *pgx.Conn, n *names, schema, name string, m migration) error {
	done, err := applied(ctx, conn, n, name, m)
	if done || err != nil {
		return err
	}
	return locked(ctx, conn, schema, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, n.render(`CREATE TABLE IF NOT EXISTS @pabal_migration (
			name text, version bigint, file text NOT NULL, checksum text NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, version))`)); err != nil {
			return err
		}
		if done, err := applied(ctx, tx, n, name, m); done || err != nil {
			return err
		}
		// The simple protocol takes several statements.
		if _, err := tx.Exec(ctx, m.sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		if tx.Conn().PgConn().TxStatus() != 'T' {
			return errors.New("the file ends its transaction: leave out BEGIN, COMMIT and ROLLBACK")
		}
		_, err := tx.Exec(ctx, n.render("INSERT INTO @pabal_migration (name, version, file, checksum) VALUES ($1, $2, $3, $4)"),
			name, m.version, m.file, m.sum)
		return err
	})
}

func applied(ctx context.Context, conn pgxConn, n *names, name string, m migration) (bool, error) {
	var there bool
	if err := conn.QueryRow(ctx, n.render("SELECT to_regclass(@'pabal_migration') IS NOT NULL")).Scan(&there); err != nil || !there {
		return false, err
	}
	var sum string
	err := conn.QueryRow(ctx, n.render("SELECT checksum FROM @pabal_migration WHERE name = $1 AND version = $2"),
		name, m.version).Scan(&sum)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err == nil && sum != m.sum:
		return false, fmt.Errorf("it was changed after it was applied: restore it and write the change as a new file")
	}
	return err == nil, err
}

// locked runs fn in a transaction, one process at a time for that subject.
func locked(ctx context.Context, conn *pgx.Conn, subject string, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockKey("migrate", subject)); err != nil {
			return err
		}
		return fn(tx)
	})
}

// lockKey is a number for an advisory lock; two subjects that share one only
// wait for each other.
func lockKey(parts ...string) int64 {
	h := fnv.New64a()
	for _, part := range append([]string{"pabal"}, parts...) {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return int64(h.Sum64())
}
