package redrive

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// job is a redrive as it is stored.
type job struct {
	id, cluster, state string
	request            api.RedriveRequest // without Value
	edited             bool
	value              []byte // of an edited letter, while the job runs
	user               api.User
	begun, ended       time.Time
	problem            string
	stopAfter          int
	total, sent        int64
	skipped            int64
	handled, renewed   int64
}

// States of jobs.
const (
	jobRunning   = "running"
	jobDone      = "done"
	jobCancelled = "cancelled"
	jobStopped   = "stopped"
)

// maxRunning is how many redrives run at a time.
const maxRunning = 8

func (j job) shown() api.Redrive {
	request := j.request
	if j.edited { // a payload; who wrote it knows it
		hidden := mask.Hidden
		request.Value = &hidden
	}
	return api.Redrive{ID: j.id, State: j.state, Request: request, User: j.user.Name, Begun: j.begun, Ended: j.ended, Total: j.total,
		Sent: j.sent, Skipped: j.skipped, Handled: j.handled, Renewed: j.renewed, Problem: j.problem}
}

// newJob is stored by create.
func newJob(cluster string, q api.RedriveRequest, user api.User, letters int, now time.Time) job {
	j := job{id: event.NewID(), cluster: cluster, state: jobRunning, request: q, edited: q.Value != nil, value: valueOf(q), user: user,
		begun: now.UTC().Truncate(time.Microsecond), stopAfter: stopAfter(q, letters), total: int64(letters)}
	j.request.Value = nil
	return j
}

// create stores a job and its letters: the intent, before anything is sent. Those
// with an obstacle (by seq) are skipped. ErrConflict where another one that runs has
// letters of the same fingerprint.
func (x *index) create(ctx context.Context, j job, letters []letter, obstacles map[int64]string) error {
	request, err := json.Marshal(j.request)
	if err != nil {
		return err
	}
	return x.update(ctx, func(tx *sqlite.Tx) error {
		if err := free(ctx, tx, j.cluster, letters); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO redrive_job (id, cluster, state, request, edited, value, user, role, client, begun, stop_after, total)
			VALUES ($1, $2, 'running', $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			j.id, j.cluster, string(request), j.edited, j.value, j.user.Name, string(j.user.Role), j.user.From, j.begun.UnixMicro(), j.stopAfter, j.total)
		if err != nil {
			return err
		}
		for _, l := range letters {
			state := "pending"
			if obstacles[l.seq] != "" {
				state = "skipped"
			}
			if _, err := tx.Exec(ctx, "INSERT INTO redrive_letter (job, letter, state, reason) VALUES ($1, $2, $3, $4)", j.id, l.seq, state, obstacles[l.seq]); err != nil {
				return err
			}
		}
		return nil
	})
}

// free says whether a redrive of those letters can begin.
func free(ctx context.Context, tx *sqlite.Tx, cluster string, letters []letter) error {
	var running int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM redrive_job WHERE state = 'running'").Scan(&running); err != nil {
		return err
	}
	if running >= maxRunning {
		return fmt.Errorf("%w: %d redrives are running; wait for one, or cancel it", api.ErrConflict, running)
	}
	kinds := map[string]bool{}
	for _, l := range letters {
		if kinds[l.fingerprint] {
			continue
		}
		kinds[l.fingerprint] = true
		var other string
		err := tx.QueryRow(ctx, `SELECT j.id FROM redrive_job j WHERE j.state = 'running' AND j.cluster = $1 AND EXISTS (
			SELECT 1 FROM redrive_letter r JOIN dead_letter d ON d.seq = r.letter WHERE r.job = j.id AND d.fingerprint = $2)`, cluster, l.fingerprint).Scan(&other)
		switch {
		case err == nil:
			return fmt.Errorf("%w: redrive %s of the same fingerprint %s is running; wait for it, or cancel it", api.ErrConflict, other, l.fingerprint)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
	}
	return nil
}

const jobColumns = `id, cluster, state, request, edited, value, user, role, client, begun, ended, problem, stop_after, total, sent, skipped, handled, renewed`

func scanJob(r storage.Row) (job, error) {
	var j job
	var request, role string
	var begun, ended int64
	err := r.Scan(&j.id, &j.cluster, &j.state, &request, &j.edited, &j.value, &j.user.Name, &role, &j.user.From, &begun, &ended, &j.problem,
		&j.stopAfter, &j.total, &j.sent, &j.skipped, &j.handled, &j.renewed)
	if err != nil {
		return j, err
	}
	j.user.Role, j.begun = api.Role(role), timeOf(begun)
	if ended > 0 {
		j.ended = timeOf(ended)
	}
	if j.edited && j.value == nil && j.state == jobRunning {
		j.value = []byte{} // the database has no empty value: an edit to nothing is one
	}
	return j, json.Unmarshal([]byte(request), &j.request)
}

func (x *index) job(ctx context.Context, id string) (j job, err error) {
	err = x.db.View(ctx, func(q storage.Querier) error {
		j, err = scanJob(q.QueryRow(ctx, "SELECT "+jobColumns+" FROM redrive_job WHERE id = $1", id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return j, fmt.Errorf("%w: redrive %q", api.ErrNotFound, clean(id, 64))
	}
	return j, err
}

// jobs that match a condition, the latest first.
func (x *index) jobs(ctx context.Context, condition string, args ...any) (all []job, err error) {
	err = x.db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, "SELECT "+jobColumns+" FROM redrive_job WHERE "+condition, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			j, err := scanJob(rows)
			if err != nil {
				return err
			}
			all = append(all, j)
		}
		return rows.Err()
	})
	return all, err
}

// end stores how a job ended, unless it ended before.
func (x *index) end(ctx context.Context, id, state, problem string, now time.Time) error {
	return x.update(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE redrive_job SET state = $1, problem = $2, ended = $3, value = NULL WHERE id = $4 AND state = 'running'",
			state, clean(problem, maxError), now.UnixMicro(), id)
		return err
	})
}

// abandon opens the letters again that an ended job may or may not have sent: were
// one sent twice, the inbox would skip it.
func (x *index) abandon(ctx context.Context, id string, now time.Time) error {
	return x.update(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE dead_letter SET state = 'open', since = $2, due = $2 WHERE state = 'redriven'
			AND seq IN (SELECT letter FROM redrive_letter WHERE job = $1 AND state = 'sending')`, id, now.UnixMicro())
		if err == nil {
			_, err = tx.Exec(ctx, "UPDATE redrive_letter SET state = 'pending' WHERE job = $1 AND state = 'sending'", id)
		}
		return err
	})
}

// problem is shown while a job waits for better times; "" takes it back.
func (x *index) problem(ctx context.Context, id, problem string) error {
	return x.update(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE redrive_job SET problem = $1 WHERE id = $2 AND state = 'running' AND problem <> $1", clean(problem, maxError), id)
		return err
	})
}
