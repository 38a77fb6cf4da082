//go:build unix

package faults_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// flow lets orders flow while fn runs, and then waits until all have ended.
func (s *station) flow(what string, fn func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	var flow sync.WaitGroup
	flow.Go(func() {
		for ctx.Err() == nil {
			s.traffic.Burst(context.WithoutCancel(ctx), ordersPerRound)
		}
	})
	fn()
	cancel()
	flow.Wait()
	s.settle(what)
}

// placed waits until that many more orders were accepted.
func (s *station) placed(more int64) {
	s.Helper()
	before := s.tracker.Counts().Placed
	testenv.Wait(s.TB, "orders to be accepted", patience, func() bool { return s.tracker.Counts().Placed >= before+more })
}

// crash kills a server, waits a little and starts it again.
func crash(t testing.TB, server *testservers.Server, away time.Duration) {
	t.Helper()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	tally.restarts.Add(1)
	time.Sleep(away)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Restart(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestDatabaseIsKilled kills PostgreSQL with all of its processes under orders,
// and starts it again.
func TestDatabaseIsKilled(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	server := testenv.StartPostgres(t)
	s := newStation(t, surroundings{brokers: broker(t), postgres: server.URL}, random.Uint64())
	times := 1
	if full() {
		times = 12
	}
	for range times {
		s.flow("PostgreSQL killed", func() {
			s.placed(20)
			crash(t, server, time.Duration(random.IntN(1000))*time.Millisecond)
			s.placed(20)
		})
		s.rounds++
	}
	s.finish("PostgreSQL killed")
}

// TestBrokerIsKilled kills Apache Kafka under orders, and starts it again.
func TestBrokerIsKilled(t *testing.T) {
	testenv.Full(t)
	random := testenv.Rand(t)
	server := testenv.StartKafka(t)
	s := newStation(t, surroundings{brokers: []string{server.Addr}}, random.Uint64())
	for range 8 {
		s.flow("Apache Kafka killed", func() {
			s.placed(20)
			crash(t, server, time.Duration(random.IntN(3000))*time.Millisecond)
			s.placed(20)
		})
		s.rounds++
	}
	s.finish("Apache Kafka killed")
}

// TestConnectionsAreCutAllTheTime cuts all connections of a service at random,
// again and again, under orders.
func TestConnectionsAreCutAllTheTime(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	s := newStation(t, surroundings{brokers: kafkatest.Start(t).Config.Brokers, postgres: testenv.Postgres(t)}, random.Uint64())
	cuts := 6
	if full() {
		cuts = 200
	}
	s.flow("connections cut", func() {
		for range cuts {
			s.placed(1 + random.Int64N(8))
			victim := s.services[serviceNames[random.IntN(len(serviceNames))]]
			victim.excused.Store(true)
			victim.kafka.Cut()
			tally.cuts.Add(1)
			if random.IntN(2) == 0 {
				victim.db.Cut()
			}
			s.rounds++
		}
	})
	s.finish("connections cut")
}
