package redrive

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// resume goes on with the redrives that nobody works at, such as those that ran when
// the console ended, and tidies up after those that did not end in order.
func (r *run) resume(ctx context.Context) error {
	jobs, err := r.index.jobs(ctx, "state = 'running' OR id IN (SELECT job FROM redrive_letter WHERE state = 'sending')")
	if err != nil {
		return err
	}
	cluster := r.clusterID()
	for _, j := range jobs {
		switch {
		case r.working(j.id):
		case j.state != jobRunning:
			err = r.index.abandon(ctx, j.id, time.Now())
		case j.cluster != cluster:
			err = r.finish(ctx, j, jobStopped, "the console was pointed at another Kafka cluster")
		default:
			r.log.Info("a redrive goes on", "redrive", j.id, "letters", j.total, "sent", j.sent)
			r.begin(j)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) working(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.jobs[id] != nil
}

// begin runs a job in the background; false where the centre is being stopped, so
// that it goes on with the next start.
func (r *run) begin(j job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || r.jobs[j.id] != nil {
		return false
	}
	ctx, cancel := context.WithCancel(r.soft)
	r.jobs[j.id] = cancel
	r.goroutines.Go(func() {
		defer cancel()
		r.work(ctx, j.id)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.jobs, j.id)
	})
	return true
}

// work runs a job to its end, or until Stop or its cancellation ends ctx.
func (r *run) work(ctx context.Context, id string) {
	w := worker{run: r, id: id}
	for failures := 0; ; {
		over, err := w.step(ctx)
		switch {
		case over:
			return
		case err == nil:
			if failures > 0 {
				_ = r.index.problem(r.hard, id, "")
			}
			failures = 0
		case r.soft.Err() == nil && !w.cancelled(ctx):
			r.log.Warn("a redrive cannot go on; trying again", "redrive", id, "error", err)
			_ = r.index.problem(r.hard, id, "trying again: "+err.Error())
			r.sleep(w.patience(ctx), min(maxRetry, r.pace.retry<<min(failures, 5)))
			failures++
		}
		if r.soft.Err() != nil {
			return
		}
	}
}

// worker is a job at work.
type worker struct {
	*run
	id     string
	bucket *bucket
	// waited is since when outcomes are waited for, with sentAt letters sent.
	waited time.Time
	sentAt int64
	told   bool // of the cancellation
}

// cancelled is true once: the step after it ends the job.
func (w *worker) cancelled(ctx context.Context) bool {
	first := ctx.Err() != nil && !w.told
	w.told = w.told || first
	return first
}

// patience is what a pause ends with: a cancellation that was noticed ends it no more.
func (w *worker) patience(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return w.soft
	}
	return ctx
}

// step does the next thing of a job; over is true where it has ended. It is not
// interrupted while letters are being sent, but where Stop runs out of time.
func (w *worker) step(ctx context.Context) (over bool, err error) {
	j, err := w.index.job(w.hard, w.id)
	if err != nil {
		return false, err
	}
	if j.state != jobRunning { // cancelled
		return true, w.finish(w.hard, j, j.state, j.problem)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if j.renewed >= int64(j.stopAfter) {
		return w.ended(j, jobStopped, fmt.Sprintf("%d letters were given up again; mend the cause, and begin another redrive with those that are open", j.renewed))
	}
	unsent, waiting, err := w.index.left(ctx, w.id)
	if err != nil {
		return false, err
	}
	if waiting > 0 && (unsent == 0 || j.renewed > 0) && w.patient(j) {
		w.wake()
		w.sleep(ctx, w.pace.outcomes)
		return false, nil
	}
	if unsent == 0 {
		return w.ended(j, jobDone, "")
	}
	return false, w.portion(ctx, j)
}

func (w *worker) ended(j job, state, problem string) (bool, error) {
	err := w.finish(w.hard, j, state, problem)
	return err == nil, err
}

// patient says whether outcomes are still worth waiting for, counted from when the
// last letter was sent.
func (w *worker) patient(j job) bool {
	now := w.config.Clock.Now()
	if w.waited.IsZero() || w.sentAt != j.sent {
		w.waited, w.sentAt = now, j.sent
	}
	return now.Sub(w.waited) < w.config.OutcomeWait
}

func (w *worker) portion(ctx context.Context, j job) error {
	size := portionSize(j.request.PerSecond)
	letters, err := w.index.portion(ctx, w.id, size)
	if err != nil {
		return err
	}
	if len(letters) == 0 { // the index was trimmed
		_, err := w.index.drop(ctx, w.id)
		return err
	}
	if w.bucket == nil {
		w.bucket = newBucket(j.request.PerSecond, size, w.config.Clock.Now())
	}
	if wait := w.bucket.take(len(letters), w.config.Clock.Now()); wait > 0 && !w.sleep(ctx, wait) {
		return ctx.Err()
	}
	return w.send(w.hard, j, letters)
}

// finish records and stores how a job ended.
func (r *run) finish(ctx context.Context, j job, state, problem string) error {
	outcome := state
	if problem != "" {
		outcome += ": " + problem
	}
	detail, err := json.Marshal(map[string]any{
		"redrive": j.id, "reason": j.request.Reason, "letters": j.total, "sent": j.sent, "skipped": j.skipped, "handled": j.handled, "renewed": j.renewed,
	})
	if err != nil {
		return err
	}
	err = r.config.Audit.Record(api.WithUser(ctx, j.user), api.AuditEntry{
		At: r.config.Clock.Now().UTC(), User: j.user.Name, Role: j.user.Role, From: j.user.From, Act: "redrive", Target: target(j.request), Detail: string(detail), Outcome: outcome,
	})
	if err != nil {
		return err
	}
	if err := r.index.end(ctx, j.id, state, problem, r.config.Clock.Now()); err != nil {
		return err
	}
	return r.index.abandon(ctx, j.id, time.Now())
}

// target of an audit entry.
func target(q api.RedriveRequest) string {
	switch {
	case q.Fingerprint != "":
		return "fingerprint " + q.Fingerprint
	case len(q.IDs) == 1:
		return q.IDs[0]
	}
	return fmt.Sprintf("%d dead letters, the first %s", len(q.IDs), q.IDs[0])
}

// cancel stores that a job ends where it is.
func (x *index) cancel(ctx context.Context, id string, now time.Time) (cancelled bool, err error) {
	err = x.update(ctx, func(tx *sqlite.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE redrive_job SET state = 'cancelled', problem = '', ended = $1, value = NULL WHERE id = $2 AND state = 'running'", now.UnixMicro(), id)
		cancelled = n > 0
		return err
	})
	return cancelled, err
}
