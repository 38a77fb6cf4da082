package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/cluster"
	"github.com/pabal-dev/pabal/examples/orders/topselling"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
)

// settings are what one service must know. A child process reads them from its
// standard input, so that no secret shows in a process list.
type settings struct {
	System   string
	Name     string
	Listen   string
	Database string // "" where it has none
	Schema   string
	Brokers  []string
	Prefix   string
	// Redis and Sync are for copies of tables, StateDir for stores of stream processing.
	Redis, Sync, StateDir string
	// Outbox is the way out of it, Slot what change data capture reads through.
	Outbox, Slot string
	// Codec is what events are written in, Registry where their schemas are, "" without one.
	Codec, Registry string
	// Folder is the broker's, which has nothing else than it, Name and Listen.
	Folder   string
	LogLevel slog.Level
}

// title is what people are told that it is.
func (s settings) title() string {
	if s.System == brokerSystem {
		return "the broker"
	}
	return "the service " + s.Name
}

// pollInterval is the default where relays publish.
func (s settings) pollInterval() time.Duration {
	if s.Outbox != service.OutboxRelay {
		return statusInterval
	}
	return 0
}

func (s settings) registries() []string {
	if s.Registry == "" {
		return nil
	}
	return []string{s.Registry}
}

// build makes the service; it is not started yet.
func (s settings) build(log *slog.Logger) (lifecycle.Service, error) {
	if s.System == brokerSystem {
		return &brokerService{config: brokerConfig(s.Listen, s.Folder, log)}, nil
	}
	from, err := offerOf(s.System)
	if err != nil {
		return nil, err
	}
	if from.build != nil {
		return from.build(s, log)
	}
	texts := map[string]string{}
	if s.Name == topSelling {
		texts[topselling.StateDir.Name] = s.StateDir
	}
	return from.system.New(s.Name, service.Config{
		Listen: s.Listen, Database: s.Database, Schema: s.Schema, Texts: texts,
		Kafka: kafka.Config{Brokers: s.Brokers, Prefix: s.Prefix},
		// A service that was killed goes on at once under its old name.
		Instance: "demo-" + s.Name,
		Codec:    s.Codec, Registry: s.registries(),
		Outbox: s.Outbox, OutboxSlot: s.Slot, PollInterval: s.pollInterval(),
		Logger: log,
	})
}

func offerOf(name string) (offer, error) {
	for _, each := range offered {
		if each.system.Name == name {
			return each, nil
		}
	}
	return offer{}, fmt.Errorf("there is no system %q", name)
}

// runner is how the services run: in this process, or as children of it.
type runner interface {
	// start returns when all are ready; on an error none is left.
	start(ctx context.Context) error
	// settle ends what disturbs them and returns when all are ready again.
	settle(ctx context.Context) error
	// stop ends them in an orderly way, or at once where ctx ends.
	stop(ctx context.Context) error
	// failed delivers an error when a service cannot go on.
	failed() <-chan error
	crashes() crashCount
}

// crashCount counts ends of services.
type crashCount struct {
	// Killed on purpose, Broker of them that one, and Unexpected ends.
	Killed, Broker, Unexpected int64
	// Last says which was killed last, "" for none.
	Last string
}

// result says that no service ended by itself.
func (c crashCount) result() invariants.Result {
	broker := ""
	if c.Broker > 0 {
		broker = fmt.Sprintf(" (%d times the broker)", c.Broker)
	}
	return invariants.Result{
		Name: "services", OK: c.Unexpected == 0,
		Detail: fmt.Sprintf("%d killed and started again%s, %d ended by themselves", c.Killed, broker, c.Unexpected),
	}
}

// inProcess runs the services in this process.
type inProcess struct {
	all []lifecycle.Service
}

func newInProcess(all []settings, log *slog.Logger) (*inProcess, error) {
	r := &inProcess{}
	for _, s := range all {
		one, err := s.build(log)
		if err != nil {
			return nil, err
		}
		r.all = append(r.all, one)
	}
	return r, nil
}

// start starts them all at once: each waits for others' answers more than it
// computes.
func (r *inProcess) start(ctx context.Context) error {
	err := together(r.all, func(s lifecycle.Service) error { return s.Start(ctx) })
	if err == nil {
		return nil
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return errors.Join(err, r.stop(stopping))
}

func (r *inProcess) settle(context.Context) error { return nil }

func (r *inProcess) stop(ctx context.Context) error {
	return together(r.all, func(s lifecycle.Service) error { return s.Stop(ctx) })
}

func (r *inProcess) failed() <-chan error { return nil }

func (r *inProcess) crashes() crashCount { return crashCount{} }

// together does something to all at the same time; the first one's error stands
// for those of the others, which are mostly the same.
func together[T any](all []T, do func(T) error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { errs[i] = do(one) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

const stopTimeout = 20 * time.Second

// awaitReady returns when it is.
func (s settings) awaitReady(ctx context.Context) error {
	ask := s.isReady
	if s.System == brokerSystem {
		ask = func(ctx context.Context) bool {
			return cluster.Check(ctx, kafka.Config{Brokers: []string{s.Listen}}) == nil
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ask(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s at %s did not become ready: %w", s.title(), s.Listen, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// readiness asks services, over a connection of its own each time: they come and go.
var readiness = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func (s settings) isReady(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Listen+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := readiness.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
