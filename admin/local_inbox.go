package admin

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// Positions implements API.
func (l *Local) Positions(ctx context.Context, consumer string) (all []inbox.Position, err error) {
	c, err := l.consumer(consumer)
	if err != nil {
		return nil, err
	}
	err = l.look(ctx, func() (err error) {
		all, err = c.Store.Positions(ctx, consumer)
		return err
	})
	return all, err
}

// Marks implements API.
func (l *Local) Marks(ctx context.Context, consumer string, ids ...string) (all []inbox.StoredMark, err error) {
	c, err := l.consumer(consumer)
	if err != nil {
		return nil, err
	}
	err = l.look(ctx, func() (err error) {
		all, err = c.Store.Marks(ctx, consumer, ids)
		return err
	})
	return all, err
}

// Waiting implements API.
func (l *Local) Waiting(ctx context.Context, q inbox.WaitingQuery) (WaitingPage, error) {
	page := WaitingPage{Waiting: []inbox.StoredWaiting{}}
	c, err := l.consumer(q.Consumer)
	if err != nil {
		return page, err
	}
	if q, err = q.WithDefaults(); err != nil {
		return page, failed(err)
	}
	err = l.look(ctx, func() error {
		rows, err := c.Store.WaitingRows(ctx, q)
		page.Waiting = append(page.Waiting, rows...)
		return err
	})
	if n := len(page.Waiting); n == q.Limit {
		next := q
		next.After = &page.Waiting[n-1].Place
		page.Next = &next
	}
	return page, err
}

// StartReplay implements API.
func (l *Local) StartReplay(ctx context.Context, r ReplayRequest) (inbox.Replay, error) {
	c, err := l.consumer(r.Consumer)
	if err != nil {
		return inbox.Replay{}, err
	}
	if !slices.Contains(c.Topics, r.Topic) {
		return inbox.Replay{}, fmt.Errorf("%w: consumer %s does not read topic %q", ErrInvalid, c.Name, r.Topic)
	}
	positions, err := c.Store.Positions(ctx, c.Name)
	if err != nil {
		return inbox.Replay{}, failed(err)
	}
	at, err := l.position(ctx, positions, r)
	if err != nil {
		return inbox.Replay{}, err
	}
	if err := checkReplay(at, r.Offset); err != nil {
		return inbox.Replay{}, err
	}
	replay, err := c.Store.StartReplay(ctx, c.Name, at.Partition, r.Offset)
	if err != nil && ctx.Err() == nil && !c.Store.Transient(err) {
		return replay, fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return replay, failed(err)
}

// checkReplay: a replay goes back only.
func checkReplay(at inbox.Position, offset int64) error {
	reached := max(slices.Max(append(at.Next, -1)), at.Replay.To)
	switch {
	case offset < 0:
		return fmt.Errorf("%w: offset %d is negative", ErrInvalid, offset)
	case offset >= reached:
		return fmt.Errorf("%w: the consumer has come to offset %d of %s/%d: a replay can only go back, not to %d",
			ErrConflict, max(reached, 0), at.Topic, at.Partition.Partition, offset)
	}
	return nil
}

// position is the one of the request's partition in this cluster; of topics that
// had its name, that of the present one.
func (l *Local) position(ctx context.Context, all []inbox.Position, r ReplayRequest) (inbox.Position, error) {
	found := slices.DeleteFunc(slices.Clone(all), func(p inbox.Position) bool {
		return p.Cluster != l.cfg.Cluster || p.Topic != r.Topic || p.Partition.Partition != r.Partition
	})
	if len(found) > 1 {
		id, err := l.topicID(ctx, r.Topic)
		if err != nil {
			return inbox.Position{}, fmt.Errorf("%w: topic %s was made again, and which one there is now cannot be learned: %w", ErrUnavailable, r.Topic, err)
		}
		found = slices.DeleteFunc(found, func(p inbox.Position) bool { return p.TopicID != id })
	}
	if len(found) == 0 {
		return inbox.Position{}, fmt.Errorf("%w: consumer %s has handled nothing of %s/%d", ErrNotFound, r.Consumer, r.Topic, r.Partition)
	}
	return found[0], nil
}

// topicID is the present topic's, as inbox.Partition has it.
func (l *Local) topicID(ctx context.Context, topic string) (string, error) {
	client, err := kafka.NewClient(l.cfg.Kafka)
	if err != nil {
		return "", err
	}
	defer client.Close()
	full := l.cfg.Kafka.Topic(topic)
	details, err := kadm.NewClient(client).ListTopics(ctx, full)
	if err != nil {
		return "", err
	}
	if err := details[full].Err; err != nil {
		return "", err
	}
	id := details[full].ID
	return hex.EncodeToString(id[:]), nil
}

// Release implements API.
func (l *Local) Release(ctx context.Context, consumer, topic, key string) (int64, error) {
	c, err := l.consumer(consumer)
	if err != nil {
		return 0, err
	}
	if topic == "" || key == "" {
		return 0, fmt.Errorf("%w: topic and key of what is parked are needed", ErrInvalid)
	}
	n, err := c.Store.Release(ctx, consumer, topic, key)
	return n, failed(err)
}

func (l *Local) consumer(name string) (LocalConsumer, error) {
	for _, c := range l.cfg.Consumers {
		if c.Name == name {
			return c, nil
		}
	}
	return LocalConsumer{}, fmt.Errorf("%w: service %s has no consumer %q", ErrNotFound, l.cfg.Name, name)
}
