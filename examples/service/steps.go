package service

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
)

const (
	clusterTimeout = 10 * time.Second
	// topicsTimeout, which is also that of schemas, is longer: the cluster is there, and may be busy, or
	// short of a broker for a while.
	topicsTimeout = 45 * time.Second
)

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
	ctx, cancel := context.WithTimeout(ctx, topicsTimeout)
	defer cancel()
	defer s.closeAdmin()
	var topics []kafka.Topic
	for _, name := range s.env.names(s.def.topics()) {
		topics = append(topics, kafka.Topic{Name: name, Partitions: s.config.Partitions, Config: kafka.KeepForever()})
	}
	return kafka.EnsureTopics(ctx, s.admin, s.config.Kafka, topics...)
}

// openPayloads asks nobody yet.
func (s *Service) openPayloads(context.Context) (err error) {
	if len(s.config.Registry) == 0 || len(s.def.Schemas) == 0 {
		return nil
	}
	s.payloads, err = NewPayloads(PayloadConfig{
		Registry: s.config.Registry, CacheFile: s.config.RegistryCache, Codec: s.config.Codec, Schemas: s.def.Schemas,
		Topic: func(standard string) string {
			return s.config.Kafka.Topic(Env{Topics: s.config.Topics}.Topic(standard))
		},
	})
	return err
}

func (s *Service) closePayloads(context.Context) error { return s.payloads.Close() }

// registerSchemas before anything is written with them: one that would break readers ends the start,
// and what runs already goes on.
func (s *Service) registerSchemas(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, topicsTimeout)
	defer cancel()
	var topics []string
	for _, name := range s.env.names(s.def.Produces) {
		topics = append(topics, s.config.Kafka.Topic(name))
	}
	return s.payloads.Register(ctx, topics)
}

func (s *Service) newRelay() (lifecycle.Service, error) {
	if s.backend == nil || s.env.CDC {
		return nil, nil
	}
	relay, err := outbox.NewRelay(s.backend.database(), s.config.Kafka, outbox.RelayConfig{
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

// newSweeper removes what a connector has published.
func (s *Service) newSweeper() (_ lifecycle.Service, err error) {
	if s.backend == nil || !s.env.CDC {
		return nil, nil
	}
	config := outbox.SweeperConfig{
		Way: outbox.Way(s.config.Outbox), Name: s.def.Name, KeepHistory: s.config.OutboxHistory, Interval: s.config.PollInterval,
		Holder: s.instance(), Logger: s.config.Logger,
	}
	switch store := s.backend.database().(type) {
	case outbox.CaptureStore:
		config.Slot = s.config.OutboxSlot
		s.sweeper, err = outbox.NewSweeper(store, config)
	case outbox.MarkStore:
		config.Kafka = s.config.Kafka
		s.sweeper, err = outbox.NewMarkSweeper(store, config)
	default:
		err = outbox.ErrNoCapture
	}
	if err != nil {
		return nil, err
	}
	return s.sweeper, nil
}

func (s *Service) newOutboxCleaner() (lifecycle.Service, error) {
	if s.backend == nil {
		return nil, nil
	}
	return outbox.NewCleaner(s.backend.database(), outbox.CleanerConfig{KeepHistory: s.config.OutboxHistory, Logger: s.config.Logger})
}

// newOwn are the services, sagas and applications of the definition.
func (s *Service) newOwn() (lifecycle.Service, error) {
	own := &lifecycle.Group{}
	for _, one := range s.parts.services {
		name := fmt.Sprintf("%T", one)
		if named, ok := one.(interface{ Name() string }); ok {
			name = named.Name()
		}
		own.Add(name, one)
		if h, ok := one.(interface{ Health() error }); ok {
			s.checks = append(s.checks, check{name, func(context.Context) error { return h.Health() }})
		}
	}
	for _, one := range s.parts.sagas {
		name := "saga " + one.Name()
		own.Add(name, one.Service())
		s.checks = append(s.checks, check{name, func(context.Context) error { return one.Health() }})
	}
	for _, app := range s.parts.streams {
		own.Add("streams", app)
		s.checks = append(s.checks, check{"streams", func(context.Context) error { return runs(app) }})
	}
	return own, nil
}

func (s *Service) newConsumer() (lifecycle.Service, error) {
	if s.backend == nil {
		return nil, nil
	}
	consumer, err := s.backend.newConsumer(s.def.TakesTurns, s.config.Kafka, consumerConfig{
		name: s.config.Group, deadLetters: s.config.DeadLetters, instance: s.instance(), log: s.config.Logger, metrics: s.env.Metrics,
	})
	if consumer == nil || err != nil {
		return nil, err
	}
	s.consumer = consumer
	s.checks = append(s.checks, check{"consumer", func(context.Context) error { return consumer.Health() }})
	return consumer, nil
}

func (s *Service) newView() (lifecycle.Service, error) {
	if s.backend == nil || len(s.backend.parts().view) == 0 {
		return nil, nil
	}
	instance := s.instance()
	if instance != "" {
		instance += "-view"
	}
	view, err := s.backend.newView(s.config.Kafka, consumerConfig{
		name: s.viewGroup(), instance: instance, log: s.config.Logger, metrics: s.env.Metrics,
	})
	if err != nil {
		return nil, err
	}
	s.view, s.env.View = view, view
	s.checks = append(s.checks, check{"view", func(context.Context) error { return view.Health() }})
	return view, nil
}

func (s *Service) viewGroup() string { return s.config.Group + ".view" }

func (s *Service) newInboxCleaner() (lifecycle.Service, error) {
	if s.consumer == nil {
		return nil, nil
	}
	return inbox.NewCleaner(s.backend.database(), inbox.CleanerConfig{Retention: s.config.InboxHistory, Logger: s.config.Logger})
}
