package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/lifecycle"
)

// SweeperConfig says how a Sweeper works; Slot is required.
type SweeperConfig struct {
	// Slot is the replication slot of the connector that publishes this outbox. One of another
	// kind or database is refused, and nothing is removed where the publications of its reader
	// have not this outbox. Rows that a connector leaves out although its publication has them
	// (table.include.list) are not seen: those are removed once it has passed them, and lost.
	Slot string
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
	c.Name = cmp.Or(c.Name, "outbox")
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
	case c.Slot == "":
		return c, fmt.Errorf("%w: a sweeper needs the name of the connector's replication slot", ErrConfig)
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
	store CaptureStore
	cfg   SweeperConfig

	mu    sync.Mutex
	stats Stats

	life   sync.Mutex
	cancel context.CancelFunc
	gone   chan struct{}
}

var _ lifecycle.Service = (*Sweeper)(nil)

// NewSweeper returns a sweeper; its error wraps ErrConfig.
func NewSweeper(store CaptureStore, config SweeperConfig) (*Sweeper, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Sweeper{store: store, cfg: config, stats: Stats{State: Stopped}}, nil
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
	now, err := s.store.Capture(ctx, s.cfg.Slot, 0)
	switch {
	case err != nil:
		return fmt.Errorf("looking at change data capture: %w", err)
	case now.Wrong != "":
		return fmt.Errorf("%w: %s: %s", ErrSlot, s.cfg.Slot, now.Wrong)
	}
	if store, ok := s.store.(WayStore); ok {
		if err := begin(ctx, store); err != nil {
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
	var r readers
	extended := time.Now()
	for wait := time.Duration(0); pause(ctx, wait, nil); {
		now, err := s.store.Capture(ctx, s.cfg.Slot, s.cfg.BatchRows)
		if err != nil {
			return true, err
		}
		if len(now.IDs) == 0 {
			if moved, err := s.moved(ctx); moved || err != nil {
				return !moved, err
			}
		}
		if why := trouble(now, s.cfg.Slot); why != "" {
			s.tell(Held, why)
		} else {
			s.tell(Active, "")
		}
		marked := r.mark.IDs != nil
		if ids := r.take(now); ids != nil {
			if err := s.store.Complete(ctx, lease, ids, id.Position, s.cfg.KeepHistory > 0); err != nil {
				return true, err
			}
			s.swept(len(ids))
		}
		// A lease that is extended is also a change after the mark, so that the connector
		// passes it though nobody else writes.
		if fresh := !marked && r.mark.IDs != nil; fresh || time.Since(extended) > s.cfg.LeaseTTL/3 {
			if err := s.store.ExtendLease(ctx, lease, s.cfg.LeaseTTL); err != nil {
				return true, err
			}
			extended = time.Now()
		}
		wait = s.cfg.Interval
		if marked && r.mark.IDs == nil {
			wait = 0 // the next mark
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

// trouble is why nothing of the outbox is published, "" where it is.
func trouble(c Capture, slot string) string {
	switch {
	case !c.Slot:
		return fmt.Sprintf("there is no replication slot %q in this database: create the connector, with that slot.name", slot)
	case c.Wrong != "":
		return fmt.Sprintf("the replication slot %q is not of a connector that publishes this outbox: %s", slot, c.Wrong)
	case c.Reader == "":
		return fmt.Sprintf("no connector reads through the replication slot %q", slot)
	case c.Hidden:
		return fmt.Sprintf("what is read through the replication slot %q cannot be seen: GRANT pg_read_all_stats to the service's user, or have it and the connector be one; track_activities must be on", slot)
	case !c.Published:
		return fmt.Sprintf("the connector that reads through the replication slot %q does not publish this outbox: its publication must have all inserts of pabal_outbox; where it is another connector's slot, name the right one", slot)
	}
	return ""
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
		s.cfg.Logger.Info("a connector publishes the outbox", "slot", s.cfg.Slot)
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
