package admin

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/projection"
)

// Projections is the part of API about projections: those that run in this process
// and what the database knows of all. Without a store of projections the service
// answers ErrNotFound.
type Projections interface {
	// Projections lists them by name.
	Projections(ctx context.Context) ([]ProjectionInfo, error)
	// PauseProjection keeps a projection from handling events, in every process, until
	// ResumeProjection.
	PauseProjection(ctx context.Context, name string) error
	ResumeProjection(ctx context.Context, name string) error
	// ResetProjection has it handle events again, in every process.
	ResetProjection(ctx context.Context, r ProjectionReset) error
	// RebuildProjection does one step of a rebuild beside the live view: ErrConflict
	// where the projection does not run in the process that is asked, or cannot be
	// rebuilt.
	RebuildProjection(ctx context.Context, r RebuildRequest) (Rebuilt, error)
}

// ProjectionStatus is a projection of this instance, as it runs.
type ProjectionStatus struct {
	Name string `json:"name"`
	// Source tells whose events it handles.
	Source string `json:"source"`
	// State is "running", "idle" (it has no slices now), "paused" or "failed".
	State string `json:"state"`
	// Ranges this instance handles.
	Ranges []projection.RangeStats `json:"ranges"`
	// LagEvents counts those of its events that were not handled yet; LagMore says that
	// there are more. LagMicros is for how long it has been behind.
	LagEvents int64 `json:"lagEvents"`
	LagMore   bool  `json:"lagMore,omitempty"`
	LagMicros int64 `json:"lagMicros"`
	// Handled, Failed and Skipped count events since the start, Retried attempts.
	Handled int64 `json:"handled"`
	Failed  int64 `json:"failed"`
	Skipped int64 `json:"skipped"`
	Retried int64 `json:"retried"`
	// Problem is why it does not go on, "" where it does.
	Problem string `json:"problem,omitempty"`
	// Rebuild is nil while none is under way here.
	Rebuild *RebuildStatus `json:"rebuild,omitempty"`
}

// RebuildStatus is a rebuild beside the live view.
type RebuildStatus struct {
	// State is "running", "caught up", "paused" or "failed".
	State string `json:"state"`
	// LagEvents and LagMore as in ProjectionStatus.
	LagEvents int64  `json:"lagEvents"`
	LagMore   bool   `json:"lagMore,omitempty"`
	Problem   string `json:"problem,omitempty"`
}

// ProjectionInfo is what is known of a projection.
type ProjectionInfo struct {
	Name string `json:"name"`
	// Source tells whose events it handles; "" where the database does not know yet.
	Source string `json:"source"`
	Paused bool   `json:"paused"`
	// Workers alive, by name.
	Workers []string          `json:"workers"`
	Ranges  []ProjectionRange `json:"ranges"`
	// Latest is the time of the newest event handled, Consumed when that was.
	Latest   time.Time `json:"latest,omitzero"`
	Consumed time.Time `json:"consumed,omitzero"`
	// Rebuilding says that a rebuild is under way.
	Rebuilding bool `json:"rebuilding,omitempty"`
	// Running is this instance's part, nil where it does not run in it.
	Running *ProjectionStatus `json:"running,omitempty"`
}

// ProjectionRange is a slice range with offsets.
type ProjectionRange struct {
	// Slices such as "0-255".
	Slices string    `json:"slices"`
	Epoch  int64     `json:"epoch"`
	Saved  time.Time `json:"saved,omitzero"`
}

// ProjectionReset says from where a projection handles events again.
type ProjectionReset struct {
	Projection string `json:"projection"`
	// To is "beginning", "now" (everything before is left out), or "time:" with a
	// time in RFC 3339: all since then, and some from before.
	To string `json:"to"`
}

// RebuildStep is a step of a rebuild.
type RebuildStep string

// Steps.
const (
	// RebuildStart makes empty copies of the view's tables and fills them beside the
	// live ones; ErrConflict where a rebuild is under way.
	RebuildStart RebuildStep = "start"
	// RebuildCompare counts the rows that differ.
	RebuildCompare RebuildStep = "compare"
	// RebuildSwap makes the copies the live tables.
	RebuildSwap RebuildStep = "swap"
	// RebuildCancel drops the copies.
	RebuildCancel RebuildStep = "cancel"
)

// RebuildRequest asks for a step of a rebuild.
type RebuildRequest struct {
	Projection string      `json:"projection"`
	Step       RebuildStep `json:"step"`
}

// Rebuilt is what a step found.
type Rebuilt struct {
	// Differences of RebuildCompare, by table.
	Differences []projection.Difference `json:"differences,omitempty"`
}
