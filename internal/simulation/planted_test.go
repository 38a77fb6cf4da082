package simulation_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/simulation"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
)

// mistake is one that the simulation has to find.
type mistake string

const (
	flawless        mistake = ""
	twoTransactions mistake = "the row and its message are in two transactions"
	noDedupe        mistake = "a message that comes again counts again"
	noOrder         mistake = "the last message is taken for the newest"
	notStored       mistake = "what was answered is not stored"
)

// bank and branch: each payment is a row here, and counted there.
func bank(m mistake) service.System {
	return service.System{Name: "bank", Definitions: []service.Definition{
		{System: "bank", Name: "bank", Migrations: tables(`CREATE TABLE payments (id TEXT PRIMARY KEY)`), Produces: []string{"paid", "noticed"},
			Build: func(env service.Env) (service.Parts, error) {
				return service.Parts{Routes: func(_ service.Env, r *service.Router) {
					r.Handle("POST /payments/{id}", func(ctx context.Context, r *http.Request) (service.Response, error) {
						return service.Response{Status: http.StatusOK, Location: r.URL.Path}, pay(ctx, env, m, r.PathValue("id"))
					})
					r.Handle("GET /payments/{id}", func(ctx context.Context, r *http.Request) (service.Response, error) {
						return service.Response{Status: http.StatusOK}, find(ctx, env, r.PathValue("id"))
					})
				}}, nil
			}},
		{System: "bank", Name: "branch", Consumes: []string{"paid", "noticed"},
			Migrations: tables(`CREATE TABLE counted (id TEXT PRIMARY KEY, n BIGINT NOT NULL, last TEXT NOT NULL)`),
			Build: func(service.Env) (service.Parts, error) {
				handle := func(ctx context.Context, tx storage.Tx, e inbox.Message) error { return count(ctx, tx, m, e) }
				return service.Parts{
					Handlers: map[string]inbox.Handler[storage.Tx]{"paid": handle, "noticed": handle},
					Routes:   func(service.Env, *service.Router) {},
				}, nil
			}},
	}}
}

func tables(sql string) fs.FS {
	return fstest.MapFS{"0001_tables.sql": &fstest.MapFile{Data: []byte(sql + ";\n")}}
}

func find(ctx context.Context, env service.Env, id string) error {
	return env.DB.View(ctx, func(q storage.Querier) error {
		err := q.QueryRow(ctx, `SELECT id FROM payments WHERE id = $1`, id).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			err = service.Refuse(http.StatusNotFound, "there is no payment %s", id)
		}
		return err
	})
}

func pay(ctx context.Context, env service.Env, m mistake, id string) error {
	if m == notStored && id == "1" {
		return nil
	}
	fresh := false
	insert := func(tx storage.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO payments (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, id)
		fresh = n == 1
		return err
	}
	send := func(tx storage.Tx) error {
		if !fresh {
			return nil
		}
		if err := env.Send(ctx, tx, "paid", event.New("paid", id, id)); err != nil {
			return err
		}
		return env.Send(ctx, tx, "noticed", event.New("noticed", id, id))
	}
	if m != twoTransactions {
		return env.Update(ctx, func(tx storage.Tx) error {
			if err := insert(tx); err != nil {
				return err
			}
			return send(tx)
		})
	}
	if err := env.Update(ctx, insert); err != nil {
		return err
	}
	return env.Update(ctx, send)
}

func count(ctx context.Context, tx storage.Tx, m mistake, e inbox.Message) error {
	query := `INSERT INTO counted (id, n, last) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET last = CASE WHEN $2 = 'noticed' THEN $2 ELSE counted.last END`
	if m == noDedupe {
		query += `, n = counted.n + CASE WHEN $2 = 'paid' THEN 1 ELSE 0 END`
	}
	if m == noOrder {
		query = strings.Replace(query, `CASE WHEN $2 = 'noticed' THEN $2 ELSE counted.last END`, `$2`, 1)
	}
	_, err := tx.Exec(ctx, query, e.Key, e.Topic)
	return err
}

func payments(m mistake) simulation.Scenario {
	return simulation.Scenario{
		System: bank(m),
		Script: func(c *simulation.Client) {
			for i := range 2 {
				c.Must(200, "POST", "bank", fmt.Sprint("/payments/", i), "")
			}
		},
		Check: func(ctx context.Context, databases map[string]storage.DB) error {
			paid, err := rows(ctx, databases["bank"], `SELECT id, '1 noticed' FROM payments`)
			if err != nil {
				return err
			}
			counted, err := rows(ctx, databases["branch"], `SELECT id, CAST(n AS TEXT) || ' ' || last FROM counted`)
			if err == nil && fmt.Sprint(paid) != fmt.Sprint(counted) {
				err = fmt.Errorf("payments %v were counted as %v", paid, counted)
			}
			return err
		},
	}
}

// quiet is a test that may fail without failing the one around it.
type quiet struct {
	testing.TB
	said []string
}

func (q *quiet) Helper() {}

func (q *quiet) Error(a ...any) { q.said = append(q.said, fmt.Sprint(a...)) }

func (q *quiet) Fatal(a ...any) {
	q.Error(a...)
	runtime.Goexit()
}

// exploreAll runs the space of a scenario and returns what the test says.
func exploreAll(t *testing.T, s simulation.Scenario, b simulation.Bound) []string {
	q := &quiet{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		random := testenv.Rand(t)
		plans, _ := simulation.Mix(random, simulation.Space(q, s, random, 8))
		simulation.Explore(q, s, plans, b)
	}()
	<-done
	return q.said
}

func TestPlantedMistakesAreFound(t *testing.T) {
	for m, finding := range map[mistake]string{
		twoTransactions: "were counted as", noDedupe: "were counted as", noOrder: "were counted as",
		notStored: "/payments/1 of bank was made, and is answered with 404",
	} {
		t.Run(string(m), func(t *testing.T) {
			said := exploreAll(t, payments(m), simulation.Bound{})
			if len(said) == 0 {
				t.Fatal("nothing was found")
			}
			if !strings.Contains(said[0], finding) || !strings.Contains(said[0], "repeat it with Run and simulation.Plan{") || !strings.Contains(said[0], "POST bank /payments/1") {
				t.Errorf("this helps nobody: %s", said[0])
			}
		})
	}
	if said := exploreAll(t, payments(flawless), simulation.Bound{Time: time.Second, Plans: 20}); len(said) > 0 {
		t.Errorf("nothing is wrong: %s", said[0])
	}
}

// TestARunCanBeRepeated: the same plan does the same again.
func TestARunCanBeRepeated(t *testing.T) {
	plan := simulation.Plan{Pace: simulation.Shuffled, Seed: 7, Faults: []simulation.Fault{{Step: 2, Kind: simulation.AnswerLost}, {Step: 4}}}
	first := simulation.Run(t, payments(flawless), plan)
	again := simulation.Run(t, payments(flawless), plan)
	if fmt.Sprint(first) != fmt.Sprint(again) {
		t.Errorf("it went on differently:\n%s", strings.Join(again, "\n"))
	}
	crashes := 0
	for _, note := range first {
		if strings.HasPrefix(note, "step ") {
			crashes++
		}
	}
	if crashes != 2 {
		t.Errorf("%d crashes, want 2: %s", crashes, strings.Join(first, "\n"))
	}
}

// rows are those of a query with two columns of text.
func rows(ctx context.Context, db storage.DB, query string) (all map[string]string, err error) {
	all = map[string]string{}
	err = db.View(ctx, func(q storage.Querier) error {
		found, err := q.Query(ctx, query)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var key, value string
			if err := found.Scan(&key, &value); err != nil {
				return err
			}
			all[key] = value
		}
		return found.Err()
	})
	return all, err
}
