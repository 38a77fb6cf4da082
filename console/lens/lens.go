// Package lens finds a business transaction: in the log, by an index of the event
// topics' CloudEvents headers that it keeps, and in the services' outboxes and
// inboxes, which it asks. It draws every hop with its latency, names the first that
// does not go on and why, and watches invariants across log and databases. It
// implements api.Lens.
//
// The index holds headers only, never payloads, and is bounded in time, events and
// bytes. Any producer of CloudEvents is seen, also one not written with Pabal.
package lens

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
)

// Config of a Lens; its zero value works.
type Config struct {
	// Path of the index's SQLite file; "" is a temporary one, gone with Stop.
	Path string
	// Services are asked for what the log does not know; nil: there are none.
	Services api.Services
	// Topics says which topics are indexed.
	Topics Topics
	// Window is how far back the index reaches; 24 h.
	Window time.Duration
	// MaxEvents and MaxBytes bound it too; 2,000,000 and 1 GiB. The oldest go.
	MaxEvents int64
	MaxBytes  int64
	// MaxBehind is how many records the index may be behind before it skips to
	// near the end; 1,000,000. What it skipped is shown as gaps.
	MaxBehind int64
	// MaxDelay is how long it may be behind (by a tenth of MaxBehind) without
	// having caught up in between; 5 minutes.
	MaxDelay time.Duration
	// StallAfter is when a hop that is not done counts as stalled; 5 s.
	StallAfter time.Duration
	// UnpublishedAfter is how long a row may wait in an outbox; 30 s.
	UnpublishedAfter time.Duration
	// AskTimeout bounds what a question to the services takes in all; 2 s.
	AskTimeout time.Duration
	// TopicsEvery is how often topics are looked for; 2 s, less often where
	// looking takes long.
	TopicsEvery time.Duration
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Topics selects topics by their names without the tenant's prefix; '*', '?' and
// '[a-z]' as in path.Match. Internal topics ("__…", "pabal.…") are never indexed.
type Topics struct {
	// Include; empty is all.
	Include []string `json:"include,omitempty"`
	// Exclude wins over Include.
	Exclude []string `json:"exclude,omitempty"`
}

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("lens configuration")

func (c Config) withDefaults() (Config, error) {
	for name, patterns := range map[string][]string{"Include": c.Topics.Include, "Exclude": c.Topics.Exclude} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				return c, fmt.Errorf("%w: Topics.%s: %q is not a pattern: %w", ErrConfig, name, p, err)
			}
		}
	}
	for _, n := range []int64{int64(c.Window), c.MaxEvents, c.MaxBytes, c.MaxBehind, int64(c.MaxDelay), int64(c.StallAfter),
		int64(c.UnpublishedAfter), int64(c.AskTimeout), int64(c.TopicsEvery)} {
		if n < 0 {
			return c, fmt.Errorf("%w: a bound is negative", ErrConfig)
		}
	}
	setDefault(&c.Window, 24*time.Hour)
	setDefault(&c.MaxEvents, 2_000_000)
	setDefault(&c.MaxBytes, 1<<30)
	setDefault(&c.MaxBehind, 1_000_000)
	setDefault(&c.MaxDelay, 5*time.Minute)
	setDefault(&c.StallAfter, 5*time.Second)
	setDefault(&c.UnpublishedAfter, 30*time.Second)
	setDefault(&c.AskTimeout, 2*time.Second)
	setDefault(&c.TopicsEvery, 2*time.Second)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

func setDefault[T ~int64](to *T, value T) {
	if *to == 0 {
		*to = value
	}
}

// Lens is the index and what asks the services. It is safe for concurrent use
// between Start and Stop.
type Lens struct {
	kafka    kafka.Config
	config   Config
	services *services
	watch    cachedViolations

	mu        sync.Mutex
	index     *index // nil before Start
	tail      *tail
	temporary string // folder to delete
	stop      context.CancelFunc
	done      chan struct{}
}

var _ api.Lens = (*Lens)(nil)

// New checks the configuration; nothing is opened before Start.
func New(k kafka.Config, c Config) (*Lens, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := k.Validate(); err != nil {
		return nil, err
	}
	if k.Logger == nil {
		k.Logger = c.Logger
	}
	return &Lens{kafka: k, config: c, services: newServices(c), watch: cachedViolations{age: violationsAge}}, nil
}

// Start opens the index and begins to read; a Kafka that is away is waited for.
func (l *Lens) Start(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		return errors.New("the lens is started already")
	}
	if err := l.open(ctx); err != nil {
		return fmt.Errorf("lens: %w", err)
	}
	running, stop := context.WithCancel(context.Background())
	l.stop, l.done = stop, make(chan struct{})
	l.services.start()
	go func() {
		defer close(l.done)
		var asking sync.WaitGroup
		asking.Go(func() { l.services.acquaint(running, acquaintEvery) })
		l.tail.run(running)
		asking.Wait()
	}()
	return nil
}

func (l *Lens) open(ctx context.Context) (err error) {
	file := l.config.Path
	if file == "" {
		if l.temporary, err = os.MkdirTemp("", "pabal-lens-"); err != nil {
			return err
		}
		file = filepath.Join(l.temporary, "lens.db")
	}
	if l.index, err = openIndex(ctx, file, l.config); err != nil {
		return errors.Join(err, l.forget())
	}
	if l.tail, err = newTail(l.kafka, l.config, l.index, l.services); err != nil {
		return errors.Join(err, l.index.close(), l.forget())
	}
	return nil
}

func (l *Lens) forget() error {
	l.index = nil
	if l.temporary == "" {
		return nil
	}
	folder := l.temporary
	l.temporary = ""
	return os.RemoveAll(folder)
}

// Stop stores what was read and closes the index.
func (l *Lens) Stop(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop == nil {
		return nil
	}
	l.stop()
	l.services.stop()
	<-l.done
	l.stop = nil
	return errors.Join(l.index.close(), l.forget())
}

// reading is the index and its reader; ErrUnavailable while the lens is stopped.
func (l *Lens) reading() (*index, *tail, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop == nil {
		return nil, nil, fmt.Errorf("%w: the lens is not running", api.ErrUnavailable)
	}
	return l.index, l.tail, nil
}

// State says how far the index has come.
func (l *Lens) State(context.Context) (api.LensState, error) {
	ix, t, err := l.reading()
	if err != nil {
		return api.LensState{Problem: err.Error()}, nil
	}
	s := ix.state()
	behind, perSecond, gaps, problem := t.progress()
	s.Behind, s.PerSecond, s.Problem = behind, perSecond, problem
	for _, g := range gaps {
		s.Gaps = append(s.Gaps, g.Gap)
	}
	return s, nil
}
