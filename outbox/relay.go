package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Relay moves committed rows to Kafka. Of all relays of an outbox one is
// active; the others stand by. It is a lifecycle.Service.
//
// The outbox is a queue: a row is pending as long as it is in the table. The
// active relay publishes a batch and its position (which rows these are) in one
// Kafka transaction, then removes the rows. After a crash the position tells
// which rows are in the log already; they are removed without being published.
// So every row is in the log exactly once for readers with read_committed.
//
// A row that Kafka refuses, as too large or invalid, waits with its key while
// other keys go on; refused too often, it becomes FAILED and a dead letter, and
// its key goes on. A topic that does not exist waits alone. A broker or
// database that is away is waited for.
type Relay struct {
	store   Store
	cluster kafka.Config
	cfg     RelayConfig
	log     *slog.Logger
	pace    pace
	extra   []kgo.Opt // of its Kafka clients, for tests
	pausing pausing

	mu    sync.Mutex
	stats Stats
	why   error // why it does not move, nil where it does

	life   sync.Mutex
	cancel context.CancelFunc // hard stop
	stop   chan struct{}      // closed for a graceful one
	gone   chan struct{}      // closed when no goroutine is left
}

var _ lifecycle.Service = (*Relay)(nil)

// NewRelay returns a relay; its error wraps ErrConfig or kafka.ErrConfig and
// names the setting.
func NewRelay(store Store, cluster kafka.Config, config RelayConfig) (*Relay, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := cluster.Validate(); err != nil {
		return nil, err
	}
	if cluster.Logger == nil {
		cluster.Logger = config.Logger
	}
	r := &Relay{store: store, cluster: cluster, cfg: config, log: config.Logger,
		pace: pace{rows: config.BatchRows, most: config.BatchRows}, pausing: pausing{changed: make(chan struct{}, 1)}}
	r.stats.State = Stopped
	r.register(config.Metrics)
	return r, nil
}

// startPatience is how long Start waits for the relay to read its position
// back, which another relay's transaction can delay; the relay goes on doing so.
const startPatience = 5 * time.Second

// Start returns once the relay is active or stands by. Its error tells that
// database or Kafka do not answer, or wraps one of the errors NeedsChoice knows.
func (r *Relay) Start(ctx context.Context) error {
	r.life.Lock()
	defer r.life.Unlock()
	if r.gone != nil {
		return errors.New("outbox: the relay runs already")
	}
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel, r.stop, r.gone = cancel, make(chan struct{}), make(chan struct{})
	ready := make(chan error, 1)
	go r.run(hard, ready)

	began := time.Now()
	patience := time.NewTicker(startPatience / 10)
	defer patience.Stop()
	var err error
	for waiting := true; waiting; {
		select {
		case err = <-ready:
			waiting = false
		case <-ctx.Done():
			err, waiting = ctx.Err(), false
		case <-patience.C:
			waiting = r.Stats().State != Recovering || time.Since(began) < startPatience
		}
	}
	if err != nil {
		cancel()
		<-r.gone
		r.gone = nil
	}
	return err
}

// Stop publishes nothing new, finishes what is under way and gives up the lease.
func (r *Relay) Stop(ctx context.Context) error {
	r.life.Lock()
	defer r.life.Unlock()
	if r.gone == nil {
		return nil
	}
	close(r.stop)
	var err error
	select {
	case <-r.gone:
	case <-ctx.Done():
		err = ctx.Err()
	}
	r.cancel()
	<-r.gone
	r.gone = nil
	r.Resume()
	r.state(Stopped, nil)
	return err
}

// terms with an error in between are tried again after this.
var (
	termBackoff = Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}
	// choiceWait is the wait where somebody must choose.
	choiceWait = Backoff{Min: 5 * time.Second, Max: 5 * time.Second}
)

// run goes from term to term until stop or ctx ends it. What became of the
// first one goes to ready.
func (r *Relay) run(ctx context.Context, ready chan<- error) {
	defer close(r.gone)
	watching, stopWatching := context.WithCancel(ctx)
	wake, woken := r.store.Wakeups(watching)
	counted := make(chan struct{})
	go func() { defer close(counted); r.watchBacklog(watching) }()
	defer func() { stopWatching(); <-woken; <-counted }()

	r.state(Connecting, nil)
	for failures := 0; ; {
		began := time.Now()
		standby, err := r.term(ctx, wake, ready)
		if r.stopping(ctx) {
			return
		}
		report(ready, err)
		wait := min(r.cfg.LeaseTTL/3, time.Second)
		switch {
		case err != nil && (errors.Is(err, errLimitRaised) || errors.Is(err, ErrLeaseLost)):
			wait = time.Millisecond
		case NeedsChoice(err):
			wait = choiceWait.After(1)
		case err != nil:
			if time.Since(began) > 2*termBackoff.Max {
				failures = 0
			}
			failures++
			wait = termBackoff.After(failures)
		}
		if !standby {
			r.failed(err)
		}
		if !pause(ctx, wait, r.stop) {
			return
		}
	}
}

func (r *Relay) stopping(ctx context.Context) bool {
	select {
	case <-r.stop:
		return true
	default:
		return ctx.Err() != nil
	}
}

// report tells Start, which listens only once.
func report(ready chan<- error, err error) {
	select {
	case ready <- err:
	default:
	}
}
