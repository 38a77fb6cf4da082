package inbox

import (
	"fmt"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
)

// Stats are counts since Start, and the present state.
type Stats struct {
	// Handled messages, each once.
	Handled int64
	// Duplicates were seen before and had no effect.
	Duplicates int64
	// Retried counts attempts that failed and were not the last.
	Retried int64
	// Dead letters sent.
	Dead int64
	// Skipped were redriven for another consumer.
	Skipped int64
	// Repeated counts transactions the database refused; they cost no message
	// an attempt.
	Repeated int64
	// Missed counts how often Kafka did not have the records to be read next.
	Missed int64
	// Waiting rows and their bytes, in the partitions this process has.
	Waiting, WaitingBytes int64
	// Partitions this process has, by topic and number.
	Partitions []PartitionStats
}

// PartitionStats is where a partition stands.
type PartitionStats struct {
	Topic     string
	Partition int32
	// Next is the offset up to which everything is handled, waits or is dead.
	Next int64
	// End is the offset after the last record fetched so far could see.
	End int64
	// Lag is End - Next.
	Lag int64
	// Waiting rows and their bytes.
	Waiting, WaitingBytes int64
	// Full says that the bound on waiting bytes is reached.
	Full bool
	// Claiming says that the partition is being claimed again, for example
	// after Release or StartReplay; the other values are those from before.
	Claiming bool
}

// counters go into Stats and, where wanted, into the metrics.
type counters struct {
	handled, duplicates, retried, dead, skipped, repeated, missed counter
}

type counter struct {
	count  atomic.Int64
	metric *metrics.Counter
}

func (c *counter) add(n int) {
	if n == 0 {
		return
	}
	c.count.Add(int64(n))
	if c.metric != nil {
		c.metric.Add(n)
	}
}

func newCounters(set *metrics.Set, consumer string) *counters {
	c := &counters{}
	if set == nil {
		return c
	}
	for name, to := range map[string]*counter{
		"handled": &c.handled, "duplicates": &c.duplicates, "retried": &c.retried, "dead": &c.dead,
		"skipped": &c.skipped, "repeated_transactions": &c.repeated, "missed": &c.missed,
	} {
		to.metric = set.GetOrCreateCounter(fmt.Sprintf("pabal_inbox_%s_total{consumer=%q}", name, consumer))
	}
	return c
}

func (c *counters) stats() Stats {
	return Stats{
		Handled: c.handled.count.Load(), Duplicates: c.duplicates.count.Load(), Retried: c.retried.count.Load(),
		Dead: c.dead.count.Load(), Skipped: c.skipped.count.Load(), Repeated: c.repeated.count.Load(), Missed: c.missed.count.Load(),
	}
}

// gauges of a partition, there while the process has it.
func (p *partition) gauges() map[string]func() float64 {
	labels := fmt.Sprintf("{consumer=%q,topic=%q,partition=\"%d\"}", p.cfg.Name, p.topic, p.number)
	return map[string]func() float64{
		"pabal_inbox_lag" + labels:              func() float64 { return float64(p.stats().Lag) },
		"pabal_inbox_waiting_messages" + labels: func() float64 { return float64(p.stats().Waiting) },
		"pabal_inbox_waiting_bytes" + labels:    func() float64 { return float64(p.stats().WaitingBytes) },
	}
}

func (p *partition) showGauges() {
	if p.cfg.Metrics == nil {
		return
	}
	for name, value := range p.gauges() {
		p.cfg.Metrics.UnregisterMetric(name) // of a predecessor in this process
		p.cfg.Metrics.GetOrCreateGauge(name, value)
	}
}

func (p *partition) hideGauges() {
	if p.cfg.Metrics == nil {
		return
	}
	for name := range p.gauges() {
		p.cfg.Metrics.UnregisterMetric(name)
	}
}
