package projection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// A rebuild is a second projection, NAME + ":rebuild", that the workers of the
// first run beside it while it has rows in the database, with the copies of the
// view's tables. So it outlives the process that began it, and every process of
// the projection takes part.
const rebuildSuffix = "__rebuild"

func rebuildName(name string) string { return name + ":rebuild" }

// ErrNoTables is wrapped by what needs Config.Tables where there are none.
var ErrNoTables = errors.New("projection: the tables of the view are not known")

// ErrNoRebuild is wrapped where no rebuild is under way.
var ErrNoRebuild = errors.New("projection: there is no rebuild")

// ErrRebuilding is wrapped where a rebuild is under way already, or one that was
// begun has not been cancelled.
var ErrRebuilding = errors.New("projection: a rebuild is under way already")

// Rebuild begins to build the view a second time beside the live one, in copies of
// Config.Tables. It does not wait for that. When Stats shows no lag of the rebuild,
// Compare and Swap. Where there is one already, in whatever process, its error wraps
// ErrRebuilding.
func (p *Projection[T]) Rebuild(ctx context.Context) error {
	r := p.runner
	if err := r.needTables(); err != nil {
		return err
	}
	claim, err := r.store.ClaimSlices(ctx, rebuildName(r.cfg.Name), r.cfg.source(), journal.AllSlices(), OnlyNew(r.cfg.Start))
	if errors.Is(err, ErrKnown) {
		return fmt.Errorf("%w of %s: cancel it first", ErrRebuilding, r.cfg.Name)
	}
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", r.cfg.Name, err)
	}
	if err := r.prepare(ctx, claim); err != nil {
		return fmt.Errorf("rebuild %s: %w", r.cfg.Name, errors.Join(err, r.abandon(ctx)))
	}
	r.lookNow()
	return nil
}

// prepare makes the copies. Workers begin once something was saved, see OnlyKnown.
func (r *runner) prepare(ctx context.Context, claim Claim) error {
	if err := r.tables.CopyTables(ctx, r.cfg.Tables, rebuildSuffix); err != nil {
		return fmt.Errorf("copy tables: %w", err)
	}
	err := r.store.Update(ctx, func(tx Tx) error { return tx.SaveOffsets(ctx, claim, nil, nil) })
	if errors.Is(err, ErrFenced) {
		return fmt.Errorf("it was cancelled meanwhile: %w", err)
	}
	return err
}

// abandon cancels a rebuild that was not begun. One that somebody else has begun
// meanwhile goes with it: its copies were replaced.
func (r *runner) abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	return r.cancelRebuild(ctx)
}

// abandonTimeout bounds the tidying up; CancelRebuild does what it did not.
const abandonTimeout = 10 * time.Second

// Compare counts in which rows the live view and the rebuilt one differ, as they
// are now; columns named in ignore are left out, and at most limit examples of
// each are shown.
func (p *Projection[T]) Compare(ctx context.Context, ignore []string, limit int) ([]Difference, error) {
	r := p.runner
	if err := r.needRebuild(ctx); err != nil {
		return nil, err
	}
	return r.tables.CompareTables(ctx, r.cfg.Tables, rebuildSuffix, ignore, limit)
}

// CancelRebuild throws the rebuilt view away.
func (p *Projection[T]) CancelRebuild(ctx context.Context) error {
	r := p.runner
	if err := r.needTables(); err != nil {
		return err
	}
	return r.cancelRebuild(ctx)
}

// cancelRebuild fences the workers before it drops the copies, and lets nobody begin
// another rebuild, whose copies these would be, before they are gone.
func (r *runner) cancelRebuild(ctx context.Context) error {
	defer r.lookNow()
	name := rebuildName(r.cfg.Name)
	if err := r.store.Reset(ctx, name, nil); err != nil {
		return fmt.Errorf("end the rebuild of %s: %w", r.cfg.Name, err)
	}
	dropped := r.tables.DropCopies(ctx, r.cfg.Tables, rebuildSuffix)
	if err := errors.Join(dropped, r.store.Forget(ctx, name)); err != nil {
		return fmt.Errorf("end the rebuild of %s: %w", r.cfg.Name, err)
	}
	return nil
}

// theRebuild is what the database knows of it.
func (r *runner) theRebuild(ctx context.Context) (Stored, error) {
	all, err := r.store.Projections(ctx, rebuildName(r.cfg.Name))
	if err != nil || len(all) == 0 {
		return Stored{}, err
	}
	return all[0], nil
}

// prepared says whether the workers may handle events of it.
func (s Stored) prepared() bool {
	return slices.ContainsFunc(s.Ranges, func(r StoredRange) bool { return !r.Saved.IsZero() })
}

func (r *runner) needTables() error {
	if len(r.cfg.Tables) == 0 {
		return fmt.Errorf("%w: set Config.Tables of %s", ErrNoTables, r.cfg.Name)
	}
	return nil
}

func (r *runner) needRebuild(ctx context.Context) error {
	if err := r.needTables(); err != nil {
		return err
	}
	stored, err := r.theRebuild(ctx)
	if err != nil {
		return fmt.Errorf("look for a rebuild of %s: %w", r.cfg.Name, err)
	}
	if !stored.prepared() {
		return fmt.Errorf("%w of %s", ErrNoRebuild, r.cfg.Name)
	}
	return nil
}
