package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/redis"
	"github.com/pabal-dev/pabal/storage/storagetest"
	goredis "github.com/redis/go-redis/v9"
)

func open(t testing.TB, url string) *redis.DB {
	t.Helper()
	db, err := redis.Open(t.Context(), url, redis.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var views atomic.Int64

// newView has a prefix of its own, odd for a pattern.
func newView(t testing.TB, db *redis.DB, config redis.ViewConfig) *redis.View {
	t.Helper()
	v, err := db.View(fmt.Sprintf(`%s[%d]*?\:`, testenv.Prefix(t), views.Add(1)), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Clear(context.Background()) })
	return v
}

func put(t testing.TB, v *redis.View, id string, version int64, name string) {
	t.Helper()
	if err := v.Put(t.Context(), id, version, storagetest.Document{Name: name}); err != nil {
		t.Fatal(err)
	}
}

func is(t testing.TB, v *redis.View, id, name string) {
	t.Helper()
	var d storagetest.Document
	_, ok, err := v.Get(t.Context(), id, &d)
	if err != nil || ok != (name != "") || d.Name != name {
		t.Fatalf("document %q: %+v, %v, %v; want %q", id, d, ok, err, name)
	}
}

func TestConformance(t *testing.T) {
	db := open(t, testenv.Redis(t))
	storagetest.Target(t, func(t *testing.T) storagetest.ReadModel { return newView(t, db, redis.ViewConfig{}) })
}

// TestClearLeavesOthers: characters of a pattern in a prefix are none.
func TestClearLeavesOthers(t *testing.T) {
	db := open(t, testenv.Redis(t))
	prefix := testenv.Prefix(t)
	all, _ := db.View(prefix+"*", redis.ViewConfig{})
	other, _ := db.View(prefix+"x", redis.ViewConfig{})
	put(t, all, "a", 1, "one")
	put(t, other, "a", 1, "two")
	if err := all.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	is(t, all, "a", "")
	is(t, other, "a", "two")
	if err := other.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestExpiry(t *testing.T) {
	db := open(t, testenv.Redis(t))
	expires := func(v *redis.View, id string) time.Duration {
		t.Helper()
		left, err := db.Client().PTTL(t.Context(), v.Key(id)).Result()
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	kept := newView(t, db, redis.ViewConfig{Tombstones: time.Minute})
	put(t, kept, "a", 1, "one")
	if left := expires(kept, "a"); left >= 0 {
		t.Errorf("a document without TTL expires in %s", left)
	}
	if err := kept.Delete(t.Context(), "a", 2); err != nil {
		t.Fatal(err)
	}
	if left := expires(kept, "a"); left <= 0 || left > time.Minute {
		t.Errorf("a tombstone expires in %s, want a minute", left)
	}
	put(t, kept, "a", 3, "three")
	if left := expires(kept, "a"); left >= 0 {
		t.Errorf("a document made again expires in %s", left)
	}
	short := newView(t, db, redis.ViewConfig{TTL: time.Hour})
	put(t, short, "a", 1, "one")
	if left := expires(short, "a"); left <= 59*time.Minute || left > time.Hour {
		t.Errorf("a document expires in %s, want an hour", left)
	}
}

func TestScriptFlushed(t *testing.T) {
	db := open(t, testenv.Redis(t))
	v := newView(t, db, redis.ViewConfig{})
	for i := range 3 {
		if err := db.Client().ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		put(t, v, "a", int64(i+1), fmt.Sprint("n", i))
		is(t, v, "a", fmt.Sprint("n", i))
	}
}

// TestErrors: what is the document's fault is told from what is Redis's.
func TestErrors(t *testing.T) {
	db := open(t, testenv.Redis(t))
	v := newView(t, db, redis.ViewConfig{})
	if err := db.Client().Set(t.Context(), v.Key("text"), "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := v.Put(t.Context(), "text", 1, "d"); err == nil || errors.Is(err, projection.ErrUnavailable) {
		t.Errorf("a key of another type: %v", err)
	}
	gone, err := redis.New(goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})).View("x", redis.ViewConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Put(t.Context(), "a", 1, "d"); !errors.Is(err, projection.ErrUnavailable) {
		t.Errorf("no server: %v", err)
	}
	for _, config := range []redis.ViewConfig{{TTL: -1}, {TTL: 1}, {Tombstones: -1}, {Tombstones: 1}} {
		if _, err := db.View("x", config); err == nil {
			t.Errorf("%+v was taken", config)
		}
	}
	if _, err := db.View("", redis.ViewConfig{}); err == nil {
		t.Error("an empty prefix was taken")
	}
}

func TestOpenFails(t *testing.T) {
	for _, url := range []string{"", "postgres://h/d", "redis://user:secret@127.0.0.1:1/0", "redis://user:secret@h:port"} {
		_, err := redis.Open(t.Context(), url, redis.Config{Timeout: time.Second})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := redis.Open(t.Context(), "redis://127.0.0.1:1", redis.Config{Timeout: -1}); err == nil {
		t.Error("a negative timeout was taken")
	}
}
