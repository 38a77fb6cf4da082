package run

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

func TestStatesAreToldInOrder(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out")
	cfg := unhurried(t, k)
	told := []State{Created}
	cfg.OnState = func(from, to State) {
		if from != told[len(told)-1] {
			t.Errorf("from %s after %v", from, told)
		}
		told = append(told, to)
	}
	r := begin(t, cfg)
	awaitRunning(t, r)
	stop(t, r) // which returns when all is told
	if want := []State{Created, Rebalancing, Running, PendingShutdown, NotRunning}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestNothingIsLeftOfAStoppedRuntime: no goroutine stays, however often it is started.
func TestNothingIsLeftOfAStoppedRuntime(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 3, "in", "out")
	cfg := configure(t, k)
	cfg.Workers = 3
	before := 0
	for n := range 4 {
		r := begin(t, cfg)
		awaitRunning(t, r)
		stop(t, r)
		if n == 0 {
			before = runtime.NumGoroutine() // with those of the broker
		}
	}
	testenv.Wait(t, "goroutines end", 30*time.Second, func() bool { return runtime.NumGoroutine() <= before+2 })
}

// TestIdleRuntimeCommitsNothing: no transactions where nothing happens.
func TestIdleRuntimeCommitsNothing(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 2, "in", "out")
	out := newOutput(t, k)
	r := begin(t, configure(t, k))
	feed(t, k, client(t, k), 100)
	out.await(t, 100)
	// The markers of the last transactions are read, and committed, without one of their own.
	quiet, last := time.Now(), int64(-1)
	testenv.Wait(t, "half a second without a commit", 30*time.Second, func() bool {
		if n := r.meter.commits.Load(); n != last {
			quiet, last = time.Now(), n
		}
		return time.Since(quiet) > 25*r.cfg.CommitInterval
	})
}

// lookup is a global store and its topic.
type lookup struct {
	testing.TB
	k   kafka.Config
	c   *kgo.Client
	cfg Config
}

func newLookup(t testing.TB, k kafka.Config) *lookup {
	makeTopics(t, k, 1, "in", "out", "lookup")
	l := &lookup{t, k, client(t, k), configure(t, k)}
	topic := plan.Topic{Name: "lookup"}
	l.cfg.Topology.Globals = []*plan.Global{{Topic: topic, Store: &plan.Store{Name: "lookup", Global: true, Persistent: true, Restored: restoreCounts},
		Nodes: []*plan.Node{{Name: "global", Kind: plan.SourceNode, Topics: []plan.Topic{topic}}}}}
	return l
}

func (l *lookup) put(key, value string) {
	l.Helper()
	if err := l.c.ProduceSync(deadline(l), &kgo.Record{Topic: l.k.Topic("lookup"), Key: []byte(key), Value: []byte(value)}).FirstErr(); err != nil {
		l.Fatal(err)
	}
}

// anew deletes the topic and makes it again.
func (l *lookup) anew() {
	l.Helper()
	admin := kadm.NewClient(client(l, l.k, kgo.MetadataMinAge(10*time.Millisecond))) // that old is what it may remember
	id := func() kadm.TopicID {
		topics, err := admin.ListTopics(deadline(l), l.k.Topic("lookup"))
		if err != nil {
			l.Fatal(err)
		}
		return topics[l.k.Topic("lookup")].ID
	}
	old := id()
	if _, err := admin.DeleteTopics(deadline(l), l.k.Topic("lookup")); err != nil {
		l.Fatal(err)
	}
	makeTopics(l, l.k, 1, "lookup")
	// A broker of Apache Kafka may show the old one still.
	testenv.Wait(l, "the new topic", 30*time.Second, func() bool { return id() != old && id() != kadm.TopicID{} })
	l.c = client(l, l.k)
}

func (l *lookup) has(r *Runtime, key, value string) bool {
	got, ok, err := r.Stores("lookup")[0].Space.Get([]byte(key), nil)
	return ok && err == nil && string(got) == value
}

func TestGlobalStoreOverARestart(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		l := newLookup(t, k)
		l.put("a", "1")
		r := begin(t, l.cfg)
		if !l.has(r, "a", "1") {
			t.Error("Start returned before the store was filled")
		}
		l.put("a", "2")
		testenv.Wait(t, "the update", 30*time.Second, func() bool { return l.has(r, "a", "2") })
		stop(t, r)
		l.put("b", "3")
		r = begin(t, l.cfg)
		if !l.has(r, "a", "2") || !l.has(r, "b", "3") {
			t.Error("started again, it lacks something")
		}
	})
}

// TestGlobalStoreOfATopicMadeAnew, which has more records by then than the old one had.
func TestGlobalStoreOfATopicMadeAnew(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		l := newLookup(t, k)
		l.put("old", "1")
		stop(t, begin(t, l.cfg))
		l.anew()
		for _, key := range []string{"a", "b", "c"} {
			l.put(key, "2")
		}
		r := begin(t, l.cfg)
		for _, key := range []string{"a", "b", "c"} {
			if !l.has(r, key, "2") {
				t.Errorf("it lacks %s", key)
			}
		}
		if l.has(r, "old", "1") {
			t.Error("it has what the old topic had")
		}
	})
}

// TestPurgeDeletesProcessedRecordsOnly, however often it comes while records do.
func TestPurgeDeletesProcessedRecordsOnly(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		out := newOutput(t, k)
		r := begin(t, configure(t, k))
		r.purger.mu.Lock()
		r.purger.internal[k.Topic("in")] = true // as if it were a repartition topic
		r.purger.mu.Unlock()
		in := client(t, k)
		total := int64(0)
		for range 30 {
			feed(t, k, in, 50)
			total += 50
			r.purger.purge(deadline(t))
		}
		out.await(t, total)
		parts := []topicPartition{{k.Topic("in"), 0}, {k.Topic("in"), 1}}
		testenv.Wait(t, "all that is processed is deleted", 30*time.Second, func() bool {
			r.purger.purge(deadline(t))
			starts, err := fetchStarts(deadline(t), r.admin, parts)
			if err != nil {
				t.Fatal(err)
			}
			ends, err := fetchEnds(deadline(t), r.admin, parts)
			if err != nil {
				t.Fatal(err)
			}
			return starts[parts[0]] == ends[parts[0]] && starts[parts[1]] == ends[parts[1]]
		})
	})
}
