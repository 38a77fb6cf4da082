package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var embedded embed.FS

func migrations() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

const createMigrationTable = `CREATE TABLE IF NOT EXISTS pabal_migration (
	name TEXT NOT NULL, file TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (name, file)
) WITHOUT ROWID`

// Migrate implements storage.Backend. The files must not begin or end
// transactions.
func (db *DB) Migrate(ctx context.Context, name string, files fs.FS) error {
	list, err := readMigrations(files)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", name, err)
	}
	for _, m := range list {
		if err := db.Update(ctx, func(tx *Tx) error { return tx.migrate(ctx, name, m) }); err != nil {
			return fmt.Errorf("migrate %s: file %s: %w", name, m.file, err)
		}
	}
	return nil
}

// migration is one numbered file.
type migration struct {
	number     int64
	file, text string
	checksum   string
}

// migrate applies a file unless it was applied. The transaction keeps other
// processes out meanwhile.
func (tx *Tx) migrate(ctx context.Context, name string, m migration) error {
	if _, err := tx.Exec(ctx, createMigrationTable); err != nil {
		return err
	}
	var before string
	err := tx.QueryRow(ctx, "SELECT checksum FROM pabal_migration WHERE name = $1 AND file = $2", name, m.file).Scan(&before)
	switch {
	case err == nil && before == m.checksum:
		return nil
	case err == nil:
		return errors.New("it changed after it was applied; put the change into a new file with a higher number")
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if err := tx.script(ctx, m.text); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO pabal_migration (name, file, checksum, applied_at) VALUES ($1, $2, $3, $4)",
		name, m.file, m.checksum, time.Now().UnixMicro())
	return err
}

func (tx *Tx) script(ctx context.Context, text string) error {
	c, ok := tx.on.(*conn)
	if !ok {
		return errors.New("migrations need a transaction of Update")
	}
	if _, err := tx.begin(ctx); err != nil {
		return err
	}
	if err := c.script(context.Background(), text); err != nil {
		return tx.failed(err)
	}
	return nil
}

// readMigrations returns the .sql files of the folder by number.
func readMigrations(files fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var list []migration
	for _, entry := range entries {
		if entry.IsDir() || path.Ext(entry.Name()) != ".sql" {
			continue
		}
		m, err := readMigration(files, entry.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b migration) int { return int(max(-1, min(1, a.number-b.number))) })
	for i := 1; i < len(list); i++ {
		if list[i].number == list[i-1].number {
			return nil, fmt.Errorf("files %s and %s have the same number", list[i-1].file, list[i].file)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("the folder has no .sql files; their names are like 0001_orders.sql")
	}
	return list, nil
}

func readMigration(files fs.FS, name string) (migration, error) {
	digits, _, _ := strings.Cut(name, "_")
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || number < 0 {
		return migration{}, fmt.Errorf("file %s: the name must begin with a number, like 0001_orders.sql", name)
	}
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return migration{}, err
	}
	sum := sha256.Sum256(text)
	return migration{number, name, string(text), hex.EncodeToString(sum[:])}, nil
}
