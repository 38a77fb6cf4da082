package run

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

func shown(set *metrics.Set) string {
	var b bytes.Buffer
	set.WritePrometheus(&b)
	return b.String()
}

func TestMetrics(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out", "app-dead-letters")
	cfg := unhurried(t, k)
	cfg.Metrics = metrics.NewSet()
	cfg.OnFailure = func(*plan.Failure) plan.Verdict { return plan.DeadLetter }
	out := newOutput(t, k)
	r := begin(t, cfg)
	poisonAfter(t, k, 100)
	out.await(t, 100)
	for _, want := range []string{
		`records_total{application="app"} 101`, `produced_total{application="app"} 100`, `dead_letters_total{application="app"} 1`,
		`aborts_total{application="app"} 0`, `running{application="app"} 1`, `tasks{application="app",state="running"} 1`,
		`tasks{application="app",state="restoring"} 0`, `tasks{application="app",state="standby"} 0`,
		`lag{application="app",task="0_0"} 0`, `queued_bytes{application="app",task="0_0"} 0`,
		`store_keys{application="app",task="0_0",store="counts"} 10`, `restore_lag{application="app",task="0_0",store="counts"} 0`,
	} {
		testenv.Wait(t, want, 30*time.Second, func() bool { return strings.Contains(shown(cfg.Metrics), "pabal_streams_"+want+"\n") })
	}
	for _, want := range []string{"commits_total{", "commit_seconds_count{", "memory_bytes{", "memory_limit_bytes{", "disk_memory_bytes{", "store_bytes{", "restored_records_total{"} {
		if !strings.Contains(shown(cfg.Metrics), "pabal_streams_"+want) {
			t.Errorf("nothing of %s in\n%s", want, shown(cfg.Metrics))
		}
	}
	stop(t, r)
	for line := range strings.Lines(shown(cfg.Metrics)) {
		if !strings.Contains(line, "_total{") && !strings.Contains(line, "_seconds_") {
			t.Errorf("stopped, it still shows %s", line)
		}
	}
}

func TestDroppedRecordsAreCountedOnce(t *testing.T) {
	m := newMeter(Config{ApplicationID: "app", Metrics: metrics.NewSet()})
	var last task.Stats
	for _, n := range []int64{0, 2, 2, 5} {
		now := task.Stats{Dropped: []task.Dropped{{Node: "window", Reason: "late", Count: n}}}
		m.add(last, now)
		last = now
	}
	want := fmt.Sprintf("pabal_streams_dropped_total{application=%q,node=%q,reason=%q} 5\n", "app", "window", "late")
	if got := shown(m.set); !strings.Contains(got, want) {
		t.Errorf("no %s in %s", want, got)
	}
}

// TestTwoOfOneApplicationShareAMetricsSet: who stops does not take the other's gauges along.
func TestTwoOfOneApplicationShareAMetricsSet(t *testing.T) {
	set := metrics.NewSet()
	show := func(value float64) *meter {
		m := newMeter(Config{ApplicationID: "app", Metrics: set})
		m.show("application", map[string]func() float64{m.name("running", ""): func() float64 { return value }})
		return m
	}
	seen := func(value string) {
		t.Helper()
		_, after, _ := strings.Cut(shown(set), `pabal_streams_running{application="app"} `)
		if got, _, _ := strings.Cut(after, "\n"); got != value {
			t.Errorf("it shows %q, want %q", got, value)
		}
	}
	first, second := show(1), show(2)
	seen("2")
	second.close()
	seen("1")
	third := show(3)
	first.close()
	seen("3")
	third.close()
	seen("")
	if len(shared.by) > 0 {
		t.Errorf("%d gauges are kept", len(shared.by))
	}
}
