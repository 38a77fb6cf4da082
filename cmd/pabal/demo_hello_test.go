package main

import (
	"context"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestDemoOfHello: with kills, on a Redis in this process.
func TestDemoOfHello(t *testing.T) {
	t.Parallel()
	r := pabal(t, demoArgs("--scenario=hello", "--chaos", "--rate=60", "--duration=8s")...)
	report := wellEnded(t, r)
	h := report.Hello
	if h == nil || h.In == 0 || h.Keys == 0 || h.Stuck != 0 || !h.RedisEqual || report.Crashes == 0 || report.Backends.Redis != "embedded" {
		t.Errorf("%+v, %+v, %d crashes", report.Backends, h, report.Crashes)
	}
	for _, want := range []string{"Redis (embedded) is equal", "First greeting answered", "ok       hello redis"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the text lacks %q:\n%s", want, r.stderr)
		}
	}
	noTemporaryFolder(t, r)
}

// TestDemoOfHelloWithAFlushedRedis: a real one loses everything in the middle; afterwards nothing
// is left on it.
func TestDemoOfHelloWithAFlushedRedis(t *testing.T) {
	t.Parallel()
	url := testenv.StartRedis(t).URL // its own: it is emptied
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	keys := func() int { return len(client.Keys(t.Context(), "hello-state-store:*").Val()) }
	before := keys()
	flushed := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	go func() {
		for ; ; time.Sleep(20 * time.Millisecond) {
			if keys() > before+20 || ctx.Err() != nil {
				flushed <- client.FlushDB(ctx).Err()
				return
			}
		}
	}()
	r := pabal(t, demoArgs("--scenario=hello", "--redis="+url, "--rate=100", "--duration=4s")...)
	if err := <-flushed; err != nil {
		t.Fatal(err)
	}
	if h := wellEnded(t, r).Hello; h == nil || h.Keys < 20 || !h.RedisEqual {
		t.Errorf("%+v", h)
	}
	if left := keys(); left > 0 {
		t.Errorf("%d keys are left", left)
	}
	noSecret(t, url, r.stdout+r.stderr)
}
