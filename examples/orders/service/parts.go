package service

import (
	"context"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

const clusterTimeout = 10 * time.Second

// reachKafka fails early where there is no cluster, before a database is made.
func (s *Service) reachKafka(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	if s.admin, err = kafka.NewClient(s.config.Kafka); err != nil {
		return err
	}
	if _, err = kafka.ClusterID(ctx, s.admin, s.config.Kafka); err != nil {
		s.closeAdmin()
	}
	return err
}

func (s *Service) leaveKafka(context.Context) error {
	s.closeAdmin()
	return nil
}

func (s *Service) closeAdmin() {
	if s.admin != nil {
		s.admin.Close()
		s.admin = nil
	}
}

// ensureTopics makes the topics the service reads or writes; they are kept for
// ever.
func (s *Service) ensureTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	defer s.closeAdmin()
	var topics []kafka.Topic
	for _, name := range s.def.topics(s.config.Topics) {
		topics = append(topics, kafka.Topic{Name: name, Partitions: s.config.Partitions, Config: kafka.KeepForever()})
	}
	return kafka.EnsureTopics(ctx, s.admin, s.config.Kafka, topics...)
}

func (d Definition) topics(names message.Topics) (all []string) {
	for _, list := range []func(message.Topics) []string{d.Consumes, d.Produces} {
		if list != nil {
			all = append(all, list(names)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *Service) newRelay() (lifecycle.Service, error) {
	relay, err := outbox.NewRelay(s.env.DB, s.config.Kafka, outbox.RelayConfig{
		Name: s.def.Name, Source: "/orders/" + s.def.Name, KeepHistory: s.config.OutboxHistory,
		PollInterval: s.config.PollInterval, InitialDelay: s.config.PollDelay,
		DeadLetterTopic: s.config.OutboxDeadLetters, Holder: s.instance(),
		Logger: s.config.Logger, Metrics: s.env.Metrics,
	})
	if err != nil {
		return nil, err
	}
	s.checks = append(s.checks, check{"outbox relay", func(context.Context) error { return relay.Health() }})
	return relay, nil
}

func (s *Service) newOutboxCleaner() (lifecycle.Service, error) {
	return outbox.NewCleaner(s.env.DB, outbox.CleanerConfig{KeepHistory: s.config.OutboxHistory, Logger: s.config.Logger})
}

func (s *Service) newConsumer() (lifecycle.Service, error) {
	db := s.env.DB
	if s.def.TakesTurns {
		db = inTurn{db}
	}
	consumer, err := inbox.NewConsumer[storage.Tx](db, s.config.Kafka, inbox.Config[storage.Tx]{
		Name: s.config.Group, Topics: s.def.Handlers(s.env), DeadLetterTopic: s.config.DeadLetters,
		InstanceID: s.instance(), Logger: s.config.Logger, Metrics: s.env.Metrics,
	})
	if err != nil {
		return nil, err
	}
	s.checks = append(s.checks, check{"consumer", func(context.Context) error { return consumer.Health() }})
	return consumer, nil
}

func (s *Service) newInboxCleaner() (lifecycle.Service, error) {
	return inbox.NewCleaner(s.env.DB, inbox.CleanerConfig{Retention: s.config.InboxHistory, Logger: s.config.Logger})
}
