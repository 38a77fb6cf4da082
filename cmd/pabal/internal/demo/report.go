package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pabal-dev/pabal/internal/invariants"
)

// Report is what --output json prints.
type Report struct {
	Backends Backends                  `json:"backends"`
	Outbox   string                    `json:"outbox"` // relay, cdc or cdc-message
	Codec    string                    `json:"codec"`  // avro or json; avro,json where systems differ
	Orders   Orders                    `json:"orders"`
	Hello    *invariants.HelloCounts   `json:"hello,omitempty"`   // where it ran
	Hotel    *invariants.HotelCounts   `json:"hotel,omitempty"`   // where it ran
	Library  *invariants.LibraryCounts `json:"library,omitempty"` // where it ran
	Latency  Latency                   `json:"latency_ms"`
	Rate     float64                   `json:"rate_per_s"`
	Crashes  int64                     `json:"crashes"`
	// BrokerCrashes are those of Crashes in which the broker was killed.
	BrokerCrashes int64               `json:"broker_crashes,omitempty"`
	Invariants    []invariants.Result `json:"invariants"`

	unit string // of Rate, for people
}

// Backends are what the demo ran on.
type Backends struct {
	Kafka    string `json:"kafka"`    // embedded, or the brokers
	Database string `json:"database"` // sqlite or postgres
	// Redis is embedded, or its URL, where a scenario used one.
	Redis string `json:"redis,omitempty"`
}

// Orders are the orders of this run. Placed = Approved + Cancelled + Stuck.
type Orders struct {
	Placed    int64 `json:"placed"`
	Approved  int64 `json:"approved"`
	Cancelled int64 `json:"cancelled"`
	Stuck     int64 `json:"stuck"`
}

// Latency is from when a POST was due until the order's final state was in the log,
// the room service's answer was, or a customer saw the rent's end, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// OK says that every invariant holds and nothing is stuck.
func (r *Report) OK() bool {
	for _, i := range r.Invariants {
		if !i.OK {
			return false
		}
	}
	return r.Orders.Stuck == 0 && (r.Hello == nil || r.Hello.Stuck == 0 && r.Hello.RedisEqual) && (r.Hotel == nil || r.Hotel.Stuck == 0) &&
		(r.Library == nil || r.Library.Stuck == 0 && r.Library.NeedsReview == 0)
}

// WriteJSON writes the report as one object.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// WriteText writes it for people.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintln(w)
	for _, text := range r.counts() {
		fmt.Fprintln(w, text)
	}
	fmt.Fprintf(w, "%.1f %s, latency p50 %.0f ms, p99 %.0f ms", r.Rate, r.unit, r.Latency.P50, r.Latency.P99)
	if r.Crashes > 0 {
		fmt.Fprintf(w, "; %d crashes", r.Crashes)
	}
	if r.BrokerCrashes > 0 {
		fmt.Fprintf(w, ", %d of them of the broker", r.BrokerCrashes)
	}
	fmt.Fprint(w, "\n\nRecomputed from the services' databases:\n")
	width := 0
	for _, i := range r.Invariants {
		width = max(width, len(i.Name))
	}
	for _, i := range r.Invariants {
		sign := "ok      "
		if !i.OK {
			sign = "VIOLATED"
		}
		fmt.Fprintf(w, "  %s %-*s %s\n", sign, width, i.Name, i.Detail)
	}
}

// counts are lines for people.
func (r *Report) counts() (lines []string) {
	if n := r.Orders; n.Placed > 0 || r.Hello == nil && r.Hotel == nil && r.Library == nil {
		lines = append(lines, fmt.Sprintf("%d orders placed: %d approved, %d cancelled, %d stuck", n.Placed, n.Approved, n.Cancelled, n.Stuck))
	}
	if n := r.Hello; n != nil {
		lines = append(lines, fmt.Sprintf("%d states came into hello's table, which has %d keys; %d stuck; Redis (%s) is %s", n.In, n.Keys, n.Stuck, r.Backends.Redis,
			map[bool]string{true: "equal", false: "NOT equal"}[n.RedisEqual]))
	}
	if n := r.Hotel; n != nil {
		lines = append(lines, fmt.Sprintf("%d rooms reserved: %d confirmed, %d failed, %d cancelled, %d stuck", n.Reserved, n.Confirmed, n.Failed, n.Cancelled, n.Stuck))
	}
	if n := r.Library; n != nil {
		lines = append(lines, fmt.Sprintf("%d books rented: %d returned, %d compensated, %d need review, %d stuck", n.Rents, n.Returned, n.Compensated, n.NeedsReview, n.Stuck))
	}
	return lines
}

// begunReport is the report but for what each scenario adds.
func begunReport(o Options, at sample) *Report {
	r := &Report{
		Backends: Backends{o.kafkaName(), o.databaseName(), o.redisName()},
		Outbox:   o.outboxName(),
		Codec:    o.codecName(),
		Latency:  Latency{milliseconds(at.p50), milliseconds(at.p99)},
		Crashes:  at.crashes.Killed + at.crashes.Unexpected, BrokerCrashes: at.crashes.Broker,
		unit: at.unit(),
	}
	var last time.Time
	for _, p := range at.scenarios {
		if p.lastEnd.After(last) {
			last = p.lastEnd
		}
	}
	if took := last.Sub(at.begun); took > 0 {
		r.Rate = round(float64(at.ended()) / took.Seconds())
	}
	return r
}

func milliseconds(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

// round keeps two digits behind the point.
func round(x float64) float64 { return float64(int64(x*100+0.5)) / 100 }
