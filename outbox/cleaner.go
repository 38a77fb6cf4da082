package outbox

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/lifecycle"
)

// CleanerConfig says how a Cleaner works.
type CleanerConfig struct {
	// KeepHistory is how long COMPLETED rows are kept; 0 removes what an
	// earlier setting has left.
	KeepHistory time.Duration
	// Interval between runs; 1 min by default.
	Interval time.Duration
	// BatchRows is how many rows one transaction deletes; 1,000 by default.
	BatchRows int
	// Logger; slog.Default() where nil.
	Logger *slog.Logger
}

// Cleaner trims an outbox's history in small transactions of its own. Several
// do no harm. It is a lifecycle.Service.
type Cleaner struct {
	store Store
	cfg   CleanerConfig

	life   sync.Mutex
	cancel context.CancelFunc
	gone   chan struct{}
}

var _ lifecycle.Service = (*Cleaner)(nil)

// NewCleaner returns a cleaner; its error wraps ErrConfig.
func NewCleaner(store Store, config CleanerConfig) (*Cleaner, error) {
	if config.KeepHistory < 0 || config.Interval < 0 || config.BatchRows < 0 {
		return nil, fmt.Errorf("%w: a cleaner's setting is negative", ErrConfig)
	}
	config.Interval = cmp.Or(config.Interval, time.Minute)
	config.BatchRows = cmp.Or(config.BatchRows, 1000)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Cleaner{store: store, cfg: config}, nil
}

// Start begins cleaning at once.
func (c *Cleaner) Start(ctx context.Context) error {
	c.life.Lock()
	defer c.life.Unlock()
	if c.gone != nil {
		return fmt.Errorf("outbox: the cleaner runs already")
	}
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.gone = make(chan struct{})
	go func() {
		defer close(c.gone)
		c.run(ctx)
	}()
	return nil
}

// Stop ends it; a transaction under way is given up.
func (c *Cleaner) Stop(context.Context) error {
	c.life.Lock()
	defer c.life.Unlock()
	if c.gone == nil {
		return nil
	}
	c.cancel()
	<-c.gone
	c.gone = nil
	return nil
}

func (c *Cleaner) run(ctx context.Context) {
	failures := 0
	for wait := time.Duration(0); pause(ctx, wait, nil); {
		n, err := c.Clean(ctx)
		if n > 0 {
			c.cfg.Logger.Debug("outbox history trimmed", "rows", n)
		}
		wait = c.cfg.Interval
		if err != nil && ctx.Err() == nil {
			failures++
			wait = min(wait, termBackoff.After(failures))
			if failures == 1 {
				c.cfg.Logger.Warn("trimming the outbox's history fails; it is tried again", "error", err)
			}
			continue
		}
		failures = 0
	}
}

// Clean deletes everything that is older than KeepHistory now, and returns how
// many rows it deleted.
func (c *Cleaner) Clean(ctx context.Context) (int64, error) {
	before := time.Now().Add(-c.cfg.KeepHistory)
	for total := int64(0); ; {
		n, err := c.store.TrimHistory(ctx, before, c.cfg.BatchRows)
		total += n
		if err != nil || n < int64(c.cfg.BatchRows) {
			return total, err
		}
	}
}
