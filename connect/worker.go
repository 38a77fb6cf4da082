package connect

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/internal/members"
	"github.com/pabal-dev/pabal/internal/topiclog"
	"github.com/pabal-dev/pabal/kafka"
)

// Worker runs its share of the group's connectors between Start and Stop.
type Worker struct {
	cfg   Config
	board *board
	kinds kinds

	configs, statuses *topiclog.Log
	offsets           *offsetStore
	changes           *topiclog.Writer // of configurations and offsets
	writer            *kgo.Client      // of statuses
	admin             *kadm.Client
	group             *members.Group

	life       context.Context
	end        context.CancelFunc
	hard       context.Context // ends where the worker is to stop at once
	endHard    context.CancelFunc
	herd       sync.WaitGroup
	generation atomic.Int64

	mu      sync.Mutex
	members []string      // nil: this worker is out of the group
	joined  chan struct{} // holds one where members have changed
	units   map[unitID]*unit

	watching  sync.Mutex // of what follows
	meters    map[unitID]*meter
	databases map[string]DatabaseReport // by connector
	look      chan struct{}             // holds one where databases are to be asked at once
}

// writeTimeout bounds what is asked of Kafka, or told it, on the way.
const writeTimeout = 30 * time.Second

// New makes a worker; it does nothing before Start.
func New(cfg Config) (*Worker, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	k, err := newKinds(cfg.Plugins)
	if err != nil {
		return nil, err
	}
	return &Worker{
		cfg: cfg, board: newBoard(cfg.Logger), kinds: k,
		joined: make(chan struct{}, 1), units: map[unitID]*unit{},
		meters: map[unitID]*meter{}, databases: map[string]DatabaseReport{}, look: make(chan struct{}, 1),
	}, nil
}

// Start reads the group's topics and joins the group. Connectors start when it has taken this
// worker in.
func (w *Worker) Start(ctx context.Context) (err error) {
	w.life, w.end = context.WithCancel(context.Background())
	w.hard, w.endHard = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			w.release()
		}
	}()
	if w.writer, err = kafka.NewClient(w.cfg.Kafka, kgo.RecordRetries(math.MaxInt32), kgo.DisableClientMetrics(), kgo.MetadataMinAge(250*time.Millisecond)); err != nil {
		return err
	}
	w.admin = kadm.NewClient(w.writer)
	if w.configs, err = topiclog.Open(ctx, w.cfg.Kafka, w.cfg.topic(w.cfg.ConfigTopic, 1), w.board.applyConfig); err != nil {
		return err
	}
	if w.statuses, err = topiclog.Open(ctx, w.cfg.Kafka, w.cfg.topic(w.cfg.StatusTopic, statusPartitions), w.board.applyStatus); err != nil {
		return err
	}
	if w.offsets, err = openOffsets(ctx, w.cfg); err != nil {
		return err
	}
	w.changes = w.newWriter()
	w.board.mu.Lock()
	w.board.live = true
	w.board.mu.Unlock()
	w.herd.Go(w.keepHerd)
	w.herd.Go(w.keepInspecting)
	w.herd.Go(w.keepTelling)
	w.group, err = members.Join(members.Config{
		Kafka: w.cfg.Kafka, Group: w.cfg.Kafka.Group(w.cfg.Group), Topic: w.configs.Topic(),
		Self:           w.cfg.ID,
		SessionTimeout: w.cfg.SessionTimeout, OnChange: w.onMembers,
	})
	return err
}

// Stop stops the tasks, each after what it has sent is committed, and leaves the group. Where ctx
// ends first, what is not committed is given up: it is sent again by who has the task next.
func (w *Worker) Stop(ctx context.Context) error {
	if w.end == nil {
		return nil
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.release()
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
	}
	w.endHard()
	<-stopped
	return ctx.Err()
}

func (w *Worker) release() {
	w.end()
	w.herd.Wait()
	if w.group != nil {
		ctx, cancel := context.WithTimeout(w.hard, leaveTimeout)
		w.group.Leave(ctx)
		cancel()
	}
	if w.changes != nil {
		w.changes.Close()
	}
	for _, l := range []*topiclog.Log{w.configs, w.statuses} {
		if l != nil {
			l.Close()
		}
	}
	if w.offsets != nil {
		w.offsets.close()
	}
	if w.writer != nil {
		ctx, cancel := context.WithTimeout(w.hard, leaveTimeout)
		if err := w.writer.Flush(ctx); err != nil {
			w.cfg.Logger.Warn("connect: the last statuses were not written", "error", err)
		}
		cancel()
		w.writer.Close()
	}
	w.endHard()
	w.end = nil // what was asked of the worker meanwhile fails by its closed clients
}

// leaveTimeout bounds each farewell.
const leaveTimeout = 10 * time.Second

func (w *Worker) onMembers(all []string) {
	w.mu.Lock()
	w.members = all
	w.mu.Unlock()
	w.generation.Add(1)
	select {
	case w.joined <- struct{}{}:
	default:
	}
}

// Ready is ErrUnready while this worker is not in its group.
func (w *Worker) Ready() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.members) == 0 {
		return problem{ErrUnready, "this worker is not in its group at the moment: try again in a few seconds"}
	}
	return nil
}

// ClusterID is Kafka's id of the cluster.
func (w *Worker) ClusterID(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	id, err := kafka.ClusterID(ctx, w.writer, w.cfg.Kafka)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnready, err)
	}
	return id, nil
}
