package clients_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestTools plays the scripts of testdata/tools, whose answers are Apache Kafka's: -rewrite writes
// them anew, in a long run.
func TestTools(t *testing.T) {
	scripts, err := filepath.Glob("testdata/tools/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	play := func(t *testing.T, c cluster) {
		b := startTools(t, c)
		for _, script := range scripts {
			t.Run(strings.TrimSuffix(filepath.Base(script), ".txt"), func(t *testing.T) { b.script(t, script) })
		}
	}
	t.Run("in process", func(t *testing.T) {
		play(t, start(t, func(c *broker.Config) { c.ACLs, c.SuperUsers = true, []string{"User:ANONYMOUS"} }))
	})
	if testenv.Long() {
		t.Run("Apache Kafka", func(t *testing.T) {
			server := testenv.StartKafka(t, "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS")
			play(t, cluster{addr: server.Addr, prefix: testenv.Prefix(t), kafka: true})
		})
	}
}
