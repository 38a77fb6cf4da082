package service

import (
	"sync"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// view runs PartsOf.View.
type view interface {
	lifecycle.Service
	View
	Health() error
	consumer() admin.Consumer
	// projections is nil where the database keeps none.
	projections() *admin.LocalProjections
}

// sqlView is a projection.
type sqlView struct {
	*projection.Topic[storage.Tx]
	store projection.Admin
}

func (b sqlBackend) newView(cluster kafka.Config, c consumerConfig) (view, error) {
	config := b.config(c)
	config.Topics = b.does.View
	db := b.store.(storage.DB)
	topic, err := projection.NewTopic[storage.Tx](db, cluster, projection.TopicConfig[storage.Tx]{Consumer: config})
	if err != nil {
		return nil, err
	}
	return sqlView{topic, db}, nil
}

func (v sqlView) Lag() (int64, float64) {
	s := v.Stats()
	return s.LagEvents, s.LagSeconds
}

func (v sqlView) consumer() admin.Consumer { return v.Consumer() }

func (v sqlView) projections() *admin.LocalProjections {
	return &admin.LocalProjections{Store: v.store, Running: []admin.Projection{v.Topic}}
}

// consumed is a view that a consumer keeps.
type consumed[T saga.Tx] struct {
	*inbox.Consumer[T]

	mu       sync.Mutex
	caughtUp time.Time // when it was last seen to be
}

func (b backendOf[T]) newView(cluster kafka.Config, c consumerConfig) (view, error) {
	config := b.config(c)
	config.Topics = b.does.View
	runs, err := inbox.NewConsumer[T](b.store, cluster, config)
	if err != nil {
		return nil, err
	}
	return &consumed[T]{Consumer: runs, caughtUp: time.Now()}, nil
}

// Lag counts seconds from when somebody last asked and it was not behind, so that they are
// at most too many.
func (v *consumed[T]) Lag() (events int64, seconds float64) {
	for _, p := range v.Stats().Partitions {
		events += p.Lag + p.Waiting
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if events == 0 {
		v.caughtUp = time.Now()
	}
	return events, time.Since(v.caughtUp).Seconds()
}

func (v *consumed[T]) consumer() admin.Consumer             { return v.Consumer }
func (v *consumed[T]) projections() *admin.LocalProjections { return nil }
