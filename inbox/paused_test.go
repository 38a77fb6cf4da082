package inbox_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// A paused consumer handles nothing, keeps its partitions, and goes on at once.
func TestPause(t *testing.T) { everywhere(t, testPause) }

func testPause(t *testing.T, e *env) {
	topic := e.topic("paused", 2)
	config := e.config("pausing", topic, e.record("pausing"))
	config.CheckInterval = time.Minute
	c := e.start(e.db, config)
	e.send(topic, 0, many(5, 2)...)
	e.waitEffects("pausing", 5)

	c.Pause()
	c.Pause() // no effect
	e.send(topic, 0, many(5, 2)...)
	testenv.Wait(t, "the lag to be seen", soon, func() bool { return c.Stats().Paused && lagOf(c.Stats()) >= 5 })
	if s := c.Stats(); s.Handled != 5 || len(s.Partitions) != 2 {
		t.Fatalf("while paused: %+v", s)
	}
	c.Resume()
	e.waitEffects("pausing", 10)
	if c.Stats().Paused {
		t.Error("it still says that it is paused")
	}
}

func lagOf(s inbox.Stats) (n int64) {
	for _, p := range s.Partitions {
		n += p.Lag
	}
	return n
}
