package sagas

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// pabalSagas runs each saga over the broker: the orchestrator's commands go through
// the outbox and the relay to a participant per step, which books in the transaction
// of its inbox and answers the same way. All share one database, and what comes at the
// same time shares transactions.
type pabalSagas struct {
	db       *notifyingDB
	services lifecycle.Group
	starts   *batch.Batcher[input, bool]
}

const bookedTopic = "booked"

func bookTopic(step int) string { return fmt.Sprint("book-", step) }

// booked is a participant's answer.
type booked struct {
	Step string `json:"step"`
}

// booking is three steps, each with a timeout and a compensation, and a deadline.
func booking() saga.Definition[input] {
	d := saga.Definition[input]{
		Name: "booking", Deadline: 10 * time.Minute,
		Replies: []saga.Reply[input]{{Topic: bookedTopic, Read: func(e event.Event) (saga.Answer[input], error) {
			b, err := event.Decode[booked](e)
			return saga.Answer[input]{ID: e.Key, Step: b.Step, Result: saga.Succeeded}, err
		}}},
	}
	for step := range steps {
		d.Steps = append(d.Steps, saga.Step[input]{
			Name: bookTopic(step), Timeout: time.Minute, Retry: saga.Retry{Attempts: 3},
			Action:       func(_ saga.Context, s *input) []outbox.Message { return command(bookTopic(step), *s) },
			Compensation: func(_ saga.Context, s *input) []outbox.Message { return command("un"+bookTopic(step), *s) },
		})
	}
	return d
}

// command is keyed by the account, so that one account's bookings take turns.
func command(topic string, in input) []outbox.Message {
	return []outbox.Message{{Topic: topic, Event: event.New(topic, fmt.Sprint(in.Account), in)}}
}

const bookAll = `WITH n AS (SELECT * FROM unnest($2::text[], $3::int[]) AS n(saga, account)),
	kept AS (INSERT INTO effect SELECT $1, saga, account FROM n)
	UPDATE account AS a SET balance = balance - s.amount
	FROM (SELECT account, count(*) * $4 AS amount FROM n GROUP BY account) AS s WHERE a.step = $1 AND a.id = s.account`

// participant books for all commands of a group with one statement.
func participant(step int) inbox.GroupHandler[*postgres.Tx] {
	return func(ctx context.Context, tx *postgres.Tx, ms []inbox.Message) error {
		var sagas []string
		var accounts []int32
		answers := make([]event.Event, len(ms))
		for i, m := range ms {
			in, err := event.Decode[input](m.Event)
			if err != nil {
				return err
			}
			sagas, accounts = append(sagas, in.Saga), append(accounts, int32(in.Account))
			answers[i] = event.New(bookedTopic, in.Saga, booked{bookTopic(step)}).CausedBy(m.Event)
		}
		if _, err := tx.Exec(ctx, bookAll, step, sagas, accounts, amount); err != nil {
			return err
		}
		return outbox.Enqueue(ctx, tx, answers...)
	}
}

func startPabal(ctx context.Context, url string, connections int) (*pabalSagas, error) {
	db, err := postgres.Open(ctx, url, postgres.Config{MaxConns: int32(connections), Logger: measure.Quiet})
	if err != nil {
		return nil, err
	}
	s := &pabalSagas{db: &notifyingDB{DB: db, waiting: map[string]chan<- struct{}{}}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *pabalSagas) start(ctx context.Context) error {
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: measure.Quiet})
	if err != nil {
		return err
	}
	s.services.Add("broker", stopped{b.Stop})
	cluster := kafka.Config{Brokers: []string{b.Addr()}, Logger: measure.Quiet}
	if err := createTopics(ctx, cluster); err != nil {
		return err
	}
	m, err := saga.New[*postgres.Tx](s.db, saga.Config[*postgres.Tx, input]{
		Definitions: []saga.Definition[input]{booking()}, Changed: s.db.noteEnds, Logger: measure.Quiet,
	})
	if err != nil {
		return err
	}
	s.services.Add("timers", m.Service())
	relay, err := outbox.NewRelay(s.db, cluster, outbox.RelayConfig{Name: "sagas", Source: "/bench", Logger: measure.Quiet})
	if err != nil {
		return err
	}
	s.services.Add("relay", relay)
	consumers := map[string]map[string]inbox.GroupHandler[*postgres.Tx]{"orchestrator": m.Handlers(), "participants": {}}
	for step := range steps {
		consumers["participants"][bookTopic(step)] = participant(step)
	}
	for name, groups := range consumers {
		c, err := inbox.NewConsumer[*postgres.Tx](s.db, cluster, inbox.Config[*postgres.Tx]{Name: name, Groups: groups, BatchSize: 500, Lanes: 1, Logger: measure.Quiet})
		if err != nil {
			return err
		}
		s.services.Add(name, c)
	}
	s.starts = batch.New(batch.Config[input]{Name: "starts", MaxItems: 200, Attempts: 1}, func(ctx context.Context, all []input) ([]batch.Result[bool], error) {
		return s.startAll(ctx, m, all)
	})
	s.services.Add("starts", s.starts)
	return s.services.Start(ctx)
}

// startAll begins the sagas of callers that wait at the same time.
func (s *pabalSagas) startAll(ctx context.Context, m *saga.Manager[*postgres.Tx, input], all []input) ([]batch.Result[bool], error) {
	fresh := make([]saga.Fresh[input], len(all))
	for i, in := range all {
		fresh[i] = saga.Fresh[input]{ID: in.Saga, State: in}
	}
	var started []bool
	err := s.db.Update(ctx, func(tx *postgres.Tx) (err error) {
		_, started, err = m.StartAll(ctx, tx, fresh)
		return err
	})
	if err != nil {
		return nil, err
	}
	results := make([]batch.Result[bool], len(all))
	for i := range results {
		results[i].Value = started[i]
	}
	return results, nil
}

// run is one saga, from its start until its end has committed.
func (s *pabalSagas) run(ctx context.Context, id string, account int) error {
	done := s.db.await(id)
	if _, err := s.starts.Do(ctx, input{id, account}); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *pabalSagas) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(s.services.Stop(ctx), s.db.Close())
}

func createTopics(ctx context.Context, cluster kafka.Config) error {
	client, err := kafka.NewClient(cluster)
	if err != nil {
		return err
	}
	defer client.Close()
	topics := []kafka.Topic{{Name: bookedTopic, Partitions: 1}}
	for step := range steps {
		topics = append(topics, kafka.Topic{Name: bookTopic(step), Partitions: 1})
	}
	return kafka.EnsureTopics(ctx, client, cluster, topics...)
}

// stopped is a service that runs already.
type stopped struct{ stop func(context.Context) error }

func (s stopped) Start(context.Context) error    { return nil }
func (s stopped) Stop(ctx context.Context) error { return s.stop(ctx) }
