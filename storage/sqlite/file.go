package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// file opens connections to one SQLite file.
type file struct {
	writing, reading *sql.DB
	// system tells the file from copies of it.
	system string
}

const (
	// busyStep is how long SQLite itself waits for a lock, so that the ends of
	// contexts are noticed between steps.
	busyStep = 100 * time.Millisecond
	// checkpointPages is after how many pages (of 4 KiB) in the log they are
	// copied to the file.
	checkpointPages = 4000
	// logLimit is what the log is cut to when it has grown.
	logLimit = 64 << 20
	// Page caches of one connection, in KiB.
	readerCache = 4 << 10
	writerCache = 16 << 10
)

func openFile(ctx context.Context, path string, config Config) (*file, error) {
	where, err := checkPath(path)
	if err != nil {
		return nil, err
	}
	f := &file{}
	common := fmt.Sprintf("_time_format=sqlite&_timezone=UTC&_foreign_keys=1&_synchronous=FULL&_busy_timeout=%d", busyStep.Milliseconds())
	f.writing, err = openPool(where, common+fmt.Sprintf("&_pragma=wal_autocheckpoint(%d)&_pragma=journal_size_limit(%d)&_pragma=cache_size(-%d)",
		checkpointPages, logLimit, writerCache))
	if err != nil {
		return nil, err
	}
	f.reading, err = openPool(where, common+fmt.Sprintf("&_query_only=1&_pragma=cache_size(-%d)", readerCache))
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	if err := f.prepare(ctx, config.BusyTimeout); err != nil {
		return nil, errors.Join(explain(err, where), f.close())
	}
	if f.system, err = systemOf(where); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// checkPath returns the absolute path.
func checkPath(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("the path is empty")
	case strings.Contains(path, ":memory:") || strings.HasPrefix(path, "file:"):
		return "", errors.New("give the path of a file; databases in memory and SQLite URIs are not supported")
	}
	where, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	switch info, err := os.Stat(where); {
	case err == nil && info.IsDir():
		return "", errors.New("it is a folder; give the path of a file in it")
	case err == nil:
		return where, nil
	}
	switch info, err := os.Stat(filepath.Dir(where)); {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("folder %s does not exist; create it first", filepath.Dir(where))
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is not a folder", filepath.Dir(where))
	}
	return where, nil
}

func openPool(path, parameters string) (*sql.DB, error) {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") { // a drive letter
		slashed = "/" + slashed
	}
	name := url.URL{Scheme: "file", Path: slashed, RawQuery: parameters}
	connector, err := driver.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxIdleConns(0) // whoever takes a connection keeps it until it is of no use
	return pool, nil
}

// prepare turns on WAL, which stays with the file. It needs the file alone for
// a moment, and does not wait for that by itself.
func (f *file) prepare(ctx context.Context, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	for {
		err := f.turnOnWAL(ctx)
		if err == nil || !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(busyStep / 5):
		}
	}
}

func (f *file) turnOnWAL(ctx context.Context) error {
	var mode string
	if err := f.writing.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file system offers no shared memory for SQLite's write-ahead log (journal mode is %q); use a local disk", mode)
	}
	// A write, undone: a file or folder that is read-only shows itself now.
	conn, err := f.writing.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "ROLLBACK")
	return err
}

// explain adds what to do to errors that users run into.
func explain(err error, path string) error {
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("it is not a SQLite database; choose another path, or move the file away: %w", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("file or folder cannot be written; check the permissions of both (SQLite keeps files beside it in %s): %w",
			filepath.Dir(path), err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("another process keeps it locked; stop that one, or choose another path: %w", err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the file is damaged; restore a backup: %w", err)
	}
	return err
}

func (f *file) connect(ctx context.Context) (*conn, error) { return connectTo(ctx, f.writing) }

func (f *file) connectReader(ctx context.Context) (*conn, error) { return connectTo(ctx, f.reading) }

func connectTo(ctx context.Context, pool *sql.DB) (*conn, error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return newConn(c), nil
}

func (f *file) close() error {
	var failed []error
	for _, pool := range []*sql.DB{f.writing, f.reading} {
		if pool != nil {
			failed = append(failed, pool.Close())
		}
	}
	return errors.Join(failed...)
}
