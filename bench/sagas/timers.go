package sagas

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// sleepers say how much is measured.
type sleepers struct {
	sagas, perSecond, connections int
	duration                      time.Duration
}

func (s sleepers) interval() time.Duration {
	return (time.Second / time.Duration(s.perSecond)).Truncate(time.Microsecond)
}

func (s sleepers) due() int { return int(s.duration.Seconds() * float64(s.perSecond)) }

// Timers measures a process that has a manager of many sleeping sagas in PostgreSQL
// (fsync=on), of which so many are due each second for a while. What fires turns its
// saga to undo and sends the compensation to the outbox:
//
//   - rss_mb: the most memory the process had, from the start of the manager on;
//   - late_p99_ms, late_p50_ms: from when a timer is due until what it decided has
//     committed;
//   - fired_per_s.
//
// In the end each saga that was due must have fired once, and no other, or there are
// no figures.
func Timers(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	var s sleepers
	flags := flag.NewFlagSet("saga-timers", flag.ContinueOnError)
	flags.IntVar(&s.sagas, "sagas", 1_000_000, "sagas, those that are due among them")
	flags.IntVar(&s.perSecond, "per-second", 5000, "sagas that are due each second")
	flags.IntVar(&s.connections, "connections", 4, "connections of the pool")
	flags.DurationVar(&s.duration, "duration", 20*time.Second, "how long some are due")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if s.perSecond < 1 || s.connections < 1 || s.duration <= 0 || s.sagas <= s.due() {
		return nil, errors.New("every number must be above 0, and not all sagas can be due")
	}
	server, err := measure.StartPostgres(ctx, w)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	url, drop, err := measure.FreshDatabase(ctx, server.URL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = drop() }()
	return s.measure(ctx, url, w)
}

func (s sleepers) measure(ctx context.Context, url string, w io.Writer) (map[string]float64, error) {
	opened, err := postgres.Open(ctx, url, postgres.Config{MaxConns: int32(s.connections), Logger: measure.Quiet})
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	db := &timedDB{DB: opened, open: map[*postgres.Tx][]int{}}
	m, err := saga.New[*postgres.Tx](db, saga.Config[*postgres.Tx, input]{
		Definitions: []saga.Definition[input]{sleeping()}, Changed: db.note, Workers: 2, Logger: measure.Quiet,
	})
	if err != nil {
		return nil, err
	}
	db.late = make([]time.Duration, 0, s.due())
	if db.first, err = s.fill(ctx, url, db, m, w); err != nil {
		return nil, err
	}
	db.interval = s.interval()
	debug.FreeOSMemory()
	if err := m.Service().Start(ctx); err != nil {
		return nil, err
	}
	rss, err := s.watch(ctx, db)
	if err = errors.Join(err, m.Service().Stop(ctx)); err != nil {
		return nil, err
	}
	if err := s.check(ctx, url); err != nil {
		return nil, err
	}
	slices.Sort(db.late)
	at := func(share float64) float64 {
		return float64(db.late[int(share*float64(len(db.late)-1))].Microseconds()) / 1000
	}
	fmt.Fprintf(w, "%d of %d fired: late p50 %.0f ms, p99 %.0f ms, most %.0f ms; %.0f MB\n", len(db.late), s.sagas, at(0.5), at(0.99), at(1), rss)
	return map[string]float64{
		"rss_mb": rss, "late_p50_ms": at(0.5), "late_p99_ms": at(0.99),
		"fired_per_s": float64(len(db.late)) / db.last.Sub(db.first).Seconds(),
	}, nil
}

// sleeping waits long for one answer, then undoes.
func sleeping() saga.Definition[input] {
	return saga.Definition[input]{Name: "sleeping", Steps: []saga.Step[input]{{
		Name: "wait", Timeout: 24 * time.Hour,
		Action:       func(_ saga.Context, s *input) []outbox.Message { return command("wait", *s) },
		Compensation: func(_ saga.Context, s *input) []outbox.Message { return command("undo", *s) },
	}}}
}

// copies puts copies of the first saga into the table: number n, which the id ends in,
// is due n times an interval after a moment.
const copies = `INSERT INTO pabal_saga (revision, version, started, changed, due, wake, name, id, status, correlation_id, current, reason, state, progress)
	SELECT revision, version, started, changed, t.due, t.due, name, 's-' || n, status, correlation_id || n, current, reason, state,
		replace(progress::text, $1, to_char(t.due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::json
	FROM pabal_saga, generate_series($2::int, $3::int) AS n, LATERAL (SELECT $4::timestamptz + n * $5::interval AS due) AS t WHERE id = 'first'`

// lead is how long storing those that will be due may take.
const lead = 30 * time.Second

// fill stores the sagas and returns when the first of them is due.
func (s sleepers) fill(ctx context.Context, url string, db *timedDB, m *saga.Manager[*postgres.Tx, input], w io.Writer) (first time.Time, err error) {
	var template saga.Instance[input]
	err = db.Update(ctx, func(tx *postgres.Tx) (err error) {
		template, _, err = m.Start(ctx, tx, "first", input{"first", 1})
		return err
	})
	if err != nil {
		return first, err
	}
	written, err := template.Timers[0].Due.MarshalText()
	if err != nil {
		return first, err
	}
	pool, err := newPool(ctx, url, 1)
	if err != nil {
		return first, err
	}
	defer pool.Close()
	began := time.Now()
	if _, err := pool.Exec(ctx, copies, string(written), s.due(), s.sagas-2, began.Add(24*time.Hour), "1 s"); err != nil {
		return first, err
	}
	if _, err := pool.Exec(ctx, "VACUUM ANALYZE pabal_saga"); err != nil {
		return first, err
	}
	first = time.Now().Add(lead).Truncate(time.Second)
	if _, err := pool.Exec(ctx, copies, string(written), 0, s.due()-1, first, fmt.Sprintf("%d us", s.interval().Microseconds())); err != nil {
		return first, err
	}
	if time.Until(first) < time.Second {
		return first, fmt.Errorf("%d sagas could not be stored within %s", s.due(), lead)
	}
	fmt.Fprintf(w, "%d sagas stored in %s\n", s.sagas, time.Since(began).Round(time.Second))
	sleep(ctx, time.Until(first)-time.Second)
	return first, ctx.Err()
}

// patience is how much longer than due the last timer may take.
const patience = time.Minute

// watch waits until all have fired, and returns the most memory the process had.
func (s sleepers) watch(ctx context.Context, db *timedDB) (rss float64, err error) {
	for end := db.first.Add(s.duration + patience); db.fired() < s.due(); sleep(ctx, 50*time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if time.Now().After(end) {
			return 0, fmt.Errorf("%d of %d timers fired", db.fired(), s.due())
		}
		now, err := residentMB()
		if err != nil {
			return 0, err
		}
		rss = max(rss, now)
	}
	return rss, nil
}

// check holds the tables to one compensation for each that was due.
func (s sleepers) check(ctx context.Context, url string) error {
	pool, err := newPool(ctx, url, 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	var undone, sent, once int
	err = pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM pabal_saga WHERE status = 'COMPENSATING'), count(*), count(DISTINCT correlation_id)
		FROM pabal_outbox WHERE topic = 'undo'`).Scan(&undone, &sent, &once)
	if err == nil && (undone != s.due() || sent != s.due() || once != s.due()) {
		err = fmt.Errorf("%d sagas are being undone, by %d messages to %d sagas; %d were due", undone, sent, once, s.due())
	}
	return err
}

// residentMB is what the process has in memory.
func residentMB() (float64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return float64(kb) / 1024, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmRSS")
}

// timedDB notes how late timers fire: when their transactions have committed.
type timedDB struct {
	*postgres.DB
	first    time.Time
	interval time.Duration

	mu   sync.Mutex
	open map[*postgres.Tx][]int // the numbers of the sagas
	late []time.Duration
	last time.Time
}

func (db *timedDB) fired() int {
	db.mu.Lock()
	defer db.mu.Unlock()
	return len(db.late)
}

// note is a saga.Config.Changed.
func (db *timedDB) note(_ context.Context, tx *postgres.Tx, changes []saga.Change[input]) ([]outbox.Message, error) {
	var numbers []int
	for _, c := range changes {
		if n, err := strconv.Atoi(strings.TrimPrefix(c.After.ID, "s-")); err == nil {
			numbers = append(numbers, n)
		}
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.open[tx] = numbers
	return nil, nil
}

func (db *timedDB) Update(ctx context.Context, fn func(*postgres.Tx) error) error {
	var used *postgres.Tx
	err := db.DB.Update(ctx, func(tx *postgres.Tx) error {
		used = tx
		return fn(tx)
	})
	db.mu.Lock()
	defer db.mu.Unlock()
	numbers := db.open[used]
	delete(db.open, used)
	if err != nil || len(numbers) == 0 {
		return err
	}
	db.last = time.Now()
	for _, n := range numbers {
		db.late = append(db.late, db.last.Sub(db.first.Add(time.Duration(n)*db.interval)))
	}
	return nil
}
