package clients_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// java prepares a program of Apache Kafka's, by its class, in a virtual machine of its own.
func java(t *testing.T, class string, args ...string) *exec.Cmd {
	t.Helper()
	return javaWith(t, []string{testenv.KafkaTools(t)}, class, args...)
}

// TestVerifiablePrograms: what the programs of Apache Kafka's system tests say they produced, copied in
// transactions and consumed is what is there.
func TestVerifiablePrograms(t *testing.T) {
	testenv.KafkaTools(t)
	onOurs(t, func(t *testing.T, c cluster) {
		t.Parallel()
		const count = 2000
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 3)
		produced := events(t, java(t, "org.apache.kafka.tools.VerifiableProducer", "--bootstrap-server", c.addr, "--topic", in, "--max-messages", strconv.Itoa(count), "--acks", "-1"))
		if n := len(produced["producer_send_success"]); n != count {
			t.Fatalf("%d of %d messages were acknowledged", n, count)
		}
		c.copy(t, in, out, count, 0)
		sameNumbers(t, c.numbers(t, out), count)
		consumed := events(t, java(t, "org.apache.kafka.tools.VerifiableConsumer", "--bootstrap-server", c.addr, "--topic", out, "--group-id", c.prefix+"v", "--max-messages", strconv.Itoa(count), "--reset-policy", "earliest"))
		total := 0
		for _, e := range consumed["records_consumed"] {
			total += e.Count
		}
		if total < count || len(consumed["offsets_committed"]) == 0 {
			t.Errorf("%d of %d records were consumed, with %d commits", total, count, len(consumed["offsets_committed"]))
		}
	})
}

// TestCopierKilled: a copier that is killed again and again, and aborts at random, copies each message
// once.
func TestCopierKilled(t *testing.T) {
	testenv.Full(t)
	testenv.KafkaTools(t)
	onBoth(t, func(t *testing.T, c cluster) {
		const count = 20000
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 3)
		events(t, java(t, "org.apache.kafka.tools.VerifiableProducer", "--bootstrap-server", c.addr, "--topic", in, "--max-messages", strconv.Itoa(count), "--acks", "-1"))
		c.copy(t, in, out, count, 8)
		sameNumbers(t, c.numbers(t, out), count)
	})
}

// copy copies all messages, by a process that is killed some times before.
func (c cluster) copy(t *testing.T, in, out string, count, kills int) {
	t.Helper()
	random := testenv.Rand(t)
	args := []string{"--broker-list", c.addr, "--transactional-id", c.prefix + "copier", "--consumer-group", c.prefix + "copying",
		"--input-topic", in, "--input-partition", "0", "--output-topic", out, "--max-messages", "-1", "--transaction-size", "50", "--transaction-timeout", "20000"}
	for range kills {
		cmd := java(t, "org.apache.kafka.tools.TransactionalMessageCopier", append(args, "--enable-random-aborts")...)
		lines, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		scanner := bufio.NewScanner(lines)
		for range 2 + random.IntN(40) { // lines, one for each transaction
			if !scanner.Scan() {
				break
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if out, err := java(t, "org.apache.kafka.tools.TransactionalMessageCopier", args...).CombinedOutput(); err != nil {
		t.Fatalf("the copier: %v\n%s", err, out)
	}
}

// event is a line that the programs print.
type event struct {
	Name  string
	Count int
}

// events runs a program to its end and returns what it prints, by name.
func events(t *testing.T, cmd *exec.Cmd) map[string][]event {
	t.Helper()
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out[max(0, len(out)-2000):], complaint.String())
	}
	all := map[string][]event{}
	for line := range bytes.Lines(out) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all[e.Name] = append(all[e.Name], e)
	}
	return all
}

// numbers are the numbers that a reader of what is committed sees in a topic.
func (c cluster) numbers(t *testing.T, topic string) []int {
	t.Helper()
	var all []int
	for _, r := range c.committed(t, topic) {
		n, err := strconv.Atoi(string(r.Value))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// sameNumbers wants each number below count once.
func sameNumbers(t *testing.T, got []int, count int) {
	t.Helper()
	if len(got) != count {
		t.Errorf("there are %d numbers, want %d", len(got), count)
	}
	for i, n := range got {
		if n != i {
			t.Errorf("number %d is there as the %dth", n, i)
			return
		}
	}
}
