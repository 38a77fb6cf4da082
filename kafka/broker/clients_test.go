package broker_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// Clients that know nothing of Pabal, as they are.

func TestKcat(t *testing.T) {
	kcat := testenv.Kcat(t)
	b := start(t, broker.Config{Addr: "127.0.0.1:0"})
	run(t, "k1:hello\nk2:세계\n", kcat, "-b", b.Addr(), "-P", "-t", "cats", "-K", ":", "-H", "h=1")
	run(t, "", kcat, "-b", b.Addr(), "-L", "-t", "cats")

	read := run(t, "", kcat, "-b", b.Addr(), "-C", "-t", "cats", "-o", "beginning", "-e", "-q", "-f", "%k=%s %h\n")
	lines := strings.Split(strings.TrimSpace(read), "\n")
	slices.Sort(lines)
	if got := strings.Join(lines, ","); got != "k1=hello h=1,k2=세계 h=1" {
		t.Errorf("read %q", got)
	}
	grouped := run(t, "", kcat, "-b", b.Addr(), "-G", "kittens", "-c", "2", "-q", "-X", "auto.offset.reset=earliest", "-f", "%s\n", "cats")
	if !strings.Contains(grouped, "hello") || !strings.Contains(grouped, "세계") {
		t.Errorf("the group read %q", grouped)
	}
}

func TestKcatTransactionsAreReadCommitted(t *testing.T) {
	kcat := testenv.Kcat(t)
	b := start(t, broker.Config{Addr: "127.0.0.1:0"})
	run(t, "one\ntwo\n", kcat, "-b", b.Addr(), "-P", "-t", "sums", "-X", "transactional.id=cat-1")
	read := run(t, "", kcat, "-b", b.Addr(), "-C", "-t", "sums", "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed")
	if !strings.Contains(read, "one\n") || !strings.Contains(read, "two\n") {
		t.Errorf("read %q", read)
	}
}

func TestKafkaJS(t *testing.T) {
	folder := testenv.KafkaJS(t)
	b := start(t, broker.Config{Addr: "127.0.0.1:0"})
	out := run(t, "", "node", "testdata/kafkajs.js", folder, b.Addr())
	var got struct {
		Seen       []string
		Partitions int
		Groups     []string
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	if strings.Join(got.Seen, " ") != "committed last" || got.Partitions != 2 || !slices.Contains(got.Groups, "js-group") {
		t.Errorf("got %+v", got)
	}
}

func run(t *testing.T, stdin string, command ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(command, " "), err, out, errors.String())
	}
	return string(out)
}
