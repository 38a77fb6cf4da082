// Package open opens whichever database a connection string names, for programs
// that leave the choice to their configuration. It links both backends; code for
// one database imports storage/postgres or storage/sqlite and links that one. MongoDB
// and Redis are not among them, because nothing here runs without SQL: see
// storage/mongodb and storage/redis.
package open

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// Config of either database; the zero value is usable.
type Config struct {
	// Schema in PostgreSQL, see postgres.Config. SQLite has none: there each
	// service has a file of its own.
	Schema string
	// Source of enqueued events that have none, see postgres.Config. SQLite leaves them to
	// the relay: no connector reads it.
	Source string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Forms are the connection strings that DB takes, for help texts.
const Forms = "sqlite:/path/file.db or postgres://user:password@host:5432/database"

// DB opens the database at one of Forms; "postgresql://" is the same as
// "postgres://". ctx bounds the opening only.
func DB(ctx context.Context, url string, config Config) (storage.DB, error) {
	scheme, rest, found := strings.Cut(url, ":")
	switch {
	case !found:
		return nil, errors.New("the database's connection string has no scheme, use " + Forms)
	case scheme == "sqlite":
		return openSQLite(ctx, rest, config)
	case scheme == "postgres", scheme == "postgresql":
		db, err := postgres.Open(ctx, url, postgres.Config{Schema: config.Schema, Source: config.Source, Logger: config.Logger})
		if err != nil {
			return nil, err
		}
		return storage.Any(db), nil
	}
	return nil, fmt.Errorf("no database has the scheme %.20q, use %s", scheme+":", Forms)
}

func openSQLite(ctx context.Context, path string, config Config) (storage.DB, error) {
	if absolute, ok := strings.CutPrefix(path, "//"); ok {
		// A URL's host, where a file is meant.
		if !strings.HasPrefix(absolute, "/") {
			return nil, fmt.Errorf("sqlite://%s names a host, use %s", absolute, Forms)
		}
		path = absolute
	}
	if path == "" {
		return nil, errors.New("sqlite: names no file, use " + Forms)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Config{Logger: config.Logger})
	if err != nil {
		return nil, err
	}
	return storage.Any(db), nil
}
