package hello

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// copyIs waits until Redis has exactly that, by its keys or as a hash.
func copyIs(t *testing.T, url string, hash bool, want map[string]string) {
	t.Helper()
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	got := map[string]string{}
	defer func() {
		if t.Failed() {
			t.Logf("Redis has %v", got)
		}
	}()
	testenv.Wait(t, fmt.Sprintf("Redis to have %v", want), time.Minute, func() bool {
		got = map[string]string{}
		if hash {
			got = client.HGetAll(t.Context(), Store).Val()
		} else {
			for _, key := range client.Keys(t.Context(), Store+":*").Val() {
				got[key] = client.Get(t.Context(), key).Val()
			}
		}
		return fmt.Sprint(got) == fmt.Sprint(want)
	})
}

// TestCopyInRedis: the same JSON under the keys of the table, by both writers; null values
// delete; what was written while nobody copied, and after a flush, comes after.
func TestCopyInRedis(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"in process": func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() },
		"Redis":      func(t *testing.T) string { return testenv.StartRedis(t).URL }, // its own: it is emptied
	} {
		for _, hash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, hash %v", name, hash), func(t *testing.T) { testCopy(t, url(t), hash) })
		}
	}
}

func testCopy(t *testing.T, url string, hash bool) {
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	prefix := Store + ":"
	if hash {
		prefix = ""
	}
	s := &system{t: t, config: Config{Listen: "127.0.0.1:0", Database: "sqlite:" + filepath.Join(t.TempDir(), "hello.db"), Kafka: kafkatest.Start(t).Config,
		StateDir: t.TempDir(), Instance: "first", Redis: url, RedisHash: hash, Logger: quiet}}
	s.start()
	t.Cleanup(s.stop)
	const one = `{"state":"HAPPY","helloCount":1,"helloTotalCount":1}`
	for _, at := range []string{"/durable/a", "/topic/a", "/topic/김|b"} {
		s.call("POST", at+"/hello", `{"message":"Hello"}`, 200)
	}
	copyIs(t, url, hash, map[string]string{prefix + "HelloState|a": one, prefix + "HelloTopic|a": one, prefix + "HelloTopic|김|b": one})
	s.call("DELETE", "/durable/a", "", 200)
	s.call("DELETE", "/topic/a", "", 200)
	copyIs(t, url, hash, map[string]string{prefix + "HelloTopic|김|b": one})
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	copyIs(t, url, hash, map[string]string{prefix + "HelloTopic|김|b": one})
	s.stop()
	copying := s.config
	s.config.Redis = ""
	s.start()
	s.call("DELETE", "/topic/김|b", "", 200)
	s.call("POST", "/topic/a/hello", `{"message":"Hello"}`, 200)
	s.stop()
	s.config = copying
	s.start()
	copyIs(t, url, hash, map[string]string{prefix + "HelloTopic|a": one})
}

// TestCopyWaitsForRedis: what Redis refuses is not taken for written.
func TestCopyWaitsForRedis(t *testing.T) {
	mini := miniredis.RunT(t)
	s := &system{t: t, config: Config{Listen: "127.0.0.1:0", Database: "sqlite:" + filepath.Join(t.TempDir(), "hello.db"), Kafka: kafkatest.Start(t).Config,
		StateDir: t.TempDir(), Instance: "first", Redis: "redis://" + mini.Addr(), Logger: quiet}}
	s.start()
	t.Cleanup(s.stop)
	mini.SetError("LOADING Redis is loading the dataset in memory")
	s.call("POST", "/topic/a/hello", `{"message":"Hello"}`, 200)
	testenv.Wait(t, "the copying to notice", time.Minute, func() bool { return s.service.sync.Health() != nil })
	s.call("POST", "/topic/a/hello", `{"message":"Hello"}`, 200)
	s.call("GET", "/readyz", "", 200) // a copy that is late is no reason not to answer
	mini.SetError("")
	copyIs(t, "redis://"+mini.Addr(), false, map[string]string{Store + ":HelloTopic|a": `{"state":"HAPPY","helloCount":2,"helloTotalCount":2}`})
}

func TestRedisThatIsNotThereIsSaid(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Database: "sqlite:" + filepath.Join(t.TempDir(), "hello.db"), Kafka: kafkatest.Start(t).Config,
		StateDir: t.TempDir(), Redis: "redis://127.0.0.1:1", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := s.Start(ctx); err == nil {
		t.Error("it starts")
	}
}
