package connect_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
)

func brokers(t *testing.T, suite func(t *testing.T, k kafka.Config)) {
	t.Run("in-process", func(t *testing.T) { suite(t, kafkatest.Start(t).Config) })
	t.Run("apache", func(t *testing.T) {
		suite(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)})
	})
}

func given(topic, count string) map[string]string {
	return map[string]string{"connector.class": numbersClass, "topic": topic, "count": count}
}

func TestSourceLifeCycle(t *testing.T) { brokers(t, sourceLifeCycle) }

func sourceLifeCycle(t *testing.T, k kafka.Config) {
	w := start(t, k, "w1", &numbers{})
	create(t, w, "n", given("numbers", "100"))
	exactly(t, numbersIn(t, k, "numbers", 100), 100)
	awaitState(t, w, "n", "RUNNING")
	if _, err := w.Create(t.Context(), "n", given("numbers", "100"), connect.Started); !errors.Is(err, connect.ErrConflict) {
		t.Errorf("a second one of that name: %v", err)
	}
	if err := w.SetTarget(t.Context(), "n", connect.Paused); err != nil {
		t.Fatal(err)
	}
	awaitState(t, w, "n", "PAUSED")
	if _, err := w.ResetOffsets(t.Context(), "n"); !errors.Is(err, connect.ErrInvalid) {
		t.Errorf("offsets of one that is not stopped: %v", err)
	}
	if _, _, err := w.Put(t.Context(), "n", given("numbers", "150")); err != nil {
		t.Fatal(err)
	}
	if err := w.SetTarget(t.Context(), "n", connect.Stopped); err != nil {
		t.Fatal(err)
	}
	if s := awaitState(t, w, "n", "STOPPED"); len(s.Tasks) != 0 {
		t.Errorf("a stopped connector has tasks: %+v", s)
	}
	alterOffsets(t, w)
	if err := w.SetTarget(t.Context(), "n", connect.Started); err != nil {
		t.Fatal(err)
	}
	got := numbersIn(t, k, "numbers", 160)
	exactly(t, got[:100], 100)
	if got[100] != 91 || got[159] != 150 {
		t.Errorf("after the offset was set to 90 it goes on with %d to %d", got[100], got[159])
	}
	w = again(t, k, w)
	if err := w.Delete(t.Context(), "n"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Status("n"); !errors.Is(err, connect.ErrNotFound) {
		t.Errorf("a deleted one: %v", err)
	}
}

// again is another worker after the first one: it finds the offset that was committed last, however
// the ones before came there.
func again(t *testing.T, k kafka.Config, w *connect.Worker) *connect.Worker {
	t.Helper()
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w = start(t, k, "w2", &numbers{})
	joined(t, w)
	stored, err := w.Offsets(t.Context(), "n")
	if err != nil || len(stored) != 1 || string(stored[0].Offset) != `{"n":150}` {
		t.Fatalf("offsets after a restart are %s, %v", fmt.Sprint(stored), err)
	}
	return w
}

func alterOffsets(t *testing.T, w *connect.Worker) {
	t.Helper()
	stored, err := w.Offsets(t.Context(), "n")
	if err != nil || len(stored) != 1 || string(stored[0].Offset) != `{"n":100}` || string(stored[0].Partition) != `{"task":0}` {
		t.Fatalf("offsets %s, %v", fmt.Sprint(stored), err)
	}
	stored[0].Offset = []byte(`{"m":90}`)
	if _, err := w.AlterOffsets(t.Context(), "n", stored); !errors.Is(err, connect.ErrInvalid) {
		t.Errorf("an offset that the source cannot read: %v", err)
	}
	stored[0].Offset = []byte(`{"n":90}`)
	if _, err := w.AlterOffsets(t.Context(), "n", stored); err != nil {
		t.Fatal(err)
	}
}

func TestSourceFailsAndIsRestarted(t *testing.T) { brokers(t, sourceFails) }

func sourceFails(t *testing.T, k kafka.Config) {
	s := &numbers{}
	broken := true
	s.fail = func(n int64) error {
		switch {
		case n == 35 && broken:
			return errors.New("the disk is full")
		case n%20 == 0 && s.opened.Load()%2 == 0:
			return fmt.Errorf("the line is busy: %w", plugin.ErrRetry)
		}
		return nil
	}
	w := start(t, k, "w1", s)
	create(t, w, "n", given("numbers", "100"))
	testenv.Wait(t, "the task to fail", 30*time.Second, func() bool {
		status, err := w.Status("n")
		return err == nil && len(status.Tasks) == 1 && status.Tasks[0].State == "FAILED" && strings.Contains(status.Tasks[0].Trace, "the disk is full")
	})
	s.fail = nil
	if _, err := w.Restart(t.Context(), "n", true, true); err != nil {
		t.Fatal(err)
	}
	exactly(t, numbersIn(t, k, "numbers", 100), 100)
	awaitState(t, w, "n", "RUNNING")
}

// TestRestartsLoseNothing: a task that is restarted all the time sends each number once.
func TestRestartsLoseNothing(t *testing.T) { brokers(t, restartsLoseNothing) }

func restartsLoseNothing(t *testing.T, k kafka.Config) {
	const count = 5000
	s := &numbers{}
	w := start(t, k, "w1", s)
	create(t, w, "n", given("numbers", fmt.Sprint(count)))
	for range 10 {
		opened := s.opened.Load()
		if err := w.RestartTask(t.Context(), "n", 0); err != nil {
			t.Logf("not yet: %v", err)
		}
		testenv.Wait(t, "the task to begin anew", 30*time.Second, func() bool { return s.opened.Load() > opened || opened == 0 })
	}
	exactly(t, numbersIn(t, k, "numbers", count), count)
}

// TestWorkersShare: two have half of the tasks each, one that stops leaves them to the other, and
// what they send is there once.
func TestWorkersShare(t *testing.T) { brokers(t, workersShare) }

func workersShare(t *testing.T, k kafka.Config) {
	const count = 2000
	a := start(t, k, "a", &numbers{})
	create(t, a, "n1", given("one", fmt.Sprint(count)))
	create(t, a, "n2", given("two", fmt.Sprint(count)))
	b := start(t, k, "b", &numbers{})
	testenv.Wait(t, "both to have work", 30*time.Second, func() bool {
		workers := map[string]int{}
		for _, name := range []string{"n1", "n2"} {
			s, err := a.Status(name)
			if err != nil || len(s.Tasks) != 1 || s.Tasks[0].State != "RUNNING" {
				return false
			}
			workers[s.Tasks[0].WorkerID]++
			workers[s.Connector.WorkerID]++
		}
		return workers["a"] == 2 && workers["b"] == 2
	})
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"n1", "n2"} {
		testenv.Wait(t, "b to have all", 30*time.Second, func() bool {
			s, err := b.Status(name)
			return err == nil && s.Tasks[0].WorkerID == "b" && s.Tasks[0].State == "RUNNING"
		})
	}
	exactly(t, numbersIn(t, k, "one", count), count)
	exactly(t, numbersIn(t, k, "two", count), count)
}

// TestRefusedRecordsAreLeftOut: what Kafka refuses fails the task, or where that is tolerated is
// left out, without its neighbours.
func TestRefusedRecordsAreLeftOut(t *testing.T) {
	k := kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)}
	w := start(t, k, "w1", &numbers{size: func(n int64) int {
		if n%30 == 0 {
			return 20_000
		}
		return 100
	}})
	props := given("numbers", "100")
	props["topic.creation.default.partitions"] = "1"
	props["topic.creation.default.max.message.bytes"] = "4096"
	props["producer.override.compression.type"] = "none"
	props["batch"] = "100" // more bytes than a message may have, also without the large ones
	create(t, w, "n", props)
	testenv.Wait(t, "the task to fail", 60*time.Second, func() bool {
		s, err := w.Status("n")
		return err == nil && len(s.Tasks) == 1 && s.Tasks[0].State == "FAILED" && strings.Contains(s.Tasks[0].Trace, "refuses a record")
	})
	props["errors.tolerance"] = "all"
	if _, _, err := w.Put(t.Context(), "n", props); err != nil {
		t.Fatal(err)
	}
	got := numbersIn(t, k, "numbers", 97)
	for i, n := range got {
		if want := int64(i+1) + int64(i)/29; n != want {
			t.Fatalf("place %d has %d, want %d", i, n, want)
		}
	}
}

// TestTransactionsAreSpaced: a fast broker gets no transaction for each change.
func TestTransactionsAreSpaced(t *testing.T) {
	const count, spacing = 2000, 5 * time.Millisecond
	k := kafkatest.Start(t).Config
	w := start(t, k, "w1", &numbers{fail: func(int64) error {
		time.Sleep(200 * time.Microsecond) // as a database that others write to
		return nil
	}})
	settings := given("numbers", strconv.Itoa(count))
	settings["batch"], settings["topic.creation.default.partitions"] = "1", "1"
	began := time.Now()
	create(t, w, "n", settings)
	numbersIn(t, k, "numbers", count)
	took := time.Since(began)
	client, err := kafka.NewClient(k)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), k.Topic("numbers"))
	if err != nil {
		t.Fatal(err)
	}
	transactions := int64(-count) // each ends with a record of the broker's own
	ends.Each(func(o kadm.ListedOffset) { transactions += o.Offset })
	if most := int64(took/spacing) + 2; transactions < 1 || transactions > most {
		t.Errorf("%d transactions in %v; at most %d are wanted", transactions, took, most)
	}
}
