package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

// LocalProjections are the projections of a service.
type LocalProjections struct {
	// Store keeps their offsets.
	Store projection.Admin
	// Source is the journal they read, to find where a reset begins; nil where they read
	// topics.
	Source journal.Reader
	// Running are those of this process.
	Running []Projection
}

// Projection is what a Local needs of a *projection.Projection or a
// *projection.Topic. One that has a Rebuilder's methods can be rebuilt.
type Projection interface {
	Stats() projection.Stats
	Health() error
}

// Rebuilder is a Projection that can be rebuilt beside the live view.
type Rebuilder interface {
	Rebuild(ctx context.Context) error
	Compare(ctx context.Context, ignore []string, limit int) ([]projection.Difference, error)
	Swap(ctx context.Context) error
	CancelRebuild(ctx context.Context) error
}

var (
	_ Projection = (*projection.Projection[projection.Tx])(nil)
	_ Rebuilder  = (*projection.Projection[projection.Tx])(nil)
	_ Projection = (*projection.Topic[inbox.Tx])(nil)
)

// Projections implements Projections.
func (l *Local) Projections(ctx context.Context) ([]ProjectionInfo, error) {
	all := []ProjectionInfo{}
	if l.cfg.Projections == nil {
		return all, l.noProjections()
	}
	var stored []projection.Stored
	err := l.look(ctx, func() (err error) {
		stored, err = l.cfg.Projections.Store.Projections(ctx, "")
		return err
	})
	all = infosOf(stored)
	for _, p := range l.cfg.Projections.Running {
		status := projectionStatus(p)
		i := slices.IndexFunc(all, func(x ProjectionInfo) bool { return x.Name == status.Name })
		if i < 0 {
			i, all = len(all), append(all, ProjectionInfo{Name: status.Name, Source: status.Source, Paused: status.State == "paused", Workers: []string{}, Ranges: []ProjectionRange{}})
		}
		all[i].Running = &status
	}
	slices.SortFunc(all, func(a, b ProjectionInfo) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// infosOf joins rebuilds to what they rebuild: the database knows them as projections
// of their own.
func infosOf(stored []projection.Stored) []ProjectionInfo {
	all := []ProjectionInfo{}
	for _, s := range stored {
		if !strings.HasSuffix(s.Name, rebuildSuffix) {
			info := infoOf(s)
			info.Rebuilding = slices.ContainsFunc(stored, func(r projection.Stored) bool { return r.Name == s.Name+rebuildSuffix && len(r.Ranges) > 0 })
			all = append(all, info)
		}
	}
	return all
}

// rebuildSuffix ends the names under which the database knows rebuilds.
const rebuildSuffix = ":rebuild"

func infoOf(s projection.Stored) ProjectionInfo {
	info := ProjectionInfo{Name: s.Name, Source: s.Source, Paused: s.Paused, Workers: append([]string{}, s.Workers...), Ranges: []ProjectionRange{},
		Latest: s.Latest.UTC(), Consumed: s.Consumed.UTC()}
	for _, r := range s.Ranges {
		info.Ranges = append(info.Ranges, ProjectionRange{Slices: r.Slices.String(), Epoch: r.Epoch, Saved: r.Saved.UTC()})
	}
	return info
}

// projectionStatus sums a projection's figures up.
func projectionStatus(p Projection) ProjectionStatus {
	stats := p.Stats()
	s := ProjectionStatus{
		Name: stats.Name, Source: stats.Source, State: "running", Ranges: []projection.RangeStats{},
		LagEvents: stats.LagEvents, LagMicros: int64(stats.LagSeconds * 1e6),
		Handled: stats.Handled, Failed: stats.Failed, Skipped: stats.Skipped, Retried: stats.Retried,
	}
	for _, r := range stats.Ranges {
		if r.Rebuild {
			s.Rebuild = rebuildOf(s.Rebuild, r)
			continue
		}
		s.Ranges = append(s.Ranges, r)
		s.LagMore = s.LagMore || r.LagEvents >= projection.MaxLag
		s.Problem = cmp.Or(s.Problem, problemText(r.Problem))
	}
	if s.Rebuild == nil || s.Rebuild.Problem == "" { // whose problem it is says the range
		s.Problem = cmp.Or(s.Problem, problemOf(p.Health()))
	}
	switch {
	case s.Problem != "":
		s.State = "failed"
	case stats.Paused:
		s.State = "paused"
	case len(s.Ranges) == 0:
		s.State = "idle"
	}
	return s
}

// rebuildOf adds a range of a rebuild.
func rebuildOf(known *RebuildStatus, r projection.RangeStats) *RebuildStatus {
	if known == nil {
		known = &RebuildStatus{}
	}
	known.LagEvents += r.LagEvents
	known.LagMore = known.LagMore || r.LagEvents >= projection.MaxLag
	known.Problem = cmp.Or(known.Problem, problemText(r.Problem))
	switch {
	case known.Problem != "":
		known.State = "failed"
	case r.State == projection.StatePaused:
		known.State = "paused"
	case known.LagEvents > 0 || r.State != projection.StateRunning:
		known.State = "running"
	case known.State == "":
		known.State = "caught up"
	}
	return known
}

func problemText(text string) string { return cutText(text, maxProblem) }

// PauseProjection implements Projections.
func (l *Local) PauseProjection(ctx context.Context, name string) error {
	return l.setPaused(ctx, name, true)
}

// ResumeProjection implements Projections.
func (l *Local) ResumeProjection(ctx context.Context, name string) error {
	return l.setPaused(ctx, name, false)
}

func (l *Local) setPaused(ctx context.Context, name string, paused bool) error {
	if err := l.known(ctx, name); err != nil {
		return err
	}
	return failed(l.cfg.Projections.Store.SetPaused(ctx, name, paused))
}

// ResetProjection implements Projections.
func (l *Local) ResetProjection(ctx context.Context, r ProjectionReset) error {
	source, err := l.sourceOf(ctx, r.Projection)
	if err != nil {
		return err
	}
	if strings.HasPrefix(source, "topic ") {
		return fmt.Errorf("%w: %s reads a topic: its place is that of its consumer group, which pabal groups reset moves", ErrConflict, r.Projection)
	}
	kind := journal.Events
	if strings.HasPrefix(source, "states") {
		kind = journal.States
	}
	after, err := l.resetTo(ctx, kind, r)
	if err != nil {
		return err
	}
	return failed(l.cfg.Projections.Store.Reset(ctx, r.Projection, after))
}

// resetTo is the cursor a reset begins after, nil for the beginning.
func (l *Local) resetTo(ctx context.Context, k journal.Kind, r ProjectionReset) (journal.Cursor, error) {
	text, isTime := strings.CutPrefix(r.To, "time:")
	t, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case r.To == "beginning":
		return nil, nil
	case r.To != "now" && (!isTime || err != nil):
		return nil, fmt.Errorf("%w: to %.60q is neither beginning, now nor time:2026-01-31T12:00:00Z", ErrInvalid, r.To)
	case l.cfg.Projections.Source == nil:
		return nil, fmt.Errorf("%w: %s does not say which journal its projections read: reset to the beginning", ErrConflict, l.cfg.Name)
	case r.To == "now":
		cursor, err := l.cfg.Projections.Source.Now(ctx, k)
		return cursor, failed(err)
	}
	return cursorBefore(ctx, l.cfg.Projections.Source, k, t)
}

// cursorBefore reads from the beginning to the page with the first event that is
// not before t, and returns where that page begins.
func cursorBefore(ctx context.Context, source journal.Reader, k journal.Kind, t time.Time) (journal.Cursor, error) {
	q := journal.Query{Kind: k, Slices: journal.AllSlices()}
	for {
		page, err := source.Page(ctx, q)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("%w: the journal is too long to find %s in it in time: reset to the beginning", ErrUnavailable, t.Format(time.RFC3339))
		}
		if err != nil {
			return nil, failed(err)
		}
		if slices.ContainsFunc(page.Events, func(e journal.Event) bool { return !e.Time.Before(t) }) || page.Backtracking {
			return q.After, nil
		}
		if q.After = page.Cursor; !page.More {
			return q.After, nil
		}
	}
}

// RebuildProjection implements Projections.
func (l *Local) RebuildProjection(ctx context.Context, r RebuildRequest) (Rebuilt, error) {
	if l.cfg.Projections == nil {
		return Rebuilt{}, l.noProjections()
	}
	p := l.running(r.Projection)
	if p == nil {
		return Rebuilt{}, fmt.Errorf("%w: projection %q does not run in instance %s of %s, so it cannot be rebuilt there", ErrConflict, r.Projection, l.cfg.Instance, l.cfg.Name)
	}
	b, can := p.(Rebuilder)
	if !can {
		return Rebuilt{}, fmt.Errorf("%w: projection %q reads a topic and cannot be rebuilt beside the live view", ErrConflict, r.Projection)
	}
	switch r.Step {
	case RebuildStart:
		return Rebuilt{}, l.step(b.Rebuild(ctx))
	case RebuildCompare:
		found, err := b.Compare(ctx, nil, shownDifferences)
		return Rebuilt{found}, l.step(err)
	case RebuildSwap:
		return Rebuilt{}, l.step(b.Swap(ctx))
	case RebuildCancel:
		return Rebuilt{}, l.step(b.CancelRebuild(ctx))
	}
	return Rebuilt{}, fmt.Errorf("%w: step %.40q is none of start, compare, swap, cancel", ErrInvalid, r.Step)
}

// shownDifferences are examples of rows of a table that differ.
const shownDifferences = 5

// running is nil where no projection of that name runs here.
func (l *Local) running(name string) Projection {
	i := slices.IndexFunc(l.cfg.Projections.Running, func(p Projection) bool { return p.Stats().Name == name })
	if i < 0 {
		return nil
	}
	return l.cfg.Projections.Running[i]
}

// step sorts an error of a rebuild: what is not the database's is about the state.
func (l *Local) step(err error) error {
	if err == nil || !errors.Is(err, projection.ErrBehind) && (l.cfg.Projections.Store.Transient(err) || errors.Is(err, context.DeadlineExceeded)) {
		return failed(err)
	}
	return fmt.Errorf("%w: %w", ErrConflict, err)
}

// known refuses a name that neither the database nor this process knows, such as one
// with a slip in it.
func (l *Local) known(ctx context.Context, name string) error {
	_, err := l.sourceOf(ctx, name)
	return err
}

// sourceOf is where a projection's events come from; ErrNotFound where nobody knows
// the projection.
func (l *Local) sourceOf(ctx context.Context, name string) (string, error) {
	if l.cfg.Projections == nil {
		return "", l.noProjections()
	}
	if p := l.running(name); p != nil {
		return p.Stats().Source, nil
	}
	stored, err := l.cfg.Projections.Store.Projections(ctx, name)
	if err != nil {
		return "", failed(err)
	}
	if name == "" || len(stored) == 0 {
		return "", fmt.Errorf("%w: service %s has no projection %q", ErrNotFound, l.cfg.Name, name)
	}
	return stored[0].Source, nil
}

func (l *Local) noProjections() error {
	return fmt.Errorf("%w: service %s has no projections", ErrNotFound, l.cfg.Name)
}
