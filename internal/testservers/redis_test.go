package testservers_test

import (
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/redis/go-redis/v9"
)

func TestRedisKeepsItsDataOverAKill(t *testing.T) {
	server := testenv.StartRedis(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	if err := client.Set(t.Context(), "a", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Get(t.Context(), "a").Result(); err != nil || got != "1" {
		t.Fatalf("got %q and %v, want 1", got, err)
	}
}
