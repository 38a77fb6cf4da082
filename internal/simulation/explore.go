package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// Space is all plans with two faults, or one, of a scenario: over every pair of durable
// steps, promptly, lazily, and in as many shuffled orders. Each of these is run without
// a fault first, to count its steps.
func Space(t testing.TB, s Scenario, random *rand.Rand, shuffles int) (all []Plan) {
	t.Helper()
	l := newLab(t, s)
	paces := []Plan{{Pace: Prompt}, {Pace: Lazy}}
	for range shuffles {
		paces = append(paces, Plan{Pace: Shuffled, Seed: random.Uint64()})
	}
	for _, p := range paces {
		steps, notes, err := l.run(p)
		if err != nil {
			t.Fatal(story(s, p, notes, err))
		}
		t.Logf("%s: %s: %d durable steps", s.System.Name, p, steps)
		all = append(all, pairs(p, steps)...)
	}
	return all
}

// Run runs one plan, shows what happens, and fails the test where an invariant does not
// hold in the end.
func Run(t testing.TB, s Scenario, p Plan) (notes []string) {
	t.Helper()
	_, notes, err := newLab(t, s).run(p)
	t.Logf("%s: %s\n%s", s.System.Name, p, strings.Join(notes, "\n"))
	if err != nil {
		t.Error(err)
	}
	return notes
}

// maxFailures are shown of one scenario.
const maxFailures = 3

// Bound of an exploration: it ends after that time, but not before that many plans.
// The zero Bound runs all.
type Bound struct {
	Time  time.Duration
	Plans int
}

// Explore runs the plans, on all processors, and fails the test where an invariant does
// not hold in the end. It returns how many it has run.
func Explore(t testing.TB, s Scenario, plans []Plan, b Bound) (ran int) {
	t.Helper()
	l := newLab(t, s)
	next := make(chan Plan)
	stop := make(chan struct{})
	fail := reporter(t, s, stop)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for p := range next {
				if _, notes, err := l.run(p); err != nil {
					fail(p, notes, err)
				}
			}
		})
	}
	began := time.Now()
	for _, p := range plans {
		if b.Time > 0 && ran >= b.Plans && time.Since(began) > b.Time {
			break
		}
		select {
		case next <- p:
			ran++
			continue
		case <-stop:
		case <-t.Context().Done():
		}
		break
	}
	close(next)
	wg.Wait()
	return ran
}

// reporter shows failures, and closes stop where there are enough.
func reporter(t testing.TB, s Scenario, stop chan struct{}) func(Plan, []string, error) {
	var mu sync.Mutex
	failures := 0
	return func(p Plan, notes []string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if failures++; failures <= maxFailures {
			t.Error(story(s, p, notes, err))
		}
		if failures == maxFailures {
			close(stop)
		}
	}
}

func story(s Scenario, p Plan, notes []string, err error) string {
	return fmt.Sprintf("%s: %s: %v\nrepeat it with Run and %s\n%s", s.System.Name, p, err, p.Go(), strings.Join(notes, "\n"))
}

// lab runs plans, each on fresh databases.
type lab struct {
	scenario Scenario
	ctx      context.Context
	folder   string
	template string // folder of databases without rows

	mu   sync.Mutex
	runs int
}

func newLab(t testing.TB, s Scenario) *lab {
	t.Helper()
	l := &lab{scenario: s, ctx: t.Context(), folder: inMemory(t)}
	l.template = filepath.Join(l.folder, "template")
	disks, err := l.open(l.template)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.System.Definitions {
		if err := disks[d.Name].Migrate(l.ctx, d.Name, d.Migrations); err != nil {
			t.Fatal(err)
		}
	}
	if err := closeAll(disks); err != nil {
		t.Fatal(err)
	}
	return l
}

// inMemory is a folder without a disk below where there is one: the crashes are of
// processes, not of machines.
func inMemory(t testing.TB) string {
	folder, err := os.MkdirTemp("/dev/shm", "pabal-simulation-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// run runs a plan and returns how many durable steps it had, and what happened.
func (l *lab) run(p Plan) (steps int, notes []string, err error) {
	l.mu.Lock()
	l.runs++
	folder := filepath.Join(l.folder, fmt.Sprint(l.runs))
	l.mu.Unlock()
	if err := os.CopyFS(folder, os.DirFS(l.template)); err != nil {
		return 0, nil, err
	}
	defer os.RemoveAll(folder)
	disks, err := l.open(folder)
	if err != nil {
		return 0, nil, err
	}
	defer func() {
		if closed := closeAll(disks); err == nil {
			err = closed
		}
	}()
	r, err := newRun(l.ctx, l.scenario, p, disks)
	if err != nil {
		return 0, nil, err
	}
	err = r.all(disks)
	return r.steps, r.notes, err
}

func (l *lab) open(folder string) (map[string]storage.DB, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	disks := map[string]storage.DB{}
	for _, d := range l.scenario.System.Definitions {
		db, err := open.DB(l.ctx, "sqlite:"+file(folder, d), open.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return nil, err
		}
		disks[d.Name] = db
	}
	return disks, nil
}

func file(folder string, d service.Definition) string { return filepath.Join(folder, d.Name+".db") }

func closeAll(disks map[string]storage.DB) (err error) {
	for _, db := range disks {
		if closed := db.Close(); err == nil {
			err = closed
		}
	}
	return err
}
