package inbox

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/internal/count"
)

// Stats are counts since Start, and the present state.
type Stats struct {
	// Paused says that somebody called Pause.
	Paused bool `json:"paused,omitempty"`
	// Handled messages, each once.
	Handled int64 `json:"handled"`
	// Duplicates were seen before and had no effect.
	Duplicates int64 `json:"duplicates"`
	// Retried counts attempts that failed and were not the last.
	Retried int64 `json:"retried"`
	// Dead letters sent.
	Dead int64 `json:"dead"`
	// Skipped were redriven for another consumer.
	Skipped int64 `json:"skipped"`
	// Repeated counts transactions the database refused; they cost no message
	// an attempt.
	Repeated int64 `json:"repeated"`
	// Missed counts how often Kafka did not have the records to be read next.
	Missed int64 `json:"missed"`
	// Waiting rows and their bytes, in the partitions this process has.
	Waiting      int64 `json:"waiting"`
	WaitingBytes int64 `json:"waitingBytes"`
	// Partitions this process has, by topic and number.
	Partitions []PartitionStats `json:"partitions"`
}

// PartitionStats is where a partition stands.
type PartitionStats struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Next is the offset up to which everything is handled, waits or is dead.
	Next int64 `json:"next"`
	// End is the offset after the last record fetched so far could see.
	End int64 `json:"end"`
	// Lag is End - Next.
	Lag int64 `json:"lag"`
	// Waiting rows and their bytes.
	Waiting      int64 `json:"waiting"`
	WaitingBytes int64 `json:"waitingBytes"`
	// Full says that the bound on waiting bytes is reached.
	Full bool `json:"full"`
	// Claiming says that the partition is being claimed again, for example
	// after Release or StartReplay; the other values are those from before.
	Claiming bool `json:"claiming"`
}

// counters go into Stats and, where wanted, into the metrics.
type counters struct {
	handled, duplicates, retried, dead, skipped, repeated, missed count.Counter
}

func newCounters(set *metrics.Set, consumer string) *counters {
	c := &counters{}
	if set == nil {
		return c
	}
	for name, to := range map[string]*count.Counter{
		"handled": &c.handled, "duplicates": &c.duplicates, "retried": &c.retried, "dead": &c.dead,
		"skipped": &c.skipped, "repeated_transactions": &c.repeated, "missed": &c.missed,
	} {
		to.Show(set, fmt.Sprintf("pabal_inbox_%s_total{consumer=%q}", name, consumer))
	}
	return c
}

func (c *counters) stats() Stats {
	return Stats{
		Handled: c.handled.Load(), Duplicates: c.duplicates.Load(), Retried: c.retried.Load(),
		Dead: c.dead.Load(), Skipped: c.skipped.Load(), Repeated: c.repeated.Load(), Missed: c.missed.Load(),
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
