package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/kafka"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// task is the only one of a connector: one change stream is one order of events.
type task struct {
	settings   *settings
	client     *mongo.Client
	log        *slog.Logger
	context    []plugin.Header
	positions  bool
	memory     int64
	heartbeats *debezium.Heartbeats
	movedAt    time.Time
	kafka      kafka.Config
	topic      atomic.Pointer[debezium.SignalTopic]

	at atomic.Pointer[position] // after the last record in the queue; nil before the first
	// skipped says that no snapshot was taken, which is still to be told.
	skipped bool
	begun   bool // with records of this run: snapshot.mode=always is done

	// wanted are the collections that a snapshot has left to read, read those of them that it has.
	wanted, read atomic.Int64

	mu     sync.Mutex // Close may come while Poll waits
	closed bool
	queue  *feed.Records      // replaced only while nobody fills it
	cancel context.CancelFunc // nil while nobody fills the queue
	done   chan struct{}      // of the goroutine that fills the queue
}

// pollWait is how long Poll waits at most.
const pollWait = 900 * time.Millisecond

// Poll implements plugin.SourceTask. What fills the queue is started by the first call, and again
// by the one after an error.
func (t *task) Poll(ctx context.Context) ([]plugin.SourceRecord, error) {
	queue := t.filled()
	if queue == nil {
		return nil, nil
	}
	records, ended, err := queue.Take(ctx, t.settings.MaxBatch, pollWait)
	if ended {
		t.stop()
	}
	return records, err
}

// Committed implements plugin.SourceTask: the server keeps nothing for us.
func (t *task) Committed(_ context.Context, at plugin.Position) error {
	if p, ok := at.(*position); ok {
		t.topic.Load().Stored(p.incremental.SignalOffset())
	}
	return nil
}

var _ plugin.Observed = (*task)(nil)

// Observe how far the task is.
func (t *task) Observe() plugin.Observation {
	o := plugin.Observation{Tables: int(t.wanted.Load()), TablesDone: int(t.read.Load())}
	t.mu.Lock()
	queue := t.queue
	t.mu.Unlock()
	if queue != nil {
		o.QueueBytes, o.QueueLimit = queue.Fill()
	}
	return o
}

// closeTimeout bounds the good-byes to servers.
const closeTimeout = 5 * time.Second

// Close implements plugin.SourceTask.
func (t *task) Close(ctx context.Context) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.stop()
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	return t.client.Disconnect(ctx)
}

// filled is the queue, which is being filled from now on; nil once the task is closed.
func (t *task) filled() *feed.Records {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	if t.cancel == nil {
		t.start()
	}
	return t.queue
}

// start with the lock held.
func (t *task) start() {
	t.memory = feed.Memory(t.settings.Settings, t.memory)
	// The snapshot reads ahead with as much again.
	queue, done := feed.NewQueue(t.memory/2, t.settings.MaxQueue, recordBytes), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	t.queue, t.done, t.cancel = queue, done, cancel
	go func() {
		defer close(done)
		err := feed.Guard(func() error { return t.run(ctx) })
		if ctx.Err() != nil {
			err = nil
		}
		queue.End(err)
	}()
}

// recordBytes of a record in the queue; those of small ones are not known.
func recordBytes(r *plugin.SourceRecord) int { return max(r.Bytes, recordOverhead) }

func (t *task) stop() {
	t.mu.Lock()
	cancel, done := t.cancel, t.done
	t.cancel, t.done = nil, nil
	t.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// run makes records from where the last run left off.
func (t *task) run(ctx context.Context) error {
	from := t.at.Load()
	snapshot, err := t.wantsSnapshot(from)
	if err != nil {
		return err
	}
	t.skipped = !snapshot
	for {
		if snapshot {
			if err := t.pause(ctx, "snapshot.delay.ms"); err != nil {
				return err
			}
			if from, err = t.snapshot(ctx, from); err != nil {
				return err
			}
			if err := t.pause(ctx, "streaming.delay.ms"); err != nil {
				return err
			}
		}
		t.begun = true
		if t.settings.snapshot == "initial_only" {
			<-ctx.Done()
			return ctx.Err()
		}
		start := from
		if start == nil {
			start = t.firstPosition()
		}
		base := start
		if base == nil {
			base = newPosition(t.settings.Naming.Prefix)
		}
		recorder, err := newRecorder(t.settings, t.context, base)
		if err != nil {
			return fmt.Errorf("mongodb: %w", err)
		}
		if recorder.incremental.State().Blocking() != nil {
			if from, err = t.blocking(ctx, recorder); err != nil {
				return err
			}
			snapshot = false
			continue
		}
		err = t.stream(ctx, recorder, start)
		if errors.Is(err, errBlocking) {
			from, snapshot = recorder.at, false
			continue
		}
		if !errors.Is(err, errLost) || t.settings.snapshot != "when_needed" {
			return err
		}
		t.log.Warn("The position is no longer on the server; a new snapshot is taken, as snapshot.mode=when_needed says.", "error", err)
		from, snapshot = nil, true
	}
}

// pause for as long as the option says.
func (t *task) pause(ctx context.Context, key string) error {
	timer := time.NewTimer(t.settings.values.Millis(key))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// wantsSnapshot decides by snapshot.mode and the stored position.
func (t *task) wantsSnapshot(from *position) (bool, error) {
	never := t.settings.snapshot == "no_data" || t.settings.snapshot == "never"
	switch {
	case from != nil && from.snapshot != nil && never:
		return false, fmt.Errorf("mongodb: the connector previously stopped while taking a snapshot, but now snapshot.mode=%s never takes one. Reconfigure the connector to use snapshots initially or when needed", t.settings.snapshot)
	case never:
		return false, nil
	case from == nil || from.snapshot != nil:
		return true, nil
	}
	return t.settings.snapshot == "always" && !t.begun, nil
}

// firstPosition is capture.start.op.time; nil is now.
func (t *task) firstPosition() *position {
	start := t.settings.values.Int("capture.start.op.time")
	if start < 0 {
		return nil
	}
	p := newPosition(t.settings.Naming.Prefix)
	p.sec, p.ord = start>>32, start&0xffffffff
	return p
}

func newTask(s *settings, client *mongo.Client, c plugin.SourceContext, at *position) *task {
	t := &task{
		settings: s, client: client, log: c.Logger, positions: c.Positions, memory: c.Memory, kafka: c.Kafka,
		context:    debezium.ContextHeaders(s.Settings, "mongodb", strconv.Itoa(c.Task), fmt.Sprintf("%s-%d", c.Connector, time.Now().UnixNano())),
		heartbeats: debezium.NewHeartbeats(s.Settings, time.Now()),
	}
	if t.log == nil {
		t.log = slog.Default()
	}
	t.at.Store(at)
	return t
}
