package demo

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/examples/hello"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// greeted is a scenario that ran and has settled, on services that have stopped.
func greeted(t *testing.T, cluster *kafkatest.Cluster) *helloScenario {
	t.Helper()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	f, err := openFolder(Options{DataDir: filepath.Join(t.TempDir(), "demo"), Database: sqlite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.close(false) })
	redis, err := startRedis(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { redis.close(context.Background()) })
	one := settings{System: helloName, Name: helloName, Listen: "127.0.0.1:0", Database: "sqlite:" + filepath.Join(t.TempDir(), "hello.db"),
		Brokers: cluster.Config.Brokers, Redis: redis.url, Sync: "sync", StateDir: t.TempDir()}
	built, err := one.build(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := built.Start(ctx); err != nil {
		t.Fatal(err)
	}
	dbs, err := openDatabases(ctx, []settings{one}, false, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dbs.close() })
	s := &helloScenario{}
	on := stage{cluster: cluster.Config, folder: f, dbs: dbs, redis: redis, at: map[string]string{helloName: built.(*hello.Service).Addr()}, seed: 1, rate: 300, maxOpen: 100}
	if err := s.prepare(ctx, on); err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); s.run(ctx, stop) }()
	testenv.Wait(t, "300 answers", time.Minute, func() bool { return s.traffic.Stats().Answered >= 300 })
	close(stop)
	<-ended
	testenv.Wait(t, "the scenario to settle", time.Minute, func() bool {
		settled, err := s.settled(ctx)
		return err == nil && settled
	})
	if err := built.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHelloFalsified: what a wrong service could have left in Redis or in the topic is noticed.
func TestHelloFalsified(t *testing.T) {
	cluster := kafkatest.Start(t)
	s := greeted(t, cluster)
	check := func(want ...string) invariants.HelloCounts {
		t.Helper()
		n, results, err := s.check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			if !r.OK {
				got = append(got, r.Name)
				if !strings.Contains(r.Detail, "; violated 1 times") {
					t.Errorf("%s: %s", r.Name, r.Detail)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("violated are %v, want %v: %+v", got, want, results)
		}
		if n.RedisEqual == slices.Contains(want, invariants.HelloRedis) {
			t.Errorf("redis_equal is %v, violated are %v", n.RedisEqual, want)
		}
		return n
	}
	if n := check(); n.In == 0 || n.Keys == 0 || n.Stuck != 0 {
		t.Errorf("%+v", n)
	}
	redis, some := s.redis.client, s.some()
	value := redis.Get(t.Context(), some).Val()
	redis.Set(t.Context(), some, strings.Replace(value, `"helloTotalCount":`, `"helloTotalCount":9`, 1), 0)
	check(invariants.HelloRedis)
	redis.Del(t.Context(), some)
	check(invariants.HelloRedis)
	redis.Set(t.Context(), some, value, 0)
	redis.Set(t.Context(), hello.Store+":HelloTopic|nobody", value, 0)
	check(invariants.HelloRedis)
	redis.Del(t.Context(), hello.Store+":HelloTopic|nobody")
	check()

	client := cluster.Client(t)
	record := &kgo.Record{Topic: hello.Topic, Key: []byte(strings.TrimPrefix(some, hello.Store+":")), Value: nil}
	if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if n := check(invariants.HelloRedis, invariants.HelloStates); n.Stuck != 1 {
		t.Errorf("a state that is lost: %+v", n)
	}
	redis.Del(t.Context(), some)
	check(invariants.HelloStates)
}

// some is a key of Redis.
func (s *helloScenario) some() string {
	for key, want := range s.traffic.Expected() {
		if want.Exists {
			return hello.Store + ":" + key
		}
	}
	return ""
}

func TestRedisFlag(t *testing.T) {
	good := Options{Rate: 1, MaxOpen: 1, Drain: 1, Database: sqlite, Scenario: "hello"}
	for redis, name := range map[string]string{"": "embedded", "127.0.0.1:6379": "redis://127.0.0.1:6379", "redis://u:secret@there:1/2": "redis://u@there:1/2"} {
		o := good
		o.Redis = redis
		if err := o.Validate(); err != nil || o.redisName() != name {
			t.Errorf("--redis=%s: %v, %s", redis, err, o.redisName())
		}
	}
	for redis, scenario := range map[string]string{"127.0.0.1:6379": "orders", "there/x": "hello", "http://there": "all"} {
		o := good
		o.Redis, o.Scenario = redis, scenario
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "--redis") {
			t.Errorf("--redis=%s --scenario=%s: %v", redis, scenario, err)
		}
	}
}
