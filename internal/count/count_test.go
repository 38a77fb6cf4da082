package count_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/internal/count"
)

func TestCounter(t *testing.T) {
	var c count.Counter
	c.Add(3) // without metrics
	set := metrics.NewSet()
	c.Show(set, "things_total")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 100 {
				c.Add(2)
				c.Add(0)
			}
		})
	}
	all.Wait()
	if got := c.Load(); got != 3+50*100*2 {
		t.Errorf("counted %d", got)
	}
	if got := shown(set); got != "things_total 10000" {
		t.Errorf("shown is %q", got)
	}
}

// Counters of one name, as of a service that was started again, add up.
func TestCountersShareAMetric(t *testing.T) {
	set := metrics.NewSet()
	for n := range 3 {
		var c count.Counter
		c.Show(set, "things_total")
		if c.Add(n); c.Load() != int64(n) {
			t.Errorf("counted %d, want %d", c.Load(), n)
		}
	}
	if got := shown(set); got != "things_total 3" {
		t.Errorf("shown is %q", got)
	}
}

func shown(set *metrics.Set) string {
	var out bytes.Buffer
	set.WritePrometheus(&out)
	return strings.TrimSpace(out.String())
}
