//go:build unix

package faults_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// full says whether all of the suite runs, not the share of make test.
func full() bool { return testenv.Long() }

// backends are the pairs of database and broker that kills are tried on.
var backends = map[string]func(testing.TB) surroundings{
	"sqlite": func(t testing.TB) surroundings { return surroundings{brokers: broker(t)} },
	"postgres": func(t testing.TB) surroundings {
		return surroundings{brokers: broker(t), postgres: testenv.Postgres(t)}
	},
}

// broker is Apache Kafka in the long mode, else one in this process.
func broker(t testing.TB) []string {
	if full() {
		return testenv.Kafka(t)
	}
	return kafkatest.Start(t).Config.Brokers
}

// within is testenv.Wait with much patience; it says what it saw last.
func within(t testing.TB, what string, last *string, done func() bool) {
	t.Helper()
	deadline, tick := time.Now().Add(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s that %s: %s", patience, what, *last)
		}
		<-tick.C
	}
}
