package sinktest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/sink"
	"github.com/pabal-dev/pabal/streams/sink/sinktest"
)

// A test of a Target of your own.
func Example() {
	var (
		t       *testing.T                   // of the test
		open    func(testing.TB) sink.Target // empty
		read    func(testing.TB, sink.Target) map[string]string
		destroy func(testing.TB, sink.Target)
	)
	if t == nil {
		return
	}
	sinktest.Run(t, kafka.Config{Brokers: []string{"127.0.0.1:9092"}}, "test-", rand.New(rand.NewPCG(1, 2)), func(t testing.TB) sinktest.Fixture {
		target := open(t)
		return sinktest.Fixture{
			Target:   target,
			Contents: func(t testing.TB) map[string]string { return read(t, target) },
			Forget:   func(t testing.TB) { destroy(t, target) },
		}
	})
}
