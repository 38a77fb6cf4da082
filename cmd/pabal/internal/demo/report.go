package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/traffic"
)

// Report is what --output json prints.
type Report struct {
	Backends   Backends            `json:"backends"`
	Orders     Orders              `json:"orders"`
	Latency    Latency             `json:"latency_ms"`
	Rate       float64             `json:"rate_per_s"`
	Crashes    int64               `json:"crashes"`
	Invariants []invariants.Result `json:"invariants"`
}

// Backends are what the demo ran on.
type Backends struct {
	Kafka    string `json:"kafka"`    // embedded, or the brokers
	Database string `json:"database"` // sqlite or postgres
}

// Orders are those of this run. Placed = Approved + Cancelled + Stuck.
type Orders struct {
	Placed    int64 `json:"placed"`
	Approved  int64 `json:"approved"`
	Cancelled int64 `json:"cancelled"`
	Stuck     int64 `json:"stuck"`
}

// Latency is from when a POST was due until the final state was in the log, in
// milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// OK says that every invariant holds and no order is stuck.
func (r *Report) OK() bool {
	for _, i := range r.Invariants {
		if !i.OK {
			return false
		}
	}
	return r.Orders.Stuck == 0
}

// WriteJSON writes the report as one object.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// WriteText writes it for people.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintf(w, "\n%d orders placed: %d approved, %d cancelled, %d stuck; %.1f orders/s, latency p50 %.0f ms, p99 %.0f ms",
		r.Orders.Placed, r.Orders.Approved, r.Orders.Cancelled, r.Orders.Stuck, r.Rate, r.Latency.P50, r.Latency.P99)
	if r.Crashes > 0 {
		fmt.Fprintf(w, "; %d crashes", r.Crashes)
	}
	fmt.Fprint(w, "\n\nRecomputed from the services' databases:\n")
	for _, i := range r.Invariants {
		sign := "ok      "
		if !i.OK {
			sign = "VIOLATED"
		}
		fmt.Fprintf(w, "  %s %-9s %s\n", sign, i.Name, i.Detail)
	}
}

// begunReport is the report but for the invariants.
func begunReport(o Options, tracker *traffic.Tracker, begun time.Time, crashes crashCount) *Report {
	n := tracker.Counts()
	r := &Report{
		Backends: Backends{o.kafkaName(), o.databaseName()},
		Orders:   Orders{Placed: n.Placed, Approved: n.Approved, Cancelled: n.Cancelled, Stuck: n.Open()},
		Latency:  Latency{milliseconds(tracker.Latency().Quantile(0.5)), milliseconds(tracker.Latency().Quantile(0.99))},
		Crashes:  crashes.Killed + crashes.Unexpected,
	}
	if took := tracker.LastEnd().Sub(begun); took > 0 {
		r.Rate = round(float64(n.Approved+n.Cancelled) / took.Seconds())
	}
	return r
}

func milliseconds(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

// round keeps two digits behind the point.
func round(x float64) float64 { return float64(int64(x*100+0.5)) / 100 }

// trafficResults are the invariants that only the demo's customers can know.
func trafficResults(tracker *traffic.Tracker, stats traffic.Stats, unanswered int64, crashes crashCount) []invariants.Result {
	n := tracker.Counts()
	mustFail := int64(0)
	for kind, count := range n.ByKind {
		if kind.MustBeRefused() {
			mustFail += count
		}
	}
	refusals := invariants.Result{
		Name: "refusals", OK: n.WronglyApproved == 0,
		Detail: fmt.Sprintf("%d orders had to be refused, %d of them were approved", mustFail, n.WronglyApproved),
	}
	requests := invariants.Result{
		Name: "requests", OK: stats.Failed == 0 && stats.Mismatches == 0 && unanswered == 0,
		Detail: fmt.Sprintf("%d duplicates answered with the same order, %d of %d customers' cancels came in time, %d requests repeated, %d failed",
			stats.Duplicates-stats.Mismatches, stats.CancelsTaken, stats.Cancels, stats.Repeats, stats.Failed),
	}
	if stats.FirstFailure != "" {
		requests.Detail += ": " + stats.FirstFailure
	}
	services := invariants.Result{
		Name: "services", OK: crashes.Unexpected == 0,
		Detail: fmt.Sprintf("%d killed and started again, %d ended by themselves", crashes.Killed, crashes.Unexpected),
	}
	return []invariants.Result{refusals, requests, services}
}
