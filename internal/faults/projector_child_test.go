//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing/fstest"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// projectorSettings are those of a process that is a worker of a projection. It
// does not look whether it has seen an event: what it did twice, shows.
type projectorSettings struct {
	Database string
	Postgres bool
}

const projectorName = "projector"

// projectorTables: applied has a row for each time that an event was handled, in
// their order; counts is the view.
func projectorTables(postgres bool) fstest.MapFS {
	ord := "INTEGER PRIMARY KEY AUTOINCREMENT"
	if postgres {
		ord = "BIGSERIAL PRIMARY KEY"
	}
	return fstest.MapFS{"0001_view.sql": {Data: []byte(`CREATE TABLE applied (ord ` + ord + `, pid TEXT NOT NULL, seq BIGINT NOT NULL);
		CREATE TABLE counts (pid TEXT PRIMARY KEY, n BIGINT NOT NULL, last BIGINT NOT NULL)`)}}
}

// runProjector is that process; it returns its exit code.
func runProjector(ctx context.Context, c projectorSettings) int {
	if err := projectUntil(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func projectUntil(ctx context.Context, c projectorSettings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	db, err := open.DB(ctx, c.Database, open.Config{Schema: projectorName, Logger: log})
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := projection.New[storage.Tx](db, db, projection.Config[storage.Tx]{
		Name: projectorName, Query: journal.Query{EntityType: projectorName}, Handler: project, OnFailure: projection.Fail,
		// Small transactions, so that there are many steps, and workers that notice
		// each other soon.
		BatchSize: 4, Workers: 2, PollInterval: 50 * time.Millisecond, BeatInterval: projectorBeat,
		Backoff: outbox.Backoff{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond}, Restart: 200 * time.Millisecond,
		Logger: log,
	})
	if err != nil {
		return err
	}
	if err := p.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	return p.Stop(stopping)
}

// A worker that has not beaten five times as long has lost its slices.
const projectorBeat = 60 * time.Millisecond

func project(ctx context.Context, tx storage.Tx, e projection.Envelope) error {
	if _, err := tx.Exec(ctx, `INSERT INTO applied (pid, seq) VALUES ($1, $2)`, e.PersistenceID, e.SeqNr); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO counts (pid, n, last) VALUES ($1, 1, $2)
		ON CONFLICT (pid) DO UPDATE SET n = counts.n + 1, last = excluded.last`, e.PersistenceID, e.SeqNr)
	return err
}
