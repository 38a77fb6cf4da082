// Package registered has what the converters with schemas in a registry share: which id a schema has,
// and what is remembered.
package registered

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// Config of IDs, and of what is asked for otherwise. Only Registry is required.
type Config struct {
	Registry    *client.Client
	Key         bool
	Use         codec.Use
	Subject     codec.Strategy
	MostSchemas int
	Patience    time.Duration

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
}

// Complete takes the defaults. The error is codec.ErrConfig. Close it, or a copy, afterwards.
func (c *Config) Complete() error {
	if c.Registry == nil {
		return fmt.Errorf("%w: Registry is nil", codec.ErrConfig)
	}
	if c.Use != codec.Register && c.Use != codec.Lookup {
		return fmt.Errorf("%w: data is written with its own schema, not with the latest of the subject", codec.ErrConfig)
	}
	if c.Subject == nil {
		c.Subject = codec.TopicName
	}
	if c.MostSchemas <= 0 {
		c.MostSchemas = 1000
	}
	if c.Patience <= 0 {
		c.Patience = 30 * time.Second
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return nil
}

// Close ends what waits for the registry; nothing is asked any more.
func (c *Config) Close() error {
	c.cancel()
	return nil
}

// Ask has the registry's patience; an error that may pass by itself wraps converter.ErrRetry, so
// that no record is left out for it.
func (c *Config) Ask(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.Patience)
	defer cancel()
	err := do(ctx)
	if errors.Is(err, client.ErrUnavailable) || errors.Is(err, client.ErrUnauthorized) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %w", converter.ErrRetry, err)
	}
	return err
}

// IDs of schemas under subjects.
type IDs struct {
	cfg Config
	ids Memory[place, int]
}

type place struct{ subject, text string }

// NewIDs takes a Config that is complete.
func NewIDs(c Config) *IDs { return &IDs{cfg: c, ids: Memory[place, int]{Most: c.MostSchemas}} }

// Of a schema, whose record has that name, in a topic.
func (i *IDs) Of(topic, record string, s client.Schema) (int, error) {
	subject, err := i.cfg.Subject(topic, i.cfg.Key, record)
	if err != nil {
		return 0, err
	}
	return i.ids.Of(place{subject, s.Text}, func() (id int, err error) {
		err = i.cfg.Ask(func(ctx context.Context) (err error) {
			if i.cfg.Use == codec.Lookup {
				var found client.Registered
				found, err = i.cfg.Registry.Lookup(ctx, subject, s)
				id = found.ID
			} else {
				id, err = i.cfg.Registry.Register(ctx, subject, s)
			}
			return err
		})
		return id, err
	})
}

// Memory remembers what was made once. It forgets everything before it has more than Most.
type Memory[K comparable, V any] struct {
	Most int

	mu  sync.RWMutex
	all map[K]V
}

// Of returns what was made for a key, or makes it. Two may make it at once.
func (m *Memory[K, V]) Of(k K, make func() (V, error)) (V, error) {
	m.mu.RLock()
	v, ok := m.all[k]
	m.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := make()
	if err != nil {
		return v, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil || len(m.all) >= m.Most {
		m.all = map[K]V{}
	}
	m.all[k] = v
	return v, nil
}
