//go:build unix

package faults_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/storage"
)

// fill takes all room of a disk, down to the last byte; the returned function
// gives it back.
func fill(t testing.TB, folder string) (free func()) {
	t.Helper()
	ballast, err := os.Create(filepath.Join(folder, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer ballast.Close()
	for block := make([]byte, 1<<16); len(block) > 0; {
		_, err := ballast.Write(block)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/2]
		case err != nil && !errors.Is(err, io.ErrShortWrite):
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(ballast.Name()); err != nil {
			t.Fatal(err)
		}
	}
}

// bulkRefused tries to store more than there is room for beside the order service's
// tables, until the database has refused it that often, as an outage each time.
func (s *station) bulkRefused(times int) {
	s.Helper()
	db := s.dbs["order"]
	testenv.Wait(s.TB, "the full disk to be felt", patience, func() bool {
		err := db.Update(s.Context(), func(tx storage.Tx) error {
			_, err := tx.Exec(s.Context(), `CREATE TABLE bulk AS SELECT zeroblob(1000000) AS data`)
			return err
		})
		if err == nil || !db.Transient(err) {
			s.Fatalf("1 MB on a full disk: %v, want a transient error", err)
		}
		times--
		return times <= 0
	})
}

// shortenLogs gives back the room that SQLite has in its logs, where orders
// would fit for long.
func (s *station) shortenLogs() {
	s.Helper()
	for _, file := range s.files {
		db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
		if err != nil {
			s.Fatal(err)
		}
		var busy, pages, moved int
		err = db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
		if err = errors.Join(err, db.Close()); err != nil {
			s.Fatal(err)
		}
	}
}

// TestDiskOfServicesIsFull fills the disk that the services' SQLite files are
// on, under orders, and makes room again.
func TestDiskOfServicesIsFull(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	disk := testenv.SmallDisk(t, 256<<20) // the logs of four services may grow to 64 MiB each
	s := newStation(t, surroundings{brokers: broker(t), folder: disk}, random.Uint64())
	times := 2
	if full() {
		times = 10
	}
	for range times {
		s.excuse(true) // a service that cannot even open its files ends, and is started again
		s.flow("disk full", func() {
			s.placed(20)
			s.shortenLogs()
			free := fill(t, disk)
			tally.restarts.Add(1)
			s.bulkRefused(50)
			free()
			s.placed(20)
		})
		s.excuse(false)
		s.rounds++
	}
	s.finish("disk of SQLite full")
}

func (s *station) excuse(on bool) {
	for _, p := range s.services {
		p.excused.Store(on)
	}
}

// TestDiskOfServerIsFull is the same for the disks of PostgreSQL and of Apache
// Kafka, which end on it and are started again when there is room.
func TestDiskOfServerIsFull(t *testing.T) {
	testenv.Full(t)
	for name, start := range map[string]func(t *testing.T, folder string) (*testservers.Server, surroundings){
		"postgres": func(t *testing.T, folder string) (*testservers.Server, surroundings) {
			server, err := testservers.StartPostgres(t.Context(), folder, "max_wal_size = 32MB", "min_wal_size = 32MB")
			if err != nil {
				t.Fatal(err)
			}
			return server, surroundings{brokers: broker(t), postgres: server.URL}
		},
		"kafka": func(t *testing.T, folder string) (*testservers.Server, surroundings) {
			server, err := testservers.StartKafka(t.Context(), folder)
			if err != nil {
				t.Fatal(err)
			}
			return server, surroundings{brokers: []string{server.Addr}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			disk := testenv.SmallDisk(t, 300<<20)
			server, on := start(t, filepath.Join(disk, name))
			t.Cleanup(func() { server.Close() })
			s := newStation(t, on, random.Uint64())
			for range 3 {
				s.excuse(true)
				s.flow(name+": disk full", func() {
					s.placed(20)
					free := fill(t, disk)
					tally.restarts.Add(1)
					s.felt(server)
					free()
					revive(t, server)
					s.placed(20)
				})
				s.excuse(false)
				s.rounds++
			}
			s.finish("disk of " + name + " full")
		})
	}
}

// felt waits until the full disk shows. PostgreSQL refuses, or ends; what fits
// into room that it had reserved goes on, so it may take some orders. Apache
// Kafka ends, a while after its first error.
func (s *station) felt(server *testservers.Server) {
	s.Helper()
	before, ended := s.traffic.Stats().Repeats, server.Done()
	testenv.Wait(s.TB, "the full disk to be felt", patience, func() bool {
		select {
		case <-ended:
			return true
		default:
			return s.postgres && s.traffic.Stats().Repeats > before+5
		}
	})
}

// revive starts a server that has ended, and leaves alone one that has not.
func revive(t testing.TB, server *testservers.Server) {
	t.Helper()
	select {
	case <-server.Done():
	default:
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Restart(ctx); err != nil {
		t.Fatal(err)
	}
}
