package hello

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/storage/redis"
	"github.com/pabal-dev/pabal/streams/sink"
)

func (s *Service) openRedis(ctx context.Context) (err error) {
	s.redis, err = redis.Open(ctx, s.cfg.Redis, redis.Config{Logger: s.cfg.Logger})
	return err
}

// newSync copies the table to Redis: the same JSON under "hello-state-store:<key>". A deleted
// one is deleted there. How far it has come is stored in the same step, so that nothing is
// taken for written that is not.
func (s *Service) newSync() (lifecycle.Service, error) {
	table, err := s.redis.Table(Store, redis.TableConfig{Hash: s.cfg.RedisHash})
	if err != nil {
		return nil, err
	}
	topic, err := s.app.Topology().Changelog(Application, Store)
	if err != nil {
		return nil, err
	}
	s.sync, err = sink.New(table, sink.Config{Name: s.cfg.Sync, Kafka: s.cfg.Kafka, Topic: topic,
		InstanceID: instance(s.cfg, s.Addr()), SessionTimeout: session, Logger: s.cfg.Logger})
	return s.sync, err
}

// samePartitions: a command is handled where its state is.
func samePartitions(ctx context.Context, client *kgo.Client, a, b string) error {
	found, err := kadm.NewClient(client).ListTopics(ctx, a, b)
	if err == nil {
		err = found.Error()
	}
	if err != nil {
		return err
	}
	if n, m := len(found[a].Partitions), len(found[b].Partitions); n != m {
		return fmt.Errorf("topic %s has %d partitions and %s has %d: they must have as many", a, n, b, m)
	}
	return nil
}
