package brokers

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// others are measured in the long runs only: they have to be compiled.
func others(t *testing.T, sides string) string {
	t.Helper()
	if os.Getenv("PABAL_TEST_FULL") == "" {
		return ours
	}
	return sides
}

// Each benchmark, as short as can be, gives the figures it is run for.
func TestBenchmarks(t *testing.T) {
	common := []string{"-rounds", "1", "-duration", "100ms", "-dir", t.TempDir(), "-sides"}
	for _, tt := range []struct {
		name    string
		run     func(context.Context, []string, io.Writer) (map[string]float64, error)
		sides   string
		args    []string
		figures string
	}{
		{"broker-produce", Produce, "pabal,kfake,nats", []string{"-small", "5000", "-large", "1000"}, "pabal_per_s_100b pabal_cpu_us_1kib pabal_consume_per_s_100b pabal_p99_ms"},
		{"broker-fsync", Fsync, "pabal,kfake,nats", []string{"-producers", "4"}, "pabal_per_s slow_disk_per_s"},
		{"broker-txn", Txn, "pabal,kfake", []string{"-producers", "2"}, "pabal_per_s_one pabal_per_s_several fsync_per_s_one"},
		{"broker-footprint", Footprint, "pabal", []string{"-bytes", "3000000"}, "idle_rss_mb load_rss_mb start_clean_ms start_killed_s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			figures, err := tt.run(t.Context(), append(append(common, others(t, tt.sides)), tt.args...), &log)
			if err != nil {
				t.Fatal(err, log.String())
			}
			for name := range strings.FieldsSeq(tt.figures) {
				if figures[name] <= 0 {
					t.Errorf("%s is %v", name, figures[name])
				}
			}
		})
	}
}

func TestArguments(t *testing.T) {
	for _, args := range []string{"-rounds 0", "-sides oracle", "-duration 0s", "-partitions 0", "-small 1"} {
		if _, err := Txn(t.Context(), strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s was taken", args)
		}
	}
}

// TestTallyFindsLossDuplicatesAndDisorder shows that a side that went wrong gives no figures.
func TestTallyFindsLossDuplicatesAndDisorder(t *testing.T) {
	type record struct {
		partition int32
		number    uint64
	}
	for name, tt := range map[string]struct {
		records []record
		good    bool
	}{
		"all, once":                      {[]record{{0, 0}, {1, 1}, {0, 2}}, true},
		"over two partitions":            {[]record{{1, 1}, {0, 0}, {0, 2}}, true},
		"one missing":                    {[]record{{0, 0}, {0, 2}}, false},
		"the last missing":               {[]record{{0, 0}, {0, 1}}, false},
		"one twice":                      {[]record{{0, 0}, {0, 1}, {0, 1}, {0, 2}}, false},
		"one twice instead of another's": {[]record{{0, 0}, {1, 0}, {0, 2}}, false},
		"out of order":                   {[]record{{0, 1}, {0, 0}, {0, 2}}, false},
		"one too many":                   {[]record{{0, 0}, {0, 1}, {0, 2}, {0, 3}}, false},
	} {
		const who = 7
		tally := newTally()
		for _, r := range tt.records {
			tally.add(r.partition, binary.BigEndian.AppendUint64(nil, who<<32|r.number))
		}
		if err := tally.complete(who, 3); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	strange := newTally()
	strange.add(0, []byte("x"))
	if strange.complete(0, 0) == nil {
		t.Error("a value that nobody sent was taken")
	}
}

func TestPercentile(t *testing.T) {
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(200-i)*time.Millisecond)
	}
	if p50, p99 := percentile(all, 0.5), percentile(all, 0.99); p50 != 101 || p99 != 199 {
		t.Errorf("p50 is %v, p99 %v", p50, p99)
	}
	if percentile(nil, 0.99) != 0 {
		t.Error("of nothing there is a percentile")
	}
}

func TestRounded(t *testing.T) {
	for v, want := range map[float64]float64{0: 0, 0.0123456: 0.01235, 12.34567: 12.35, 1234567.8: 1234568, -3.14159: -3.142} {
		if got := rounded(v); got != want {
			t.Errorf("%v is rounded to %v", v, got)
		}
	}
}

func TestWhatWasAcknowledgedIsLookedFor(t *testing.T) {
	s, err := openStage(t.Context(), options{dir: t.TempDir(), sides: []string{ours}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	side, err := s.start(t.Context(), ours, pageCache)
	if err != nil {
		t.Fatal(err)
	}
	if err := side.client.create(t.Context(), loaded, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := side.client.produce(t.Context(), loaded, 10, 0, 5); err != nil {
		t.Fatal(err)
	}
	for end, good := range map[int64]bool{5: true, 6: false} {
		if err := (acknowledged{0: end}).kept(t.Context(), side); (err == nil) != good {
			t.Errorf("%d records acknowledged: %v", end, err)
		}
	}
	if (acknowledged{}).kept(t.Context(), side) == nil {
		t.Error("a broker that acknowledged nothing was measured")
	}
}
