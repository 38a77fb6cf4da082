package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/lifecycle"
)

// CleanerConfig says how long marks are kept. Zero values are the defaults.
type CleanerConfig struct {
	// Retention is how long a mark protects against a duplicate; 7 days. The
	// offsets protect against everything but a message that was sent twice.
	Retention time.Duration
	// Interval between two cleanings; 1 minute.
	Interval time.Duration
	// Step is how many marks one transaction deletes; 1000.
	Step int
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Cleaner deletes old marks of all consumers of a database in small
// transactions. It is a lifecycle.Service; one per database is enough, more do
// no harm.
type Cleaner struct {
	store  Admin
	cfg    CleanerConfig
	health *lifecycle.Problems

	mu   sync.Mutex
	stop context.CancelFunc
	done chan struct{}
}

// NewCleaner makes a cleaner of that database. Its error wraps ErrConfig.
func NewCleaner(store Admin, c CleanerConfig) (*Cleaner, error) {
	if c.Retention < 0 || c.Interval < 0 || c.Step < 0 {
		return nil, fmt.Errorf("%w: cleaner: retention, interval or step is negative", ErrConfig)
	}
	setDefault(&c.Retention, 7*24*time.Hour)
	setDefault(&c.Interval, time.Minute)
	setDefault(&c.Step, 1000)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Cleaner{store: store, cfg: c, health: lifecycle.NewProblems(c.Logger, "consumer")}, nil
}

// Start begins to clean.
func (c *Cleaner) Start(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		return fmt.Errorf("the inbox cleaner is started already")
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.done = stop, make(chan struct{})
	go c.run(ctx, c.done)
	return nil
}

// Stop ends it; a step under way is rolled back.
func (c *Cleaner) Stop(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop == nil {
		return nil
	}
	c.stop()
	<-c.done
	c.stop = nil
	return nil
}

// Health is nil, or why the last cleaning failed.
func (c *Cleaner) Health() error { return c.health.Err() }

func (c *Cleaner) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	for ctx.Err() == nil {
		if err := c.Clean(ctx); err != nil && ctx.Err() == nil {
			c.health.Report("cleaning the inbox", err)
		} else {
			c.health.Solve("cleaning the inbox")
		}
		sleep(ctx, c.cfg.Interval)
	}
}

// Clean deletes what is too old now, step by step.
func (c *Cleaner) Clean(ctx context.Context) error {
	before := time.Now().Add(-c.cfg.Retention)
	for {
		deleted, err := c.store.TrimInbox(ctx, before, c.cfg.Step)
		if err != nil {
			return fmt.Errorf("trim inbox: %w", err)
		}
		if deleted < int64(c.cfg.Step) {
			return nil
		}
	}
}
