package streams

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/run"
)

// App runs a topology in this process: one instance of the application, among any number
// with the same ApplicationID, who share its partitions. It is a lifecycle.Service that is
// started once, and safe for use by many goroutines.
type App struct {
	topology *Topology
	cfg      Config
	runtime  *run.Runtime
}

// Stats are the present state of an App, and counts since its start.
type Stats = run.Stats

// New checks everything, and says everything that is wrong at once. It does not connect.
func New(t *Topology, cfg Config) (*App, error) {
	if t == nil {
		return nil, errors.New("streams: New needs a topology, see Builder.Build")
	}
	rc, err := cfg.runtime(t)
	if err != nil {
		return nil, err
	}
	return &App{topology: t, cfg: cfg.withDefaults(), runtime: run.New(rc)}, nil
}

// stopTimeout bounds what Run does after its context has ended.
const stopTimeout = 30 * time.Second

// Run runs until ctx ends, and then commits and stops. It returns nil after that, and an error
// that ended the App before: see Config.OnUncaught.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(ctx); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-a.runtime.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return errors.Join(a.Stop(stopping), a.Err())
}

// Start looks at the topics, makes the internal ones, fills global stores, and joins the
// group. It returns before tasks run: see State. A source topic that does not exist, or internal
// topics that do not fit, are errors. Stop, called meanwhile, ends it with an error, too.
func (a *App) Start(ctx context.Context) error { return a.runtime.Start(ctx) }

// Stop commits what was done, leaves the group and closes the stores. A static member
// (Config.InstanceID) stays in the group, so that it finds its tasks when it is back. What
// could not be committed until ctx ends is processed again, here or elsewhere.
func (a *App) Stop(ctx context.Context) error { return a.runtime.Stop(ctx) }

// Done is closed when the App has ended, by Stop or by an error: see Err.
func (a *App) Done() <-chan struct{} { return a.runtime.Done() }

// Err is what ended the App; nil while it runs, and after Stop.
func (a *App) Err() error { return a.runtime.Err() }

// State of the App.
func (a *App) State() State { return a.runtime.State() }

// Health is what does not work at the moment and is tried again; nil where all does.
func (a *App) Health() error { return a.runtime.Health() }

// Stats as of now. It waits up to a second for each worker that is busy.
func (a *App) Stats() Stats { return a.runtime.Stats() }

// Pause stops processing and punctuators, here, until Resume; standbys follow on, and the App
// stays a member of the group. It holds over rebalances, not over restarts.
func (a *App) Pause() { a.runtime.Pause() }

// Resume ends Pause.
func (a *App) Resume() { a.runtime.Resume() }

// CleanUp deletes the stores of this application in StateDir, which are restored from Kafka
// when it starts again. It fails while the App runs, or another process uses them.
func (a *App) CleanUp() error { return a.runtime.CleanUp() }

// AddWorker begins one more worker than Config.Workers, until the App ends, and returns how
// many there are. Tasks move to it after a commit; the group notices nothing, but counts the
// workers when tasks are assigned the next time. When ctx ends first, it goes on behind.
func (a *App) AddWorker(ctx context.Context) (int, error) { return a.runtime.AddWorker(ctx) }

// RemoveWorker ends one worker, whose tasks move to the others after a commit, and returns how
// many are left. The last one stays: ErrLastWorker.
func (a *App) RemoveWorker(ctx context.Context) (int, error) { return a.runtime.RemoveWorker(ctx) }

// Errors of AddWorker and RemoveWorker.
var (
	ErrNotRunning = run.ErrNotRunning
	ErrLastWorker = run.ErrLastWorker
)

// Topology that the App runs.
func (a *App) Topology() *Topology { return a.topology }
