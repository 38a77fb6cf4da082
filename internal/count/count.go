// Package count counts events for a Stats method and, where wanted, for metrics.
package count

import (
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
)

// Counter only goes up. The zero Counter is ready to use, by many goroutines.
type Counter struct {
	n      atomic.Int64
	metric *metrics.Counter
}

// Show has the metric of that name count along from now on.
func (c *Counter) Show(set *metrics.Set, name string) { c.metric = set.GetOrCreateCounter(name) }

// Add counts n more.
func (c *Counter) Add(n int) {
	if n == 0 {
		return
	}
	c.n.Add(int64(n))
	if c.metric != nil {
		c.metric.Add(n)
	}
}

// Load is the count since the counter was made.
func (c *Counter) Load() int64 { return c.n.Load() }
