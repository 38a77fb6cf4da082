package kafkatest_test

import (
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A test of yours gets a broker of its own, in milliseconds; it ends with the test.
func ExampleStart() {
	_ = func(t *testing.T) {
		cluster := kafkatest.Start(t)
		cluster.Topics(t, "orders")
		client := cluster.Client(t, kgo.DefaultProduceTopic("orders"))
		if err := client.ProduceSync(t.Context(), kgo.StringRecord("hello")).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}
