package streams

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/streams/internal/run"
)

// ResetPlan is what Reset does: the offsets that its source topics get, and the internal
// topics that it deletes.
type ResetPlan = run.ResetPlan

// ErrMembers: somebody runs the application.
var ErrMembers = run.ErrMembers

// Reset has the application begin anew: its group's offsets go to where its sources begin
// (their beginning, or the end for those of Latest), and its internal topics are deleted
// with all that stores have. It fails with ErrMembers while an instance is in the group.
// Instances that start again notice that their stores' changelogs are new ones, and clear those;
// where stores are NotLogged, each is to be cleaned up before, with App.CleanUp. With dry it only
// says what it would do.
func Reset(ctx context.Context, t *Topology, cfg Config, dry bool) (ResetPlan, error) {
	if t == nil {
		return ResetPlan{}, errors.New("streams: Reset needs a topology, see Builder.Build")
	}
	rc, err := cfg.runtime(t)
	if err != nil {
		return ResetPlan{}, err
	}
	return run.Reset(ctx, rc, dry)
}
