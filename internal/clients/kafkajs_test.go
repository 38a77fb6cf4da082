package clients_test

import (
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestKafkaJS: SASL over TLS where the broker is ours, administration, an idempotent producer, groups and transactions.
func TestKafkaJS(t *testing.T) {
	folder := testenv.KafkaJS(t)
	test := func(t *testing.T, c cluster) {
		t.Parallel()
		args := []string{"testdata/kafkajs.js", folder, c.addr, c.prefix}
		if c.ca != "" {
			args = append(args, c.ca, admin, password)
		}
		same(t, testenv.Output(t, "node", args...), `{
			"created": [true, false], "partitions": [0, 1, 2], "settings": {"max.message.bytes": "4000", "retention.ms": "604800000"}, "cluster": [1, true],
			"sent": [0, 2], "large": "MESSAGE_TOO_LARGE", "offsets": [["1", "4"], ["0", "0"], ["0", "0"]],
			"seen": [["1", "v2", "x"], ["2", "v1", "x"], ["3", "v2", "x"]], "group": ["Empty", "consumer"], "listed": true,
			"committed": "2", "again": ["2", "3"],
			"fenced": "INVALID_PRODUCER_EPOCH", "visible": ["kept", "last"], "etl": "3", "left": []
		}`)
	}
	t.Run("in process", func(t *testing.T) { test(t, startSecured(t)) })
	t.Run("Apache Kafka", func(t *testing.T) { test(t, apacheKafka(t)) })
}
