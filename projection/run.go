package projection

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Projection handles the events of a journal, with other processes' projections of
// its name. It is a lifecycle.Service.
type Projection[T Tx] struct{ runner *runner }

// New makes a projection of what source reads, with its offsets in store. For
// events, source must be able to fetch those of an entity (every journal.Store
// can). Errors wrap ErrConfig. Nothing is read before Start.
func New[T Tx](store Store[T], source journal.Reader, c Config[T]) (*Projection[T], error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	cfg := eraseHandlers(c).withDefaults()
	r := &runner{
		cfg: cfg, store: eraseStore(store), source: source, log: cfg.Logger, health: lifecycle.NewProblems(cfg.Logger, "projection"),
		counts: newCounters(cfg.Metrics, cfg.Name), poke: make(chan struct{}, 1),
		paused: newSignal(), again: newSignal(), wakes: map[chan struct{}]bool{},
	}
	r.loader, _ = source.(loader)
	r.placer, _ = source.(journal.Placer)
	r.tables, _ = any(store).(Tables)
	switch {
	case r.loader == nil && cfg.Query.Kind == journal.Events:
		return nil, fmt.Errorf("%w: projection %s: its source cannot fetch the events of an entity", ErrConfig, c.Name)
	case r.tables == nil && len(cfg.Tables) > 0:
		return nil, fmt.Errorf("%w: projection %s: its store cannot copy tables", ErrConfig, c.Name)
	}
	r.makeSlots()
	return &Projection[T]{r}, nil
}

// Start tells the other workers that it is there, and begins to handle events.
func (p *Projection[T]) Start(ctx context.Context) error { return p.runner.start(ctx) }

// Stop finishes the transactions under way and leaves the slices to others. Where
// ctx ends first, they are given up; their events come again.
func (p *Projection[T]) Stop(ctx context.Context) error { return p.runner.stop(ctx) }

// Health is nil, or says what does not work at the moment: an event that stopped
// a slice range (as an *EventError), the database away. The projection goes on
// trying by itself.
func (p *Projection[T]) Health() error { return p.runner.health.Err() }

// runner is a Projection for any type of transaction.
type runner struct {
	cfg    Config[Tx]
	store  Store[Tx]
	source journal.Reader
	loader loader         // nil where durable states are read
	placer journal.Placer // nil where the source needs none
	tables Tables         // nil where the store has no such
	log    *slog.Logger
	health *lifecycle.Problems
	counts *counters
	panics lifecycle.Limiter

	slots, rebuilds []*slot
	poke            chan struct{} // asks the manager to look now
	paused          *signal       // somebody of this process paused or resumed
	again           *signal       // ranges that stopped may try at once
	held            atomic.Bool   // a swap waits for the rebuild to reach the live view

	wakeMu sync.Mutex
	wakes  map[chan struct{}]bool

	mu      sync.Mutex
	running *running
}

// running is what Stop needs.
type running struct {
	drain, kill context.CancelFunc
	done        chan struct{}
}

// makeSlots names the workers: in the order in which processes came, so that a new
// one moves few slices, and for people.
func (r *runner) makeSlots() {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	id := event.NewID()
	for n := range r.cfg.Workers {
		worker := fmt.Sprintf("%s@%.60s/%04d", id, host, n)
		r.slots = append(r.slots, newSlot(r, worker, r.cfg.Name, ""))
		if len(r.cfg.Tables) > 0 {
			r.rebuilds = append(r.rebuilds, newSlot(r, worker, rebuildName(r.cfg.Name), rebuildSuffix))
		}
	}
}

func (r *runner) allSlots() []*slot { return append(append([]*slot{}, r.slots...), r.rebuilds...) }

func (r *runner) start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running != nil {
		return fmt.Errorf("projection %s is started already", r.cfg.Name)
	}
	if err := r.look(ctx); err != nil {
		return fmt.Errorf("projection %s: the database does not answer: %w", r.cfg.Name, err)
	}
	hard, kill := context.WithCancel(context.Background())
	soft, drain := context.WithCancel(hard)
	r.running = &running{drain: drain, kill: kill, done: make(chan struct{})}
	r.showGauges()
	go r.run(soft, hard, r.running.done)
	return nil
}

func (r *runner) run(soft, hard context.Context, done chan struct{}) {
	defer close(done)
	var slots, others sync.WaitGroup
	for _, s := range r.allSlots() {
		slots.Go(func() { s.run(soft, hard) })
	}
	others.Go(func() { r.manage(soft, hard) })
	others.Go(func() { r.watchLag(soft) })
	others.Go(func() { r.passOnWakes(soft) })
	slots.Wait()
	others.Wait()
	r.goodbye(hard)
}

func (r *runner) stop(ctx context.Context) error {
	r.mu.Lock()
	running := r.running
	r.mu.Unlock()
	if running == nil {
		return nil
	}
	running.drain()
	var late error
	select {
	case <-running.done:
	case <-ctx.Done():
		late = ctx.Err()
		running.kill()
		<-running.done
	}
	running.kill()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == running {
		r.running = nil
		r.hideGauges()
	}
	return late
}

// passOnWakes tells every range that there are events.
func (r *runner) passOnWakes(ctx context.Context) {
	wake, done := r.source.Appends(ctx)
	for open := true; open; {
		select {
		case _, open = <-wake:
			r.wakeAll()
		case <-done:
			return
		}
	}
	<-done
}

func (r *runner) wakeAll() {
	r.wakeMu.Lock()
	defer r.wakeMu.Unlock()
	for w := range r.wakes {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// subscribe returns a channel that is woken until the function is called.
func (r *runner) subscribe() (<-chan struct{}, func()) {
	w := make(chan struct{}, 1)
	r.wakeMu.Lock()
	defer r.wakeMu.Unlock()
	r.wakes[w] = true
	return w, func() {
		r.wakeMu.Lock()
		defer r.wakeMu.Unlock()
		delete(r.wakes, w)
	}
}

// signal wakes everybody who waits for it.
type signal struct {
	mu    sync.Mutex
	next  chan struct{}
	count int64
}

func newSignal() *signal { return &signal{next: make(chan struct{})} }

// wait returns a channel that is closed at the next raise, and how many there were.
func (s *signal) wait() (<-chan struct{}, int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next, s.count
}

func (s *signal) raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.next)
	s.next, s.count = make(chan struct{}), s.count+1
}

// goodbyeTimeout bounds the farewell: without it the slices move when the workers'
// time has run out.
const goodbyeTimeout = 2 * time.Second
