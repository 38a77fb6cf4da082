package redrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// Redrive implements api.DeadLetters.
func (c *Center) Redrive(ctx context.Context, q api.RedriveRequest) (api.Redrive, error) {
	r, err := c.running()
	if err != nil {
		return api.Redrive{}, err
	}
	if q, err = checkRequest(q); err != nil {
		return api.Redrive{}, err
	}
	letters, err := r.chosen(ctx, q)
	if err != nil {
		return api.Redrive{}, err
	}
	if q.Value != nil {
		if err := r.checkEdit(ctx, q, letters[0]); err != nil {
			return api.Redrive{}, err
		}
	}
	r.directory.refresh(ctx, time.Second)
	if q.DryRun {
		return r.plan(ctx, q, letters)
	}
	if len(letters) == 0 {
		return api.Redrive{}, fmt.Errorf("%w: fingerprint %s has no open letters", api.ErrConflict, q.Fingerprint)
	}
	return r.beginNew(ctx, q, letters)
}

// beginNew records, stores and begins a redrive, in this order.
func (r *run) beginNew(ctx context.Context, q api.RedriveRequest, letters []letter) (api.Redrive, error) {
	if r.clusterID() == "" {
		return api.Redrive{}, fmt.Errorf("%w: Kafka has not answered yet", api.ErrUnavailable)
	}
	obstacles := map[int64]string{}
	for _, l := range letters {
		if obstacle := r.obstacle(l); obstacle != "" {
			obstacles[l.seq] = obstacle
		}
	}
	j := newJob(r.clusterID(), q, api.UserOf(ctx), len(letters), r.config.Clock.Now())
	entry, err := begun(j)
	if err != nil {
		return api.Redrive{}, err
	}
	if err := r.config.Audit.Record(ctx, entry); err != nil {
		return api.Redrive{}, err
	}
	if err := r.index.create(ctx, j, letters, obstacles); err != nil && !r.exists(ctx, j.id) {
		entry.Outcome = "not begun: " + err.Error()
		return api.Redrive{}, errors.Join(err, r.config.Audit.Record(ctx, entry))
	}
	r.begin(j)
	j, err = r.index.job(ctx, j.id)
	return j.shown(), err
}

// exists says that a job was stored though its commit seemed to fail.
func (r *run) exists(ctx context.Context, id string) bool {
	_, err := r.index.job(ctx, id)
	return err == nil
}

// begun is the audit entry of a job. Of an edit it tells the size alone.
func begun(j job) (api.AuditEntry, error) {
	detail := map[string]any{"redrive": j.id, "reason": j.request.Reason, "letters": j.total, "perSecond": j.request.PerSecond, "stopAfter": j.stopAfter}
	if j.edited {
		detail["editedBytes"] = len(j.value)
	}
	text, err := json.Marshal(detail)
	return api.AuditEntry{At: j.begun, User: j.user.Name, Role: j.user.Role, From: j.user.From, Act: "redrive", Target: target(j.request), Detail: string(text), Outcome: "begun"}, err
}

// Redrives implements api.DeadLetters: the latest first. Search looks into ids,
// users, fingerprints and reasons.
func (c *Center) Redrives(ctx context.Context, q api.PageQuery) (api.Page[api.Redrive], error) {
	page := api.Page[api.Redrive]{Items: []api.Redrive{}, Total: -1}
	r, err := c.running()
	if err != nil {
		return page, err
	}
	if q, err = checked(q); err != nil {
		return page, err
	}
	if len(q.Cursor) > 64 {
		return page, fmt.Errorf("%w: cursor %q is not one of this list", api.ErrInvalid, clean(q.Cursor, 80))
	}
	jobs, err := r.index.jobs(ctx, `cluster = $1 AND ($2 = '' OR id < $2) AND (id LIKE $3 ESCAPE '\' OR user LIKE $3 ESCAPE '\' OR request LIKE $3 ESCAPE '\')
		ORDER BY id DESC LIMIT $4`, r.clusterID(), q.Cursor, like(q.Search), q.Limit+1)
	if err != nil {
		return page, err
	}
	if len(jobs) > q.Limit {
		jobs = jobs[:q.Limit]
		page.Next = jobs[q.Limit-1].id
	}
	for _, j := range jobs {
		page.Items = append(page.Items, j.shown())
	}
	return page, nil
}

// RedriveByID implements api.DeadLetters.
func (c *Center) RedriveByID(ctx context.Context, id string) (api.Redrive, error) {
	r, err := c.running()
	if err != nil {
		return api.Redrive{}, err
	}
	j, err := r.index.job(ctx, id)
	if err != nil {
		return api.Redrive{}, err
	}
	return j.shown(), nil
}

// CancelRedrive implements api.DeadLetters: what is being sent is finished, and the
// rest stays open. ErrConflict where it has ended.
func (c *Center) CancelRedrive(ctx context.Context, id string) (api.Redrive, error) {
	r, err := c.running()
	if err != nil {
		return api.Redrive{}, err
	}
	j, err := r.index.job(ctx, id)
	if err != nil {
		return api.Redrive{}, err
	}
	if j.state != jobRunning {
		return j.shown(), fmt.Errorf("%w: redrive %s is %s already", api.ErrConflict, j.id, j.state)
	}
	err = r.config.Audit.Record(ctx, api.AuditEntry{At: r.config.Clock.Now().UTC(), Act: "cancel redrive", Target: j.id, Outcome: "begun"})
	if err != nil {
		return api.Redrive{}, err
	}
	if _, err := r.index.cancel(ctx, id, r.config.Clock.Now()); err != nil {
		return api.Redrive{}, err
	}
	r.mu.Lock()
	if cancel := r.jobs[id]; cancel != nil {
		cancel()
	}
	r.mu.Unlock()
	if j, err = r.index.job(ctx, id); err != nil {
		return api.Redrive{}, err
	}
	return j.shown(), nil
}
