package clients_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestStreamsSmoke is Apache Kafka's smoke test of Kafka Streams with exactly-once processing: a topology of
// counts, sums, windows and suppression, whose results a driver checks. In a long run the instances are
// killed in turn, meanwhile.
func TestStreamsSmoke(t *testing.T) {
	testenv.KafkaTools(t)
	testenv.KStreams(t)
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		smoke(t, start(t, func(c *broker.Config) { c.Partitions = 5 }))
	})
	if testenv.Long() {
		t.Run("Apache Kafka", func(t *testing.T) {
			smoke(t, cluster{addr: testenv.StartKafka(t).Addr, kafka: true})
		})
	}
}

func smoke(t *testing.T, c cluster) {
	for _, topic := range strings.Fields("data echo max min min-suppressed min-raw dif sum sws-raw sws-suppressed cnt avg tagg fk") {
		cluster{addr: c.addr}.topic(t, topic, 5)
	}
	folder := t.TempDir()
	settings := filepath.Join(folder, "streams.properties")
	text := fmt.Sprintf("bootstrap.servers=%s\nprocessing.guarantee=exactly_once_v2\nstate.dir=%s\nsession.timeout.ms=6000\nheartbeat.interval.ms=1000\nnum.stream.threads=1\n", c.addr, folder)
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	driver := javaWith(t, streamsJars(t), "testdata/Smoke.java", append([]string{c.addr}, testenv.Sized([]string{"5", "60", "3"}, []string{"20", "1000", "90"})...)...)
	var said strings.Builder
	driver.Stdout, driver.Stderr = &said, &said
	instances := testenv.Sized(1, 3)
	running := make([]*exec.Cmd, instances)
	for i := range running {
		running[i] = instance(t, settings)
	}
	if err := driver.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- driver.Wait() }()
	kill := time.NewTicker(15 * time.Second)
	defer kill.Stop()
	for n := 0; ; n++ {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the driver: %v\n%s", err, said.String()[max(0, said.Len()-6000):])
			}
			return
		case <-kill.C:
			if testenv.Long() {
				i := n % instances
				_ = running[i].Process.Kill()
				running[i] = instance(t, settings)
			}
		}
	}
}

// instance starts the application, and ends it with the test.
func instance(t *testing.T, settings string) *exec.Cmd {
	t.Helper()
	cmd := javaWith(t, streamsJars(t), "org.apache.kafka.streams.tests.StreamsSmokeTest", settings, "process")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		<-ended
	})
	return cmd
}

// streamsJars are the jars of Kafka Streams and of its tests.
func streamsJars(t *testing.T) []string {
	return []string{testenv.KafkaTools(t), filepath.Join(testenv.KStreams(t), "lib")}
}

// javaWith prepares a class, or a source file, with the jars of folders.
func javaWith(t *testing.T, folders []string, main string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := testservers.FindJava()
	if err != nil {
		t.Fatal(err)
	}
	jars := make([]string, len(folders))
	for i, folder := range folders {
		jars[i] = filepath.Join(folder, "*")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testenv.Sized(10*time.Minute, 15*time.Minute))
	t.Cleanup(cancel)
	flags := []string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", strings.Join(jars, string(os.PathListSeparator)), main}
	return exec.CommandContext(ctx, program, append(flags, args...)...)
}
