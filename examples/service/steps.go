package service

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
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
	if s.clusterID, err = kafka.ClusterID(ctx, s.admin, s.config.Kafka); err != nil {
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
	for _, name := range s.env.names(s.def.topics()) {
		topics = append(topics, kafka.Topic{Name: name, Partitions: s.config.Partitions, Config: kafka.KeepForever()})
	}
	return kafka.EnsureTopics(ctx, s.admin, s.config.Kafka, topics...)
}

func (s *Service) newRelay() (lifecycle.Service, error) {
	if s.def.NoDatabase {
		return nil, nil
	}
	relay, err := outbox.NewRelay(s.env.DB, s.config.Kafka, outbox.RelayConfig{
		Name: s.def.Name, Source: s.source(), KeepHistory: s.config.OutboxHistory,
		PollInterval: s.config.PollInterval, InitialDelay: s.config.PollDelay,
		DeadLetterTopic: s.config.OutboxDeadLetters, Holder: s.instance(),
		Logger: s.config.Logger, Metrics: s.env.Metrics,
	})
	if err != nil {
		return nil, err
	}
	s.relay = relay
	s.checks = append(s.checks, check{"outbox relay", func(context.Context) error { return relay.Health() }})
	return relay, nil
}

func (s *Service) newOutboxCleaner() (lifecycle.Service, error) {
	if s.def.NoDatabase {
		return nil, nil
	}
	return outbox.NewCleaner(s.env.DB, outbox.CleanerConfig{KeepHistory: s.config.OutboxHistory, Logger: s.config.Logger})
}

// newOwn are the services, sagas and applications of the definition.
func (s *Service) newOwn() (lifecycle.Service, error) {
	own := &lifecycle.Group{}
	for _, one := range s.parts.Services {
		name := fmt.Sprintf("%T", one)
		if named, ok := one.(interface{ Name() string }); ok {
			name = named.Name()
		}
		own.Add(name, one)
		if h, ok := one.(interface{ Health() error }); ok {
			s.checks = append(s.checks, check{name, func(context.Context) error { return h.Health() }})
		}
	}
	for _, one := range s.parts.Sagas {
		name := "saga " + one.Name()
		own.Add(name, one.Service())
		s.checks = append(s.checks, check{name, func(context.Context) error { return one.Health() }})
	}
	for _, app := range s.parts.Streams {
		own.Add("streams", app)
		s.checks = append(s.checks, check{"streams", func(context.Context) error { return runs(app) }})
	}
	return own, nil
}

// groups are the handlers of many messages: the definition's, then those of its
// sagas, each of which sees all messages of its topics.
func (p Parts) groups() map[string]inbox.GroupHandler[storage.Tx] {
	all := map[string]inbox.GroupHandler[storage.Tx]{}
	maps.Copy(all, p.Groups)
	for _, one := range p.Sagas {
		for topic, handle := range one.Handlers() {
			if first := all[topic]; first != nil {
				handle = inSequence(first, handle)
			}
			all[topic] = handle
		}
	}
	return all
}

func inSequence(first, second inbox.GroupHandler[storage.Tx]) inbox.GroupHandler[storage.Tx] {
	return func(ctx context.Context, tx storage.Tx, ms []inbox.Message) error {
		if err := first(ctx, tx, ms); err != nil {
			return err
		}
		return second(ctx, tx, ms)
	}
}

func (s *Service) newConsumer() (lifecycle.Service, error) {
	groups := s.parts.groups()
	if len(s.parts.Handlers)+len(groups) == 0 {
		return nil, nil
	}
	db := s.env.DB
	if s.def.TakesTurns {
		db = inTurn{db}
	}
	consumer, err := inbox.NewConsumer[storage.Tx](db, s.config.Kafka, inbox.Config[storage.Tx]{
		Name: s.config.Group, Topics: s.parts.Handlers, Groups: groups, DeadLetterTopic: s.config.DeadLetters,
		InstanceID: s.instance(), Logger: s.config.Logger, Metrics: s.env.Metrics,
	})
	if err != nil {
		return nil, err
	}
	s.consumer = consumer
	s.checks = append(s.checks, check{"consumer", func(context.Context) error { return consumer.Health() }})
	return consumer, nil
}

func (s *Service) newView() (lifecycle.Service, error) {
	if s.parts.View == nil {
		return nil, nil
	}
	instance := s.instance()
	if instance != "" {
		instance += "-view"
	}
	view, err := projection.NewTopic[storage.Tx](s.env.DB, s.config.Kafka, projection.TopicConfig[storage.Tx]{Consumer: inbox.Config[storage.Tx]{
		Name: s.viewGroup(), Topics: s.parts.View, InstanceID: instance,
		Logger: s.config.Logger, Metrics: s.env.Metrics,
	}})
	if err != nil {
		return nil, err
	}
	s.env.View = view
	s.checks = append(s.checks, check{"view", func(context.Context) error { return view.Health() }})
	return view, nil
}

func (s *Service) viewGroup() string { return s.config.Group + ".view" }

func (s *Service) newInboxCleaner() (lifecycle.Service, error) {
	if s.consumer == nil {
		return nil, nil
	}
	return inbox.NewCleaner(s.env.DB, inbox.CleanerConfig{Retention: s.config.InboxHistory, Logger: s.config.Logger})
}
