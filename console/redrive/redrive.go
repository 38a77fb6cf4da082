// Package redrive is the centre for dead letters: it finds them, groups them by
// what went wrong, says what became of them, and sends them again.
//
// A letter of a consumer is sent to the topic it came from, under its own id and
// for that consumer alone (inbox.Redrive); a letter of a relay is a row of an
// outbox that is set back to STARTED. What is sent twice, because the console died
// between sending and noting it, the inbox skips: a redrive is safe to repeat.
//
// The index of the letters is a SQLite file and can be deleted, which forgets the
// redrives; messages stay in Kafka and are read where they are shown or sent.
package redrive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config of a Center. Audit is required; zero values of the rest are the defaults
// named.
type Config struct {
	// Path of the SQLite file; its folder must exist. "" is a temporary one.
	Path string
	// Services that gave up; where nil, letters are shown and none can be sent.
	Services api.Services
	// Audit is told of redrives before they begin.
	Audit api.Audit
	// Mask hides parts of messages; nothing where nil.
	Mask *mask.Rules
	// Schemas decode keys and values that were written with one; nil shows them as bytes.
	Schemas record.Schemas
	// MaxLetters bounds the index: the latest letters are kept, and no more than
	// that are read of a partition at first; 100,000.
	MaxLetters int
	// Window is how long a letter is kept in the index after it was given up; no
	// bound where zero.
	Window time.Duration
	// OutcomeWait is how long a redrive waits for what became of letters, where
	// some were given up again, and at its end; 1 minute.
	OutcomeWait time.Duration
	// Clock of rates and waits; the real one where nil.
	Clock Clock
	// Logger; slog.Default() where nil.
	Logger *slog.Logger
}

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// After sends once when d is over.
	After(d time.Duration) <-chan time.Time
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// pace is how often things are looked at.
type pace struct {
	topics   time.Duration // which topics there are, which services
	outcomes time.Duration // what became of letters, at the earliest
	retry    time.Duration // after a failure, doubled up to maxRetry
}

var defaultPace = pace{topics: 10 * time.Second, outcomes: 250 * time.Millisecond, retry: time.Second}

const maxRetry = 30 * time.Second

// Center is a lifecycle.Service, and answers between Start and Stop.
type Center struct {
	config Config
	kafka  kafka.Config
	log    *slog.Logger
	pace   pace
	// Tests fail each durable step, and each record sent.
	durably func(step func() error) error
	produce func(context.Context, *kgo.Client, []*kgo.Record) kgo.ProduceResults

	mu  sync.Mutex
	run *run
}

var (
	_ api.DeadLetters   = (*Center)(nil)
	_ lifecycle.Service = (*Center)(nil)
)

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("redrive configuration")

// New makes a centre for the dead letters of that cluster. Its errors wrap ErrConfig
// or kafka.ErrConfig. Nothing is connected before Start.
func New(cluster kafka.Config, c Config) (*Center, error) {
	if err := cluster.Validate(); err != nil {
		return nil, err
	}
	switch {
	case c.Audit == nil:
		return nil, fmt.Errorf("%w: it needs an audit log", ErrConfig)
	case c.MaxLetters < 0 || c.Window < 0 || c.OutcomeWait < 0:
		return nil, fmt.Errorf("%w: a bound is negative", ErrConfig)
	}
	if c.MaxLetters == 0 {
		c.MaxLetters = 100_000
	}
	if c.OutcomeWait == 0 {
		c.OutcomeWait = time.Minute
	}
	if c.Clock == nil {
		c.Clock = realClock{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Center{config: c, kafka: cluster, log: c.Logger.With("part", "redrive"), pace: defaultPace, durably: directly, produce: produceSync}, nil
}

func directly(step func() error) error { return step() }

func produceSync(ctx context.Context, client *kgo.Client, records []*kgo.Record) kgo.ProduceResults {
	return client.ProduceSync(ctx, records...)
}

// run is a Center between Start and Stop.
type run struct {
	*Center
	index     *index
	directory *directory
	// client reads and asks, producer sends.
	client, producer *kgo.Client
	limits           limits
	temporary        string

	// soft ends with Stop, hard where that takes too long.
	soft, hard  context.Context
	drain, kill context.CancelFunc
	goroutines  sync.WaitGroup
	nudge       chan struct{} // outcomes are waited for

	mu      sync.Mutex
	cluster string // its id, "" until it was asked
	jobs    map[string]context.CancelFunc
	ended   bool
}

// Start opens the index and begins to read dead letters; redrives that ran go on.
// Where Kafka does not answer, that is waited for, and the index answers.
func (c *Center) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != nil {
		return errors.New("the redrive centre is started already")
	}
	r := &run{Center: c, nudge: make(chan struct{}, 1), jobs: map[string]context.CancelFunc{}}
	if err := r.open(ctx); err != nil {
		return errors.Join(fmt.Errorf("the index of dead letters: %w", err), r.close())
	}
	r.hard, r.kill = context.WithCancel(context.Background())
	r.soft, r.drain = context.WithCancel(r.hard)
	r.goroutines.Go(r.follow)
	r.goroutines.Go(r.watch)
	c.run = r
	return nil
}

func (r *run) open(ctx context.Context) (err error) {
	path := r.config.Path
	if path == "" {
		if r.temporary, err = os.MkdirTemp("", "pabal-redrive-"); err != nil {
			return err
		}
		path = filepath.Join(r.temporary, "redrive.db")
	}
	if r.index, err = openIndex(ctx, path, r.log, r.durably); err != nil {
		return err
	}
	if err = r.remember(ctx); err != nil {
		return err
	}
	r.directory = &directory{services: r.config.Services, index: r.index}
	if r.client, err = kafka.NewClient(r.kafka, kgo.DisableClientMetrics(), kgo.MetadataMinAge(100*time.Millisecond)); err != nil {
		return err
	}
	r.producer, err = kafka.NewClient(r.kafka, kgo.DisableClientMetrics(), kgo.UnknownTopicRetries(2), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.ProducerBatchMaxBytesFn(r.limits.of), kgo.RecordRetries(5))
	return err
}

// Stop lets what is being sent be confirmed and noted; redrives go on with the
// next Start. Where ctx ends first, it is given up, and sent again then.
func (c *Center) Stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.run
	if r == nil {
		return nil
	}
	c.run = nil
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.drain()
	done := make(chan struct{})
	go func() { r.goroutines.Wait(); close(done) }()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
		r.kill()
		<-done
	}
	r.kill()
	return errors.Join(err, r.close())
}

func (r *run) close() (err error) {
	if r.producer != nil {
		r.producer.Close()
	}
	if r.client != nil {
		r.client.Close()
	}
	if r.index != nil {
		err = r.index.close()
	}
	if r.temporary != "" {
		err = errors.Join(err, os.RemoveAll(r.temporary))
	}
	return err
}

// running is the run under way.
func (c *Center) running() (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == nil {
		return nil, fmt.Errorf("%w: the redrive centre is not running", api.ErrUnavailable)
	}
	return c.run, nil
}

// clusterID is the cluster's, or the last one's while Kafka does not answer.
func (r *run) clusterID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cluster
}

// sleep waits for d; false where Stop came first.
func (r *run) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-r.config.Clock.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
