//go:build unix

package faults_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// envMinutes is how long TestThreeBrokers runs.
const envMinutes = "PABAL_FAULTS_MINUTES"

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

// TestThreeBrokers runs the services on PostgreSQL and an Apache Kafka of three
// brokers (three replicas, two in sync), kills the brokers in turn, and services
// in between.
func TestThreeBrokers(t *testing.T) {
	testenv.Full(t)
	random := testenv.Rand(t)
	nodes := testenv.StartKafkaCluster(t)
	on := surroundings{direct: true, postgres: testenv.Postgres(t)}
	for _, n := range nodes {
		on.brokers = append(on.brokers, n.Addr)
	}
	s := newStation(t, on, random.Uint64())
	s.excuse(true) // a service that starts while its coordinator is away ends, and is started again
	brokersKilled := 0
	for deadline := time.Now().Add(minutes(t)); time.Now().Before(deadline); {
		s.flow("a broker killed", func() {
			for _, n := range nodes {
				s.placed(10)
				crash(t, n, time.Duration(random.IntN(3000))*time.Millisecond)
				brokersKilled++
				s.placed(10)
				s.services[serviceNames[random.IntN(len(serviceNames))]].kill()
			}
			s.placed(20)
		})
		s.rounds++
	}
	s.finish(fmt.Sprintf("%d brokers of three killed", brokersKilled))
}
