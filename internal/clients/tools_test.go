package clients_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestTools plays the scripts of testdata/tools, whose answers are Apache Kafka's: -rewrite writes
// them anew, in a long run.
func TestTools(t *testing.T) {
	testenv.KafkaTools(t)
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		play(t, start(t), "testdata/tools/*.txt")
	})
	t.Run("secured", func(t *testing.T) {
		t.Parallel()
		play(t, startSecured(t), "testdata/tools/secured/*.txt")
	})
	if testenv.Long() {
		t.Run("Apache Kafka", func(t *testing.T) {
			server := testenv.StartKafka(t, "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS")
			play(t, cluster{addr: server.Addr, prefix: testenv.Prefix(t), kafka: true}, "testdata/tools/*.txt", "testdata/tools/*/*.txt")
		})
	}
}

func play(t *testing.T, c cluster, patterns ...string) {
	b := startTools(t, c)
	for _, pattern := range patterns {
		scripts, err := filepath.Glob(pattern)
		if err != nil || len(scripts) == 0 {
			t.Fatalf("there are no scripts %s: %v", pattern, err)
		}
		for _, script := range scripts {
			t.Run(strings.TrimSuffix(filepath.Base(script), ".txt"), func(t *testing.T) { b.script(t, script) })
		}
	}
}
