package entity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ClientConfig of a Client. Topic is required; topics and codecs are those of the
// Server.
type ClientConfig[C, R any] struct {
	// Topic of commands, ReplyTopic (Topic + ".replies") of replies, without the
	// tenant's prefix. The reply topic is created where it is missing and Kafka
	// allows it; its number of partitions must not change while clients run.
	Topic, ReplyTopic string
	// Instance names this client among the others; its hash chooses the partition of
	// the reply topic. A fresh UUID where empty.
	Instance string
	// Source of the commands, see event.Event; "/entity-client" where empty.
	Source string
	// Commands and Replies are JSON of C and R where nil.
	Commands Codec[C]
	Replies  Codec[R]
	// MaxPending is how many commands may wait for a reply; 10,000.
	MaxPending int
	// ReplyRetention is how long a reply topic that is created keeps replies; 1 h.
	ReplyRetention time.Duration
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Client asks entities over Kafka. It is a lifecycle.Service, safe for concurrent
// use.
type Client[C, R any] struct {
	cluster kafka.Config
	cfg     ClientConfig[C, R]
	log     *slog.Logger
	health  *lifecycle.Problems

	mu      sync.Mutex
	pending map[string]chan<- event.Event // by command id; nil while not running
	kafka   *kgo.Client
	stop    context.CancelFunc
	reading sync.WaitGroup
}

// NewClient makes a client. Its errors wrap ErrConfig or kafka.ErrConfig. Nothing
// is connected before Start.
func NewClient[C, R any](cluster kafka.Config, c ClientConfig[C, R]) (*Client[C, R], error) {
	if err := cluster.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	for _, topic := range []string{c.Topic, c.ReplyTopic} {
		if err := kafka.CheckTopicName(cluster.Topic(topic)); err != nil {
			return nil, fmt.Errorf("%w: topic %q: %w", ErrConfig, topic, err)
		}
	}
	if c.MaxPending < 0 || c.ReplyRetention < 0 {
		return nil, fmt.Errorf("%w: a bound or a duration is negative", ErrConfig)
	}
	if err := errors.Join(checkCodec(c.Commands), checkCodec(c.Replies)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	client := &Client[C, R]{cluster: cluster, cfg: c, log: c.Logger}
	client.health = lifecycle.NewProblems(c.Logger, "entities")
	return client, nil
}

func (c ClientConfig[C, R]) withDefaults() ClientConfig[C, R] {
	if c.ReplyTopic == "" && c.Topic != "" {
		c.ReplyTopic = replyTopic(c.Topic)
	}
	if c.Instance == "" {
		c.Instance = event.NewID()
	}
	if c.Source == "" {
		c.Source = "/entity-client"
	}
	if c.Commands == nil {
		c.Commands = JSON[C]()
	}
	if c.Replies == nil {
		c.Replies = JSON[R]()
	}
	setDefault(&c.MaxPending, 10_000)
	setDefault(&c.ReplyRetention, time.Hour)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("entity_client", c.Instance)
	return c
}

// Ask sends the command to the entity and waits for the reply. A ctx without a
// deadline waits for as long as the client runs.
//
// Errors: a *Refusal; ErrBusy, ErrStopped or ErrNotBegun, and nothing was sent;
// ErrUnknown where the command was sent and no reply came, with ErrClosed or
// ctx's error; ErrFailed.
func (c *Client[C, R]) Ask(ctx context.Context, id string, command C) (R, error) {
	var none R
	e, err := c.commandEvent(ctx, id, command)
	if err != nil {
		return none, err
	}
	answer, err := c.expect(e.ID)
	if err != nil {
		return none, err
	}
	defer c.forget(e.ID)
	if err := c.send(ctx, e); err != nil {
		return none, fmt.Errorf("command %s for %q: %w", e.Type, id, err)
	}
	select {
	case reply, ok := <-answer:
		if !ok {
			return none, fmt.Errorf("command %s for %q: %w: %w", e.Type, id, ErrUnknown, ErrClosed)
		}
		return c.open(reply)
	case <-ctx.Done():
		return none, fmt.Errorf("command %s for %q: %w: no reply: %w", e.Type, id, ErrUnknown, ctx.Err())
	}
}

func (c *Client[C, R]) commandEvent(ctx context.Context, id string, command C) (event.Event, error) {
	eventType, contentType, payload, err := c.cfg.Commands.Encode(command)
	if err != nil {
		return event.Event{}, fmt.Errorf("command %T for %q: %w: %w", command, id, ErrNotBegun, err)
	}
	if eventType == "" {
		eventType = c.cfg.Topic
	}
	e := event.Event{
		ID: event.NewID(), Type: eventType, Source: c.cfg.Source, Key: id, ContentType: contentType, Payload: payload,
		Time: time.Now().UTC().Truncate(time.Microsecond), Traceparent: traceparent(ctx),
		Headers: map[string]string{HeaderReplyKey: c.cfg.Instance},
	}
	e.CorrelationID = e.ID
	if deadline, ok := ctx.Deadline(); ok {
		e.Headers[HeaderDeadline] = deadline.UTC().Format(time.RFC3339Nano)
	}
	if err = e.Validate(); err == nil && id == "" {
		err = errors.New("the entity's id is empty")
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return e, fmt.Errorf("command %s for %q: %w: %w", e.Type, id, ErrNotBegun, err)
	}
	return e, nil
}

// expect makes room for an answer.
func (c *Client[C, R]) expect(id string) (<-chan event.Event, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending == nil {
		return nil, fmt.Errorf("entity client: %w", ErrStopped)
	}
	if len(c.pending) >= c.cfg.MaxPending {
		return nil, fmt.Errorf("entity client: %w for a reply: %d", ErrBusy, len(c.pending))
	}
	answer := make(chan event.Event, 1)
	c.pending[id] = answer
	return answer, nil
}

func (c *Client[C, R]) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// send publishes the command; where it is not known whether it is in the log, the
// error says so.
func (c *Client[C, R]) send(ctx context.Context, e event.Event) error {
	c.mu.Lock()
	client := c.kafka
	c.mu.Unlock()
	if client == nil {
		return ErrStopped
	}
	err := client.ProduceSync(ctx, kafka.ToRecord(c.cluster.Topic(c.cfg.Topic), e)).FirstErr()
	var answer *kerr.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer) && !answer.Retriable, errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("%w: Kafka refused it: %w", ErrNotBegun, err)
	}
	return fmt.Errorf("%w: sending it: %w", ErrUnknown, err)
}

// open reads an answer.
func (c *Client[C, R]) open(e event.Event) (R, error) {
	var none R
	outcome := e.Headers[HeaderOutcome]
	if outcome == Replied {
		return guard("the codec", func() (R, error) { return c.cfg.Replies.Decode(e) })
	}
	refusal, err := event.Decode[Refusal](e)
	switch {
	case err != nil:
		return none, err
	case outcome == Failed:
		return none, fmt.Errorf("%w: %s", ErrFailed, refusal.Reason)
	case outcome == Refused:
		return none, &refusal
	}
	return none, fmt.Errorf("%w: reply %s has the outcome %q", event.ErrPayload, e.ID, outcome)
}
