package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
)

// SweeperConfig says how a Sweeper works. Slot is required for a CaptureStore, Kafka for a MarkStore.
type SweeperConfig struct {
	// Slot is the replication slot of the connector that publishes this outbox. One of another
	// kind or database is refused, and nothing is removed where the publications of its reader
	// have not this outbox. Rows that a connector leaves out although its publication has them
	// (table.include.list) are not seen: those are removed once it has passed them, and lost.
	Slot string
	// Way is ByCapture, which is the default, or ByMessage for an outbox without rows: once a connector
	// reads the log and what rows there are is published, messages are written to the log only. Rows are
	// written again when the slot is not there or is not such a connector's any more; what was
	// enqueued before that was seen, and was not read, is lost with the slot. There is no history then.
	Way Way
	// Kafka and MarkTopic are where the marks of a MarkStore come to; "pabal.outbox-marks" by default, a
	// topic that the sweeper makes where it is missing. The connector must be of the same prefix.
	Kafka     kafka.Config
	MarkTopic string
	// Name of the outbox in logs; "outbox" by default.
	Name string
	// KeepHistory is as a relay's: above 0, published rows are kept as COMPLETED.
	KeepHistory time.Duration
	// Interval between looks at the outbox; 1 s by default. A row is removed some of
	// these after the connector has told the server that it is published.
	Interval time.Duration
	// BatchRows is how many rows are removed at once; 5,000 by default.
	BatchRows int
	// LeaseTTL is how soon another one takes over from one that died; 10 s by default.
	LeaseTTL time.Duration
	// Holder names this process in the outbox's lease; host, process and a random number
	// by default. See RelayConfig.Holder.
	Holder string
	// Logger; slog.Default() where nil.
	Logger *slog.Logger
}

func (c SweeperConfig) withDefaults() (SweeperConfig, error) {
	c.Name, c.MarkTopic = cmp.Or(c.Name, "outbox"), cmp.Or(c.MarkTopic, "pabal.outbox-marks")
	c.Way = cmp.Or(c.Way, ByCapture)
	c.Interval = cmp.Or(c.Interval, time.Second)
	c.BatchRows = cmp.Or(c.BatchRows, 5000)
	c.LeaseTTL = cmp.Or(c.LeaseTTL, 10*time.Second)
	if c.Holder == "" {
		c.Holder = randomHolder()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("outbox", c.Name)
	switch {
	case c.Way != ByCapture && c.Way != ByMessage:
		return c, fmt.Errorf("%w: a sweeper's outbox leaves by %q or %q, not %q", ErrConfig, ByCapture, ByMessage, c.Way)
	case c.Interval < 0 || c.KeepHistory < 0 || c.BatchRows < 0:
		return c, fmt.Errorf("%w: a sweeper's setting is negative", ErrConfig)
	case c.LeaseTTL < time.Second:
		return c, fmt.Errorf("%w: LeaseTTL is %s, at least 1 s is needed", ErrConfig, c.LeaseTTL)
	}
	return c, nil
}

// Sweeper completes the rows that change data capture has published, as a relay does after
// it has published them itself: they are removed, or moved to the history. It holds the
// outbox's lease, so that no relay publishes meanwhile. It is a lifecycle.Service.
//
// The deletions are changes of the table, too: the connector's publication leaves them
// out, or its outbox event router does.
type Sweeper struct {
	store Store
	cfg   SweeperConfig
	// open makes what finds out about the connector, for one term.
	open func(context.Context) (lookout, error)

	mu    sync.Mutex
	stats Stats

	life   sync.Mutex
	cancel context.CancelFunc
	gone   chan struct{}
}

var _ lifecycle.Service = (*Sweeper)(nil)

// lookout finds out what a connector has published. One goroutine uses it.
type lookout interface {
	look(context.Context) (sight, error)
	close()
}

// sight is what a lookout sees.
type sight struct {
	published []int64
	// empty says that nothing is to be swept.
	empty bool
	// trouble is why nothing of the outbox is published, "" where it is.
	trouble string
	// stir asks for a change of the database, again for another look without a wait.
	stir, again bool
}

// NewSweeper returns one for an outbox in a database that tells how far a connector is; its error wraps
// ErrConfig.
func NewSweeper(store CaptureStore, config SweeperConfig) (*Sweeper, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if config.Slot == "" {
		return nil, fmt.Errorf("%w: a sweeper needs the name of the connector's replication slot", ErrConfig)
	}
	return newSweeper(store, config, func(context.Context) (lookout, error) {
		return &slotLookout{store: store, cfg: config, rowless: rowless{wanted: config.Way == ByMessage}}, nil
	}), nil
}

// NewMarkSweeper returns one for an outbox in a database that does not tell how far a connector is; its error
// wraps ErrConfig.
func NewMarkSweeper(store MarkStore, config SweeperConfig) (*Sweeper, error) {
	config, err := config.withDefaults()
	switch {
	case err != nil:
		return nil, err
	case config.Way != ByCapture:
		return nil, fmt.Errorf("%w: this outbox can leave by %q only, not %q", ErrConfig, ByCapture, config.Way)
	case config.Slot != "":
		return nil, fmt.Errorf("%w: this database has no replication slots; leave Slot out", ErrConfig)
	}
	if err := config.Kafka.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return newSweeper(store, config, func(ctx context.Context) (lookout, error) { return newMarkLookout(ctx, store, config) }), nil
}

func newSweeper(store Store, config SweeperConfig, open func(context.Context) (lookout, error)) *Sweeper {
	return &Sweeper{store: store, cfg: config, open: open, stats: Stats{State: Stopped}}
}

// Start looks at the database once, and begins. The connector may come later. What is in an outbox that no
// relay has ever had is the connector's from now on; one that a relay has had must have been moved, or
// ErrMoved is wrapped.
func (s *Sweeper) Start(ctx context.Context) error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.gone != nil {
		return fmt.Errorf("outbox: the sweeper runs already")
	}
	if store, ok := s.store.(CaptureStore); ok {
		now, err := store.Capture(ctx, s.cfg.Slot, 0)
		switch {
		case err != nil:
			return fmt.Errorf("looking at change data capture: %w", err)
		case now.Wrong != "":
			return fmt.Errorf("%w: %s: %s", ErrSlot, s.cfg.Slot, now.Wrong)
		}
	}
	if store, ok := s.store.(WayStore); ok {
		if err := begin(ctx, store, s.cfg.Way); err != nil {
			return err
		}
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.gone = make(chan struct{})
	go func() {
		defer close(s.gone)
		s.run(ctx)
	}()
	return nil
}

// Stop ends it; a transaction under way is given up.
func (s *Sweeper) Stop(context.Context) error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.gone == nil {
		return nil
	}
	s.cancel()
	<-s.gone
	s.gone = nil
	return nil
}

func (s *Sweeper) run(ctx context.Context) {
	failures := 0
	for wait := time.Duration(0); pause(ctx, wait, nil); {
		held, err := s.term(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && !held:
			failures, wait = 0, s.cfg.LeaseTTL/3
			s.tell(Standby, "another process has the outbox's lease, a relay that still runs or another sweeper, or the outbox was moved to a relay")
		case errors.Is(err, ErrLeaseLost):
			failures, wait = 0, s.cfg.Interval
		default:
			failures++
			wait = termBackoff.After(failures)
			s.tell(Held, err.Error())
		}
	}
}

// term sweeps for as long as it has the lease.
func (s *Sweeper) term(ctx context.Context) (held bool, err error) {
	lease, ok, err := s.store.AcquireLease(ctx, s.cfg.Holder, s.cfg.LeaseTTL)
	if err != nil || !ok {
		return false, err
	}
	defer s.release(ctx, lease)
	id, err := s.store.Identity(ctx)
	if err != nil {
		return true, err
	}
	out, err := s.open(ctx)
	if err != nil {
		return true, err
	}
	defer out.close()
	extended := time.Now()
	for wait := time.Duration(0); pause(ctx, wait, nil); {
		seen, err := out.look(ctx)
		if err != nil {
			return true, err
		}
		if seen.empty {
			if moved, err := s.moved(ctx); moved || err != nil {
				return !moved, err
			}
		}
		if seen.trouble != "" {
			s.tell(Held, seen.trouble)
		} else {
			s.tell(Active, "")
		}
		if ids := seen.published; ids != nil {
			if err := s.store.Complete(ctx, lease, ids, id.Position, s.cfg.KeepHistory > 0); err != nil {
				return true, err
			}
			s.swept(len(ids))
		}
		if seen.stir || time.Since(extended) > s.cfg.LeaseTTL/3 {
			if err := s.store.ExtendLease(ctx, lease, s.cfg.LeaseTTL); err != nil {
				return true, err
			}
			extended = time.Now()
		}
		if wait = s.cfg.Interval; seen.again {
			wait = 0
		}
	}
	return true, ctx.Err()
}

// moved says that nothing is left to sweep, and will not be: a relay is to have the lease.
func (s *Sweeper) moved(ctx context.Context) (bool, error) {
	store, ok := s.store.(WayStore)
	if !ok {
		return false, nil
	}
	way, err := store.Way(ctx)
	return way == ByRelay, err
}

// release is a courtesy to the next one.
func (s *Sweeper) release(ctx context.Context, lease Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := s.store.ReleaseLease(ctx, lease); err != nil {
		s.cfg.Logger.Debug("releasing the lease", "error", err)
	}
}

// tell takes note of the state, and logs what is wrong, once, and that it is over.
func (s *Sweeper) tell(state State, trouble string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == s.stats.State && trouble == s.stats.Reason {
		return
	}
	s.stats.State, s.stats.Reason = state, trouble
	if trouble == "" {
		s.cfg.Logger.Info("a connector publishes the outbox")
		return
	}
	s.cfg.Logger.Warn("the outbox is not swept: what is published stays in it for now", "reason", trouble)
}

func (s *Sweeper) swept(rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Published += int64(rows)
	s.stats.Removed += int64(rows)
}

// Stats returns the present figures: Published are the rows it has seen to be, Active says that a
// connector reads, Held that none does.
func (s *Sweeper) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Health is nil where a connector publishes, or another process sweeps.
func (s *Sweeper) Health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stats.State == Held {
		return fmt.Errorf("the outbox %s is not published: %s", s.cfg.Name, s.stats.Reason)
	}
	return nil
}
