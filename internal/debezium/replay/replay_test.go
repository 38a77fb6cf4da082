package replay_test

import (
	"flag"
	"os"
	"testing"

	"github.com/pabal-dev/pabal/internal/debezium/replay"
	"github.com/pabal-dev/pabal/internal/testenv"
)

var rewrite = flag.Bool("rewrite", false, "write the answers of the real Kafka Connect to the file")

const file = "../../../connect/rest/testdata/kafka-connect.txt"

// TestTheFileIsWhatKafkaConnectAnswers holds the file to the real one.
func TestTheFileIsWhatKafkaConnectAnswers(t *testing.T) {
	kafka := testenv.StartKafka(t)
	connect := testenv.StartDebezium(t, []string{kafka.Addr})
	answers := replay.Replay(t, connect.URL)
	if *rewrite {
		if err := os.WriteFile(file, []byte(replay.Text(answers)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	replay.Compare(t, answers, file, nil)
}
