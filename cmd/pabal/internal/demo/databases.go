package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// databases are the demo's own view of the services' databases.
type databases struct {
	all      []database
	postgres bool
}

// database is one service's.
type database struct {
	service string
	storage.DB
}

// of is a service's database.
func (d *databases) of(service string) storage.DB {
	for _, each := range d.all {
		if each.service == service {
			return each.DB
		}
	}
	return nil
}

// named are all, with their services' names.
func (d *databases) named() (all []invariants.Named) {
	for _, each := range d.all {
		all = append(all, invariants.Named{Service: each.service, Viewer: each.DB})
	}
	return all
}

// place is the connection string and schema of a service's database, "" where it has none.
func place(o Options, f *folder, d service.Definition) (database, schema string, err error) {
	switch {
	case d.NoDatabase:
		return "", "", nil
	case o.postgres():
		return o.Database, fmt.Sprintf("pabal_demo_%s_%s", f.manifest.Run, d.Name), nil
	}
	path, err := f.file("databases", d.Name+".db")
	return "sqlite:" + path, "", err
}

const databaseTimeout = time.Minute

// openDatabases opens each, which makes schema and message tables where they
// are missing. On an error none is left open.
func openDatabases(ctx context.Context, all []settings, postgres bool, log *slog.Logger) (*databases, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	dbs := &databases{postgres: postgres}
	for _, s := range all {
		if s.Database == "" {
			continue
		}
		db, err := open.DB(ctx, s.Database, open.Config{Schema: s.Schema, Logger: log})
		if err != nil {
			return nil, errors.Join(err, dbs.close())
		}
		dbs.all = append(dbs.all, database{s.Name, db})
	}
	return dbs, nil
}

func (d *databases) close() error {
	var failed []error
	for _, db := range d.all {
		failed = append(failed, db.Close())
	}
	d.all = nil
	return errors.Join(failed...)
}

// dropSchemas removes the schemas of this run; the databases must be open.
func (d *databases) dropSchemas(ctx context.Context, all []settings) error {
	for _, s := range all {
		if s.Database == "" {
			continue
		}
		err := d.of(s.Name).Update(ctx, func(tx storage.Tx) error {
			_, err := tx.Exec(ctx, `DROP SCHEMA IF EXISTS `+s.Schema+` CASCADE`)
			return err
		})
		if err != nil {
			return fmt.Errorf("drop schema %s: %w", s.Schema, err)
		}
	}
	return nil
}
