package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Errors of jobs.
var (
	// ErrStopped: the restorer was stopped, or the job removed, before the end.
	ErrStopped = errors.New("restoring was stopped")
	// ErrTwice: the changelog partition, or the space, has a job already.
	ErrTwice = errors.New("the store is being restored already")
)

// Restorer runs jobs. It is a lifecycle.Service, and safe for use by many goroutines.
//
// One goroutine looks up leaders and offsets, one for each broker fetches, and a few
// apply what was fetched. A job is worked on by one of those at a time.
type Restorer struct {
	cfg      Config
	client   *kgo.Client
	admin    *kadm.Client
	restored *metrics.Counter // nil is not counted
	leftOut  *metrics.Counter

	mu       sync.Mutex
	changed  *sync.Cond // anything below, or a job
	jobs     map[*Job]bool
	runnable []*Job // with something to apply
	fetchers map[int32]bool
	buffered int64 // bytes fetched and not applied
	started  bool
	stopped  bool

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

const defaultFetchBytes = 32 << 20

// New checks cfg; it does not connect.
func New(cfg Config) (*Restorer, error) {
	cfg.FetchBytes = cmp.Or(cfg.FetchBytes, defaultFetchBytes)
	cfg.Parallel = cmp.Or(cfg.Parallel, max(1, runtime.GOMAXPROCS(0)/2))
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if cfg.Memory == nil {
		cfg.Memory = local.NewBudget(1 << 62)
	}
	client, err := kafka.NewClient(cfg.Kafka, kgo.DisableClientMetrics())
	if err != nil {
		return nil, err
	}
	r := &Restorer{
		cfg: cfg, client: client, admin: kadm.NewClient(client),
		jobs: map[*Job]bool{}, fetchers: map[int32]bool{},
	}
	if cfg.Metrics != nil {
		r.restored = cfg.Metrics.GetOrCreateCounter(fmt.Sprintf("pabal_streams_restored_records_total{application=%q}", cfg.Application))
		r.leftOut = cfg.Metrics.GetOrCreateCounter(fmt.Sprintf("pabal_streams_restore_left_out_total{application=%q}", cfg.Application))
	}
	r.changed = sync.NewCond(&r.mu)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Start begins to work on the jobs; it does not wait for brokers.
func (r *Restorer) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started || r.stopped {
		return nil
	}
	r.started = true
	r.wg.Go(r.lookUp)
	for range r.cfg.Parallel {
		r.wg.Go(r.applyAll)
	}
	return nil
}

// Stop ends every job after its batch under way, and returns when no goroutine is left.
// ctx bounds nothing: all that is under way is bounded.
func (r *Restorer) Stop(context.Context) error {
	r.mu.Lock()
	for j := range r.jobs {
		j.finish(ErrStopped)
	}
	r.stopped = true
	r.cancel()
	r.changed.Broadcast()
	r.mu.Unlock()
	r.wg.Wait()
	r.client.Close()
	return nil
}

// Add begins a job, at Space.Offset() or at the changelog's beginning; before Start it
// waits for that. A space that does not fit its changelog (its offset is past the end, or
// was deleted from it), or is corrupt, is cleared and filled from the beginning.
// It fails with ErrTwice, or ErrStopped after Stop.
func (r *Restorer) Add(s Spec) (*Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return nil, ErrStopped
	}
	for other := range r.jobs {
		if other.spec.Space == s.Space {
			return nil, fmt.Errorf("%w: %s of task %d_%d", ErrTwice, s.Store.Name, s.Task.Sub, s.Task.Partition)
		}
	}
	j := newJob(r, s)
	r.jobs[j] = true
	r.changed.Broadcast()
	return j, nil
}

// Fills says that there is a job of that task that was not removed.
func (r *Restorer) Fills(id plan.TaskID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for j := range r.jobs {
		if j.spec.Task == id {
			return true
		}
	}
	return false
}

// Progress of all jobs that are not removed, in order of task and store.
func (r *Restorer) Progress() []Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Progress, 0, len(r.jobs))
	for j := range r.jobs {
		out = append(out, j.progress())
	}
	slices.SortFunc(out, func(a, b Progress) int {
		return cmp.Or(cmp.Compare(a.Task.Sub, b.Task.Sub), cmp.Compare(a.Task.Partition, b.Task.Partition), cmp.Compare(a.Store, b.Store))
	})
	return out
}
