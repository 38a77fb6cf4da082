package entity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
)

// ServerConfig of a Server. Topic is required.
type ServerConfig[C, R any] struct {
	// Topic of commands, without the tenant's prefix. The key of a record is the
	// entity's id.
	Topic string
	// ReplyTopic is Topic + ".replies".
	ReplyTopic string
	// Name of the consumer, its group and its inbox; Topic where empty.
	Name string
	// Commands and Replies are JSON of C and R where nil.
	Commands Codec[C]
	Replies  Codec[R]
	// HonourDeadlines refuses commands whose caller's deadline has passed, with
	// CodeDeadline, instead of carrying them out. The clocks of callers and servers
	// should agree then.
	HonourDeadlines bool

	// These are as in inbox.Config.
	BatchSize, Lanes, Attempts        int
	Backoff                           inbox.Backoff
	AfterDeadLetter                   inbox.AfterDeadLetter
	DeadLetterTopic, InstanceID       string
	SessionTimeout, CheckInterval     time.Duration
	MaxWaitingBytes, MaxBufferedBytes int64
	Logger                            *slog.Logger
	Metrics                           *metrics.Set
}

// Server carries out commands from a Kafka topic. Processes that serve one topic
// share its partitions, and with them the entities: the consumer group is the
// sharding. The events, the position in the topic and the reply commit in one
// transaction, so each command takes effect once and is answered once.
//
// The reply leaves through the outbox: the process, or another one, runs a relay.
// A Server is a lifecycle.Service; its host is started before and stopped after
// it.
type Server[T Tx, C, S, R any] struct {
	host     *Host[C, S, R]
	cfg      ServerConfig[C, R]
	consumer *inbox.Consumer[T]
	store    inbox.Store[T]
	wait     time.Duration
	units    sync.Map // of the transactions under way
}

// turnWait is how long a transaction waits for an entity that a direct Ask has.
const turnWait = 250 * time.Millisecond

// NewServer makes a server. store is the database of the host's journal. Its
// errors wrap ErrConfig, inbox.ErrConfig or kafka.ErrConfig.
func NewServer[T Tx, C, S, R any](host *Host[C, S, R], store inbox.Store[T], cluster kafka.Config, c ServerConfig[C, R]) (*Server[T, C, S, R], error) {
	c = c.withDefaults()
	if err := errors.Join(checkCodec(c.Commands), checkCodec(c.Replies)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s := &Server[T, C, S, R]{host: host, cfg: c, store: store, wait: turnWait}
	if hasSingleWriter(store) { // an Ask that has the entity waits for our transaction
		s.wait = 0
	}
	consumer, err := inbox.NewConsumer[T](guarded[T, C, S, R]{store, s}, cluster, inbox.Config[T]{
		Name: c.Name, Topics: map[string]inbox.Handler[T]{c.Topic: s.handle},
		BatchSize: c.BatchSize, Lanes: c.Lanes, Attempts: c.Attempts, Backoff: c.Backoff, AfterDeadLetter: c.AfterDeadLetter,
		DeadLetterTopic: c.DeadLetterTopic, InstanceID: c.InstanceID, SessionTimeout: c.SessionTimeout, CheckInterval: c.CheckInterval,
		MaxWaitingBytes: c.MaxWaitingBytes, MaxBufferedBytes: c.MaxBufferedBytes, Logger: c.Logger, Metrics: c.Metrics,
	})
	s.consumer = consumer
	return s, err
}

func (c ServerConfig[C, R]) withDefaults() ServerConfig[C, R] {
	if c.ReplyTopic == "" {
		c.ReplyTopic = replyTopic(c.Topic)
	}
	if c.Name == "" {
		c.Name = c.Topic
	}
	if c.Commands == nil {
		c.Commands = JSON[C]()
	}
	if c.Replies == nil {
		c.Replies = JSON[R]()
	}
	if c.Attempts == 0 {
		c.Attempts = 5
	}
	return c
}

func replyTopic(commands string) string { return commands + ".replies" }

func hasSingleWriter(store any) bool {
	s, ok := store.(interface{ SingleWriter() bool })
	return ok && s.SingleWriter()
}

// Start begins to take commands. The host runs already.
func (s *Server[T, C, S, R]) Start(ctx context.Context) error { return s.consumer.Start(ctx) }

// Stop finishes the transactions under way and leaves the group.
func (s *Server[T, C, S, R]) Stop(ctx context.Context) error { return s.consumer.Stop(ctx) }

// Health is nil, or says what does not work at the moment.
func (s *Server[T, C, S, R]) Health() error { return s.consumer.Health() }

// Stats are those of the consumer.
func (s *Server[T, C, S, R]) Stats() inbox.Stats { return s.consumer.Stats() }

// guarded is the consumer's store: with a unit in each transaction, which is
// written before the commit and shown after it.
type guarded[T Tx, C, S, R any] struct {
	inbox.Store[T]
	s *Server[T, C, S, R]
}

// Update implements inbox.Store.
func (g guarded[T, C, S, R]) Update(ctx context.Context, fn func(T) error) error {
	var u *unit[C, S, R]
	committed := false
	finish := func() {
		if u != nil {
			u.finish(committed)
		}
	}
	defer func() { finish() }()
	err := g.Store.Update(ctx, func(tx T) error {
		finish() // the store tries again
		u = newUnit(g.s.host, tx, g.s.wait)
		g.s.units.Store(any(tx), u)
		defer g.s.units.Delete(any(tx))
		if err := fn(tx); err != nil {
			return err
		}
		return u.flush(ctx)
	})
	committed = err == nil
	if err != nil && u != nil && len(u.notices) > 0 {
		g.s.notify(ctx, u.notices)
	}
	return err
}

// SingleWriter passes on what inbox.Config.Lanes looks at.
func (g guarded[T, C, S, R]) SingleWriter() bool { return hasSingleWriter(g.Store) }

// Transient implements inbox.Store: a conflict with a direct Ask, or a state that
// cannot be read at the moment, costs no command an attempt.
func (g guarded[T, C, S, R]) Transient(err error) bool { return g.s.transient(err) }

func (s *Server[T, C, S, R]) transient(err error) bool {
	if broken := (*RecoveryError)(nil); errors.As(err, &broken) {
		return false
	}
	return errors.Is(err, journal.ErrConflict) || errors.Is(err, ErrRecoveryTimeout) || errors.Is(err, ErrStopped) || s.store.Transient(err)
}

// notify tells callers, as well as it can, that they wait in vain.
func (s *Server[T, C, S, R]) notify(ctx context.Context, notices []outbox.Message) {
	err := s.store.Update(ctx, func(tx T) error { return outbox.EnqueueMessages(ctx, tx, notices...) })
	if err != nil {
		s.host.log.Warn("callers are not told that their commands failed", "commands", len(notices), "error", err)
	}
}
