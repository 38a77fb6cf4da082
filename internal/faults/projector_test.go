//go:build unix

package faults_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// cinema is where projectors work: the workers of one projection, a database with
// a journal, and those who append to it.
type cinema struct {
	testing.TB
	db       storage.DB
	database string
	postgres string // URL; SQLite where empty
	random   *rand.Rand
	workers  []*program
	authors  *authors
	rounds   int
}

func newCinema(t testing.TB, postgres string, random *rand.Rand, workers int) *cinema {
	t.Helper()
	c := &cinema{TB: t, postgres: postgres, database: postgres, random: random}
	file := ""
	if postgres == "" {
		file = filepath.Join(t.TempDir(), "projector.db")
		c.database = "sqlite:" + file
	}
	var err error
	if c.db, err = open.DB(t.Context(), c.database, open.Config{Schema: projectorName, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.db.Close() })
	if err := c.db.Migrate(t.Context(), projectorName, projectorTables(postgres != "")); err != nil {
		t.Fatal(err)
	}
	for n := range workers {
		c.addWorker(fmt.Sprintf("projector-%d", n+1))
	}
	if file != "" {
		for _, p := range c.workers {
			watchLog(t, file, p.trap.watch)
		}
	}
	c.authors = startAuthors(t.Context(), c.db, random)
	t.Cleanup(func() {
		if err := c.authors.end(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *cinema) addWorker(name string) {
	c.Helper()
	p := &program{name: name}
	c.workers = append(c.workers, p)
	database := c.database
	if c.postgres != "" {
		var err error
		if p.db, err = wire.Listen(hostOf(c.TB, c.postgres), wire.Postgres, p.trap.watch); err != nil {
			c.Fatal(err)
		}
		c.Cleanup(p.db.Close)
		database = throughProxy(c.TB, database, p.db.Addr())
	}
	p.start(c.TB, roleProjector, projectorSettings{Database: database, Postgres: c.postgres != ""})
}

// goOn waits until the events written so far were handled, and some more.
func (c *cinema) goOn(what string, more int64) {
	c.Helper()
	_, written := c.authors.written()
	want, last := written+more, ""
	within(c.TB, what+": events are handled", &last, func() bool {
		n, err := handledEvents(c.Context(), c.db)
		last = fmt.Sprintf("%d of %d, %v", n, want, err)
		return err == nil && n >= want
	})
}

// judge waits until all was handled, and looks at what was done: every event once,
// in order in each entity. Nobody may write meanwhile.
func (c *cinema) judge() {
	c.Helper()
	if err := c.authors.end(); err != nil {
		c.Fatal(err)
	}
	c.goOn("in the end", 0)
	last, events := c.authors.written()
	next := map[string]int64{}
	err := c.db.View(c.Context(), func(q storage.Querier) error {
		rows, err := q.Query(c.Context(), "SELECT pid, seq FROM applied ORDER BY ord")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var seqNr int64
			if err := rows.Scan(&id, &seqNr); err != nil {
				return err
			}
			if next[id]++; seqNr != next[id] {
				c.Errorf("%s: event %d was handled where %d was next", id, seqNr, next[id])
				next[id] = seqNr
			}
		}
		return rows.Err()
	})
	if err != nil {
		c.Fatal(err)
	}
	for id, n := range last {
		if next[id] != n {
			c.Errorf("%s: %d events were handled last, %d were written", id, next[id], n)
		}
	}
	c.judgeCounts(last)
	tally.rounds.Add(int64(c.rounds))
	tally.messages.Add(events)
	var kills int64
	for _, p := range c.workers {
		kills += p.kills.Load()
	}
	if c.Failed() {
		c.FailNow()
	}
	c.Logf("%d rounds, %d kills, %d events of %d entities, all handled once and in order", c.rounds, kills, events, len(last))
}

func (c *cinema) judgeCounts(want map[string]int64) {
	c.Helper()
	err := c.db.View(c.Context(), func(q storage.Querier) error {
		rows, err := q.Query(c.Context(), "SELECT pid, n, last FROM counts")
		if err != nil {
			return err
		}
		defer rows.Close()
		seen := 0
		for rows.Next() {
			var id string
			var n, last int64
			if err := rows.Scan(&id, &n, &last); err != nil {
				return err
			}
			seen++
			if n != want[id] || last != want[id] {
				c.Errorf("%s: the view counts %d events up to %d, %d were written", id, n, last, want[id])
			}
		}
		if seen != len(want) {
			c.Errorf("the view has %d entities, %d were written", seen, len(want))
		}
		return rows.Err()
	})
	if err != nil {
		c.Fatal(err)
	}
}

func (c *cinema) any() *program { return c.workers[c.random.IntN(len(c.workers))] }

// fault is one of what may happen to workers.
func (c *cinema) fault() {
	c.Helper()
	c.rounds++
	switch victim := c.any(); c.random.IntN(6) {
	case 0:
		victim.kill()
		c.goOn("killed", 20)
	case 1, 2:
		c.killAtStep(victim)
	case 3:
		victim.leave() // and comes back as another worker
		c.goOn("left", 20)
	case 4:
		c.freeze(victim)
	case 5:
		victim.kill()
		c.any().kill()
		c.goOn("two killed", 20)
	}
}

// killAtStep kills a worker before or after the nth request of a kind.
func (c *cinema) killAtStep(victim *program) {
	c.Helper()
	where := at("sqlite", "write", true)
	if c.postgres != "" {
		all := append(around("postgres", "begin", "commit"), every("postgres", true), every("postgres", false))
		where = all[c.random.IntN(len(all))]
	}
	victim.killAt(where, 1+c.random.IntN(12))
	c.goOn(fmt.Sprintf("killed at %s", &victim.trap), 20)
	victim.trap.disarm()
}

// freeze stops a worker for longer than the others believe it to be alive, and
// lets it go on: it must not save anything. Transactions of it may hold locks that
// the others wait for.
func (c *cinema) freeze(victim *program) {
	c.Helper()
	victim.signal(syscall.SIGSTOP)
	tally.stops.Add(1)
	time.Sleep(time.Duration(6+c.random.IntN(6)) * projectorBeat)
	victim.signal(syscall.SIGCONT)
	c.goOn("stopped", 20)
}

var projectorBackends = map[string]func(testing.TB) string{
	"sqlite":   func(testing.TB) string { return "" },
	"postgres": testenv.Postgres,
}

// TestProjectionsAreKilled kills workers of a projection, so that its slices are
// cut anew all the time, while events are appended.
func TestProjectionsAreKilled(t *testing.T) {
	t.Parallel()
	for name, backend := range projectorBackends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCinema(t, backend(t), testenv.Rand(t), 3)
			c.goOn("before any fault", 1)
			rounds := 3
			if full() {
				rounds = 300
			}
			for range rounds {
				c.fault()
			}
			c.judge()
		})
	}
}

// TestProjectionsAreCutOff cuts the connections of workers at the nth of their
// steps: before the request was carried out, or after and without an answer.
func TestProjectionsAreCutOff(t *testing.T) {
	t.Parallel()
	c := newCinema(t, testenv.Postgres(t), testenv.Rand(t), 2)
	rounds := 3
	if full() {
		rounds = 200
	}
	all := append(around("postgres", "begin", "commit"), every("postgres", true))
	for range rounds {
		c.rounds++
		victim := c.any()
		victim.cutAt(all[c.random.IntN(len(all))], 1+c.random.IntN(8))
		c.goOn(fmt.Sprintf("cut at %s", &victim.trap), 20)
		victim.trap.disarm()
		victim.excused.Store(false)
	}
	c.judge()
}

// TestDatabaseOfProjectionsIsKilled kills PostgreSQL with all of its processes
// while events are appended and handled, and starts it again.
func TestDatabaseOfProjectionsIsKilled(t *testing.T) {
	t.Parallel()
	server := testenv.StartPostgres(t)
	c := newCinema(t, server.URL, testenv.Rand(t), 2)
	times := 1
	if full() {
		times = 20
	}
	for range times {
		c.rounds++
		c.goOn("before", 20)
		for _, p := range c.workers {
			p.excused.Store(true)
		}
		crash(t, server, time.Duration(c.random.IntN(1000))*time.Millisecond)
		c.goOn("PostgreSQL killed", 20)
	}
	c.judge()
}
