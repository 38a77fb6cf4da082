package hello

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
)

// TopicType is the entity type of the variant whose states are in the table.
const TopicType = "HelloTopic"

const (
	// maxWaiting bounds the commands that wait for their answers.
	maxWaiting = 10_000
	// patience with one command, where its context has more.
	patience = 10 * time.Second
)

// asker sends commands to Commands and hands out what comes back on Answers. Each process
// reads one partition of Answers, from when it started. A lifecycle.Service.
type asker struct {
	cfg       kafka.Config
	log       *slog.Logger
	self      string // begins the ids of its questions
	partition int32
	client    *kgo.Client
	count     atomic.Int64

	kill context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	waiting map[string]chan answer
	stopped bool
}

func newAsker(c kafka.Config, log *slog.Logger) *asker {
	return &asker{cfg: c, log: log, self: rand.Text(), waiting: map[string]chan answer{}, done: make(chan struct{})}
}

// Start finds out where the answers begin.
func (a *asker) Start(ctx context.Context) error {
	from, err := a.place(ctx)
	if err != nil {
		return err
	}
	a.client, err = kafka.NewClient(a.cfg,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{a.cfg.Topic(Answers): {a.partition: from}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(1<<20),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordRetries(3), kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(patience))
	if err != nil {
		return err
	}
	life, kill := context.WithCancel(context.WithoutCancel(ctx))
	a.kill = kill
	go a.listen(life)
	return nil
}

// place chooses the partition of the answers, and where to begin: answers to questions that
// are asked later come later.
func (a *asker) place(ctx context.Context) (kgo.Offset, error) {
	client, err := kafka.NewClient(a.cfg)
	if err != nil {
		return kgo.Offset{}, err
	}
	defer client.Close()
	topic := a.cfg.Topic(Answers)
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil || len(ends[topic]) == 0 {
		return kgo.Offset{}, fmt.Errorf("find the end of topic %s: %w", topic, err)
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(a.self))
	a.partition = int32(hash.Sum32() % uint32(len(ends[topic])))
	return kgo.NewOffset().At(ends[topic][a.partition].Offset), nil
}

// Stop ends those who wait.
func (a *asker) Stop(context.Context) error {
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.kill()
	<-a.done
	a.client.Close()
	return nil
}

func (a *asker) listen(ctx context.Context) {
	defer close(a.done)
	for ctx.Err() == nil {
		fetches := a.client.PollFetches(ctx)
		fetches.EachError(func(topic string, partition int32, err error) {
			if ctx.Err() == nil {
				a.log.Warn("read the answers", "topic", topic, "partition", partition, "error", err)
			}
		})
		fetches.EachRecord(a.deliver)
	}
}

func (a *asker) deliver(r *kgo.Record) {
	a.mu.Lock()
	to := a.waiting[string(r.Key)]
	delete(a.waiting, string(r.Key))
	a.mu.Unlock()
	if to == nil {
		return // another process's, or of somebody who has gone
	}
	var got answer
	if err := json.Unmarshal(r.Value, &got); err != nil {
		a.log.Error("an answer cannot be read", "offset", r.Offset, "error", err)
		return
	}
	to <- got // has room for it
}

// Errors of questions. After errUnanswered the command may have been carried out.
var (
	errBusy       = errors.New("too many commands are waiting")
	errUnanswered = errors.New("no answer in time; send it again with the same Idempotency-Key")
)

// Ask has a command carried out. One that comes again with the same key is not: it gets the
// answer of the first.
func (a *asker) Ask(ctx context.Context, id, key string, command Command) (Reply, error) {
	m := messageOf(command)
	m.Key = key
	got, err := a.ask(ctx, id, m)
	return got.Reply, err
}

// Read is a question like others: behind all that was answered.
func (a *asker) Read(ctx context.Context, id string) (State, error) {
	got, err := a.ask(ctx, id, message{Kind: kindState})
	if err != nil || got.State == nil {
		return State{}, err
	}
	return *got.State, nil
}

func (a *asker) ask(ctx context.Context, id string, m message) (answer, error) {
	persistenceID, err := journal.PersistenceID(TopicType, id)
	if err == nil {
		err = journal.CheckPersistenceID(persistenceID)
	}
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errUnanswered)
	defer cancel()
	m.ID, m.Partition = a.self+"-"+strconv.FormatInt(a.count.Add(1), 10), a.partition
	to, err := a.wait(m.ID)
	if err != nil {
		return answer{}, err
	}
	defer a.forget(m.ID)
	value, err := json.Marshal(m)
	if err != nil {
		return answer{}, err
	}
	record := &kgo.Record{Topic: a.cfg.Topic(Commands), Key: []byte(persistenceID), Value: value}
	if err := a.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return answer{}, fmt.Errorf("send the command: %w", err)
	}
	select {
	case got := <-to:
		return got, got.err()
	case <-a.done:
		return answer{}, errUnanswered
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
}

// wait registers a question before it is sent.
func (a *asker) wait(question string) (<-chan answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped || len(a.waiting) >= maxWaiting {
		return nil, errBusy
	}
	to := make(chan answer, 1)
	a.waiting[question] = to
	return to, nil
}

func (a *asker) forget(question string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, question)
}
