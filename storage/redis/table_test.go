package redis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/storage/redis"
	"github.com/pabal-dev/pabal/streams/sink"
	"github.com/pabal-dev/pabal/streams/sink/sinktest"
)

// tableFixture is a table of a name of its own.
func tableFixture(t testing.TB, db *redis.DB, config redis.TableConfig) sinktest.Fixture {
	name := fmt.Sprintf("%stable%d[*]?", testenv.Prefix(t), views.Add(1))
	table, err := db.Table(name, config)
	if err != nil {
		t.Fatal(err)
	}
	return sinktest.Fixture{Target: table,
		Contents: func(t testing.TB) map[string]string { return rows(t, db, name, config.Hash) },
		Forget: func(t testing.TB) {
			keys := []string{name, "pabal:sink:{" + name + "}"}
			if !config.Hash {
				for key := range rows(t, db, name, false) {
					keys = append(keys, name+":"+key)
				}
			}
			if err := db.Client().Del(t.Context(), keys...).Err(); err != nil {
				t.Fatal(err)
			}
		}}
}

// rows of a table; none where Redis is away.
func rows(t testing.TB, db *redis.DB, name string, hash bool) map[string]string {
	ctx, out := t.Context(), map[string]string{}
	if hash {
		all, err := db.Client().HGetAll(ctx, name).Result()
		if err == nil {
			out = all
		}
		return out
	}
	all := db.Client().Scan(ctx, 0, "*", 1000).Iterator()
	for all.Next(ctx) {
		if key, ok := strings.CutPrefix(all.Val(), name+":"); ok {
			if v, err := db.Client().Get(ctx, all.Val()).Result(); err == nil {
				out[key] = v
			}
		}
	}
	return out
}

func TestTableOnMiniredis(t *testing.T) {
	for _, hash := range []bool{false, true} {
		t.Run(fmt.Sprint("hash=", hash), func(t *testing.T) {
			db := open(t, "redis://"+miniredis.RunT(t).Addr())
			sinktest.Run(t, kafkatest.Start(t).Config, "", testenv.Rand(t), func(t testing.TB) sinktest.Fixture {
				return tableFixture(t, db, redis.TableConfig{Hash: hash})
			})
		})
	}
}

func TestTableOnRedis(t *testing.T) {
	for _, hash := range []bool{false, true} {
		t.Run(fmt.Sprint("hash=", hash), func(t *testing.T) {
			db := open(t, testenv.Redis(t))
			sinktest.Run(t, kafkatest.Start(t).Config, "", testenv.Rand(t), func(t testing.TB) sinktest.Fixture {
				return tableFixture(t, db, redis.TableConfig{Hash: hash})
			})
		})
	}
}

// TestTableSurvivesRestarts: Redis is killed, and stays away for a while; what it has
// forgotten of its last second, or of everything, comes back. FLUSHALL in the middle, too.
func TestTableSurvivesRestarts(t *testing.T) {
	for _, arguments := range [][]string{{"--appendonly", "yes", "--appendfsync", "everysec"}, {"--save", "", "--appendonly", "no"}} {
		t.Run(arguments[1], func(t *testing.T) {
			server := testenv.StartRedis(t, arguments...)
			db, err := redis.Open(t.Context(), server.URL, redis.Config{Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			b := sinktest.Start(t, kafkatest.Start(t).Config, testenv.Rand(t), tableFixture(t, db, redis.TableConfig{}), "table")
			s := b.Sink(func(c *sink.Config) { c.Timeout = time.Second })
			for round := range 3 {
				b.Change(200)
				if err := server.Kill(); err != nil {
					t.Fatal(err)
				}
				b.Change(100)
				if round == 0 {
					testenv.Wait(t, "it says that Redis is away", time.Minute, func() bool { return s.Health() != nil })
				}
				if err := server.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
				b.Change(100)
				b.Equal()
				b.Change(50)
				if err := db.Client().FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				b.Change(50)
				b.Equal()
			}
			testenv.Wait(t, "it is well", time.Minute, func() bool { return s.Health() == nil && s.Stats().Lag == 0 })
			if s.Stats().Resyncs == 0 {
				t.Error("it has not noticed that Redis was flushed")
			}
		})
	}
}

// TestTableOutOfMemory: a Redis that refuses to write is waited for.
func TestTableOutOfMemory(t *testing.T) {
	server := testenv.StartRedis(t)
	db := open(t, server.URL)
	b := sinktest.Start(t, kafkatest.Start(t).Config, testenv.Rand(t), tableFixture(t, db, redis.TableConfig{}), "table")
	set := func(name, value string) {
		if err := db.Client().ConfigSet(t.Context(), name, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set("maxmemory", "1")
	set("maxmemory-policy", "noeviction")
	s := b.Sink()
	b.Change(50)
	testenv.Wait(t, "it says that there is no memory", time.Minute, func() bool {
		err := s.Health()
		return err != nil && strings.Contains(err.Error(), "OOM")
	})
	set("maxmemory", "0")
	b.Equal()
}

func TestTableErrors(t *testing.T) {
	mini := miniredis.RunT(t)
	db := open(t, "redis://"+mini.Addr())
	for _, name := range []string{"", "a{b}"} {
		if _, err := db.Table(name, redis.TableConfig{}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	cluster := redis.New(goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{mini.Addr()}}))
	if _, err := cluster.Table("t", redis.TableConfig{}); err == nil || !strings.Contains(err.Error(), "Hash") {
		t.Errorf("keys in a cluster: %v", err)
	}
	table, err := db.Table("t", redis.TableConfig{})
	if err != nil {
		t.Fatal(err)
	}
	mini.HSet("pabal:sink:{t}", "s/topic/0", "soon")
	if _, err := table.Positions(t.Context(), "s", "topic", []int32{0}); err == nil || !strings.Contains(err.Error(), "soon") {
		t.Errorf("a position that is none: %v", err)
	}
	if err := table.Apply(t.Context(), sink.Batch{Sink: "s", Topic: "topic", From: 3, To: 4}); !errors.Is(err, sink.ErrMoved) {
		t.Errorf("got %v", err)
	}
}
