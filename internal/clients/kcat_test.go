package clients_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// kcat runs kcat with what it reads and returns what it prints.
func kcat(t *testing.T, c cluster, stdin string, args ...string) string {
	t.Helper()
	all := []string{"-b", c.addr, "-X", "allow.auto.create.topics=true"}
	for name, value := range c.librdkafka("PLAIN") {
		all = append(all, "-X", name+"="+value)
	}
	return testenv.OutputOf(t, stdin, testenv.Kcat(t), append(all, args...)...)
}

func TestKcat(t *testing.T) {
	testenv.Kcat(t)
	t.Parallel()
	c := start(t, autoCreate)
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		topic := "cats-" + codec
		kcat(t, c, "k1:hello\nk2:세계\n", "-P", "-t", topic, "-K", ":", "-H", "h=1", "-z", codec)
		kcat(t, c, "k3:late\n", "-P", "-t", topic, "-K", ":", "-X", "acks=1")
		kcat(t, c, "k4:unsure\n", "-P", "-t", topic, "-K", ":", "-X", "acks=0")
		read := kcat(t, c, "", "-C", "-t", topic, "-c", "4", "-o", "beginning", "-q", "-f", "%k=%s (%h)\n")
		lines := strings.Split(strings.TrimSpace(read), "\n")
		slices.Sort(lines)
		if got := strings.Join(lines, ","); got != "k1=hello (h=1),k2=세계 (h=1),k3=late (),k4=unsure ()" {
			t.Errorf("%s: read %q", codec, got)
		}
	}
	grouped := kcat(t, c, "", "-G", "kittens", "-c", "20", "-q", "-X", "auto.offset.reset=earliest", "-f", "%s\n", "^cats-.*")
	if strings.Count(grouped, "hello") != 5 || strings.Count(grouped, "세계") != 5 {
		t.Errorf("the group read %q", grouped)
	}
	if list := kcat(t, c, "", "-L"); strings.Count(list, `topic "cats-`) != 5 {
		t.Errorf("listed %s", list)
	}
}

func TestKcatTransactionsAreReadCommitted(t *testing.T) {
	testenv.Kcat(t)
	t.Parallel()
	c := start(t, autoCreate)
	kcat(t, c, "one\ntwo\n", "-P", "-t", "sums", "-X", "transactional.id=cat-1")
	read := kcat(t, c, "", "-C", "-t", "sums", "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed")
	if !strings.Contains(read, "one\n") || !strings.Contains(read, "two\n") {
		t.Errorf("read %q", read)
	}
}

func TestKcatAuthenticates(t *testing.T) {
	testenv.Kcat(t)
	t.Parallel()
	c := startSecured(t, autoCreate)
	const topic = "secrets"
	kcat(t, c, "one\n", "-P", "-t", topic)
	if read := kcat(t, c, "", "-C", "-t", topic, "-c", "1", "-o", "beginning", "-q"); read != "one\n" {
		t.Errorf("read %q", read)
	}
}

func autoCreate(c *broker.Config) { c.NoAutoCreate = false }
