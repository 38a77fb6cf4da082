package clients_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// franzRecords is how many records go through the chains of groups and of transactions.
const franzRecords = "50000"

// TestFranzGo runs the integration tests of package kgo, as they are in the module that go.mod names.
func TestFranzGo(t *testing.T) {
	testenv.Full(t)
	folder := strings.TrimSpace(testenv.Output(t, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/twmb/franz-go"))
	onBoth(t, func(t *testing.T, c cluster) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "go", "test", "-C", folder, "-count=1", "-timeout=30m", "-v", "./pkg/kgo")
		if !c.kafka { // and one at which clients log in
			secured := start(t, func(b *broker.Config) { b.Users = map[string]string{admin: "its-secret"} })
			cmd.Env = append(cmd.Env, "KGO_TEST_SCRAM_SEEDS="+secured.addr, "KGO_TEST_SCRAM="+admin+":its-secret")
		}
		cmd.Env = append(append(cmd.Env, os.Environ()...), "GOFLAGS=-trimpath", "KGO_SEEDS="+c.addr, "KGO_TEST_RF=1", "KGO_TEST_UNSAFE=1", "KGO_LOG_LEVEL=none", "KGO_TEST_RECORDS="+franzRecords)
		out, err := cmd.CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(strings.TrimSpace(line), "--- FAIL") || strings.HasPrefix(line, "--- SKIP") {
				t.Log(strings.TrimSpace(line))
			}
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out[max(0, len(out)-20000):])
		}
		for _, chain := range []string{"--- PASS: TestGroupETL ", "--- PASS: TestTxnEtl "} {
			if !strings.Contains(string(out), chain) {
				t.Errorf("the tests printed no %q", chain)
			}
		}
	})
}
