//go:build unix

package eostest

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

func full() bool { return testenv.Long() }

// envMinutes is how long TestBrokersAreKilled runs; 5 where it is not set.
const envMinutes = "PABAL_FAULTS_MINUTES"

// TestInProcessBroker: static members that are killed are back before they are missed, or after.
func TestInProcessBroker(t *testing.T) {
	t.Parallel()
	g := newGround(t, kafkatest.Start(t).Config, times(50, 150), true)
	g.bounce(g.any())
	for range 2 {
		g.crash(g.any())
	}
	g.hang(g.any())
	g.finish()
}

// TestApacheKafka: every fault of an instance, in a random order. The share of CI is a load that
// instances with the race detector can take: what they fall behind, every fault waits for.
func TestApacheKafka(t *testing.T) {
	t.Parallel()
	g := newGround(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)}, times(50, 300), false)
	faults := []func(){
		func() { g.bounce(g.any()) },
		func() { g.crash(g.any()) },
		func() { g.crash(g.any()) },
		func() { g.zombie(g.any()) },
		func() { g.hang(g.any()) },
		g.crashTwo,
	}
	for range times(1, 5) {
		g.random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		for _, fault := range faults {
			fault()
		}
	}
	g.finish()
}

// TestBrokersAreKilled in turn, of three, and instances meanwhile.
func TestBrokersAreKilled(t *testing.T) {
	testenv.Full(t)
	nodes := testenv.StartKafkaCluster(t)
	k := kafka.Config{Logger: slog.New(slog.DiscardHandler)}
	for _, n := range nodes {
		k.Brokers = append(k.Brokers, n.Addr)
	}
	g := newGround(t, k, 300, false)
	for deadline := time.Now().Add(minutes(t)); time.Now().Before(deadline); {
		for n, node := range nodes {
			g.breakBroker(n, node)
		}
	}
	g.finish()
}

// breakBroker kills a broker, does something to an instance while it is away, and waits for both.
func (g *ground) breakBroker(n int, node *testservers.Server) {
	g.Helper()
	if err := node.Kill(); err != nil {
		g.Fatal(err)
	}
	g.say("broker %d killed", n)
	faults := []func(){
		func() { time.Sleep(rand.N(3 * time.Second)) }, // the broker alone
		func() { g.crash(g.any()) },
		func() { g.bounce(g.any()) },
		func() { g.zombie(g.any()) },
		func() { g.hang(g.any()) },
	}
	faults[g.random.IntN(len(faults))]()
	g.settled("a broker is away")
	ctx, cancel := context.WithTimeout(g.Context(), patience)
	defer cancel()
	if err := node.Restart(ctx); err != nil {
		g.Fatal(err)
	}
	g.say("broker %d is back", n)
	g.settled("all brokers are there")
}

func minutes(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv(envMinutes)
	if text == "" {
		return 5 * time.Minute
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q is no number of minutes", envMinutes, text)
	}
	return time.Duration(n * float64(time.Minute))
}
