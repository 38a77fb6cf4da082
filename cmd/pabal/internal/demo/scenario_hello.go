package demo

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pabal-dev/pabal/examples/hello"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/invariants"
	greetings "github.com/pabal-dev/pabal/internal/traffic/hello"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
)

// helloName is the scenario's and its service's.
const helloName = "hello"

// helloSystem describes the service; buildHello makes it.
func helloSystem() service.System {
	return service.System{Name: helloName, Definitions: []service.Definition{{System: helloName, Name: helloName, Port: 8105}}}
}

func buildHello(s settings, log *slog.Logger) (lifecycle.Service, error) {
	return hello.New(hello.Config{
		Listen: s.Listen, Database: s.Database, Schema: s.Schema, Kafka: kafka.Config{Brokers: s.Brokers, Prefix: s.Prefix, Logger: log},
		Redis: s.Redis, Sync: s.Sync, StateDir: s.StateDir, Instance: "demo-" + s.Name, Logger: log,
		Outbox: s.Outbox, OutboxSlot: s.Slot, PollInterval: s.pollInterval(),
	})
}

// helloScenario: people greet.
type helloScenario struct {
	stage
	traffic *greetings.Traffic
}

func (s *helloScenario) prepare(_ context.Context, on stage) error {
	s.stage = on
	s.traffic = greetings.New(greetings.Config{URL: on.url(helloName), Run: on.folder.key(), Seed: on.seed, Rate: on.rate, MaxOpen: on.maxOpen})
	return nil
}

func (s *helloScenario) run(ctx context.Context, stop <-chan struct{}) { s.traffic.Run(ctx, stop) }

func (s *helloScenario) first() (<-chan struct{}, string) {
	return s.traffic.First(), "First greeting answered"
}

func (s *helloScenario) progress() progress {
	n := s.traffic.Stats()
	return progress{
		name: helloName, ended: n.Answered, lastEnd: n.LastEnd, latency: s.traffic.Latency(),
		counts: []count{{"sent", n.Sent}, {"answered", n.Answered}, {"refused", n.Refused}, {"forgotten", n.Forgotten}},
	}
}

// settled: the last change has come through the outbox and the topic to Redis.
func (s *helloScenario) settled(ctx context.Context) (bool, error) {
	_, results, err := s.check(ctx)
	if err != nil {
		return false, err
	}
	for _, r := range results {
		if !r.OK {
			return false, nil
		}
	}
	outbox, waiting, err := invariants.UnderWay(ctx, invariants.Named{Service: helloName, Viewer: s.dbs.of(helloName)})
	return outbox+waiting == 0, err
}

// check computes the table anew and looks at what is in Redis.
func (s *helloScenario) check(ctx context.Context) (invariants.HelloCounts, []invariants.Result, error) {
	none := invariants.HelloCounts{}
	table, err := greetings.ReadTopic(ctx, s.cluster)
	if err != nil {
		return none, nil, err
	}
	copied, err := s.redis.copyOf(ctx, table, s.folder.manifest.Run)
	if err != nil {
		return none, nil, err
	}
	return invariants.CheckHello(ctx, invariants.HelloFacts{
		Service: s.dbs.of(helloName), Table: table, Redis: copied, Expected: s.traffic.Expected(),
	})
}

func (s *helloScenario) report(ctx context.Context, r *Report) error {
	n, results, err := s.check(ctx)
	if err != nil {
		return err
	}
	stats := s.traffic.Stats()
	n.Stuck += stats.Unanswered
	r.Hello = &n
	r.Invariants = append(append(r.Invariants, results...), requests("hello requests", stats.Repeats, stats.Failed, stats.Unanswered, stats.FirstFailure,
		fmt.Sprintf("%d commands answered as they must, %d of them with a refusal, ", stats.Answered, stats.Refused)))
	return nil
}

func (s *helloScenario) try() []string {
	at := s.url(helloName)
	return []string{
		fmt.Sprintf(`curl -s %s/topic/kim/hello -d '{"message":"Hello"}'`, at),
		fmt.Sprintf(`curl -s %s/streams/stores/%s/keys/%s%%7Ckim`, at, hello.Store, hello.TopicType),
	}
}

func (s *helloScenario) close() error { return nil }
