package traffic

import (
	"math"
	"sync/atomic"
	"time"
)

// Histogram counts durations in buckets 2 % apart, from 50 µs to more than an
// hour, in constant memory. It may be used from any goroutine.
type Histogram struct {
	buckets [920]atomic.Int64
}

const (
	lowest = 50 * time.Microsecond
	growth = 1.02
)

var logGrowth = math.Log(growth)

// Add counts one duration.
func (h *Histogram) Add(d time.Duration) {
	i := 0
	if d > lowest {
		i = int(math.Log(float64(d)/float64(lowest)) / logGrowth)
	}
	h.buckets[min(i, len(h.buckets)-1)].Add(1)
}

// Merge adds what another one has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i := range other.buckets {
		h.buckets[i].Add(other.buckets[i].Load())
	}
}

// Quantile is the duration that a share q of all stays below, to within 2 %; 0
// where nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	var total int64
	for i := range h.buckets {
		total += h.buckets[i].Load()
	}
	if total == 0 {
		return 0
	}
	rank := int64(math.Ceil(q * float64(total)))
	for i := range h.buckets {
		if rank -= h.buckets[i].Load(); rank <= 0 {
			return time.Duration(float64(lowest) * math.Pow(growth, float64(i+1)))
		}
	}
	return time.Duration(float64(lowest) * math.Pow(growth, float64(len(h.buckets))))
}
