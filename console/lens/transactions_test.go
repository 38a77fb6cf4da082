package lens

import (
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestCommittedOnly: what a transaction aborted is not there, and does not keep the
// index behind; what it committed is there once it did.
func TestCommittedOnly(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) kafka.Config{
		"embedded": func(t *testing.T) kafka.Config { return kafkatest.Start(t).Config },
		"real": func(t *testing.T) kafka.Config {
			return kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := start(t)
			client, err := kafka.NewClient(config, kgo.TransactionalID(config.TransactionalID("lens-test")))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			if err := kafka.EnsureTopics(t.Context(), client, config, kafka.Topic{Name: "orders"}); err != nil {
				t.Fatal(err)
			}
			l, _ := run(t, config, Config{})
			for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
				if err := client.BeginTransaction(); err != nil {
					t.Fatal(err)
				}
				produce(t, client, config.Topic("orders"), fresh(10)...)
				if err := client.EndTransaction(t.Context(), end); err != nil {
					t.Fatal(err)
				}
			}
			await(t, "the committed ones", func() bool {
				s, err := l.State(t.Context())
				return err == nil && s.Events == 20 && s.Behind == 0 && s.Problem == ""
			})
		})
	}
}
