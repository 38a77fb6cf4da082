package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// databases are the demo's own view of the services' databases, in the order
// of serviceNames.
type databases struct {
	all      [len(serviceNames)]storage.DB
	postgres bool
}

// place is the connection string and schema of a service's database.
func place(o Options, f *folder, name string) (database, schema string, err error) {
	if o.postgres() {
		return o.Database, fmt.Sprintf("pabal_demo_%s_%s", f.manifest.Run, name), nil
	}
	path, err := f.file("databases", name+".db")
	return "sqlite:" + path, "", err
}

const databaseTimeout = 15 * time.Second

// openDatabases opens each, which makes schema and message tables where they
// are missing. On an error none is left open.
func openDatabases(ctx context.Context, all []settings, postgres bool, log *slog.Logger) (*databases, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	dbs := &databases{postgres: postgres}
	for i, s := range all {
		db, err := open.DB(ctx, s.Database, open.Config{Schema: s.Schema, Logger: log})
		if err != nil {
			return nil, errors.Join(err, dbs.close())
		}
		dbs.all[i] = db
	}
	return dbs, nil
}

func (d *databases) close() error {
	var failed []error
	for i, db := range d.all {
		if db != nil {
			failed = append(failed, db.Close())
			d.all[i] = nil
		}
	}
	return errors.Join(failed...)
}

// forInvariants names them.
func (d *databases) forInvariants() invariants.Databases {
	return invariants.Databases{
		Order: d.all[0], Payment: d.all[1], Restaurant: d.all[2], Customer: d.all[3],
		Postgres: d.postgres,
	}
}

// dropSchemas removes the schemas of this run; the databases must be open.
func (d *databases) dropSchemas(ctx context.Context, all []settings) error {
	for i, s := range all {
		err := d.all[i].Update(ctx, func(tx storage.Tx) error {
			_, err := tx.Exec(ctx, `DROP SCHEMA IF EXISTS `+s.Schema+` CASCADE`)
			return err
		})
		if err != nil {
			return fmt.Errorf("drop schema %s: %w", s.Schema, err)
		}
	}
	return nil
}
