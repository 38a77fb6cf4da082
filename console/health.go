package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/console/api"
)

// readyTime bounds the question whether Kafka answers.
const readyTime = 2 * time.Second

// probes are for orchestrators: under any name, without login, and with no more than
// yes or no.
var probes = map[string]func(*Console, http.ResponseWriter, *http.Request){
	"/livez": func(_ *Console, w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, plainText, []byte("ok\n"))
	},
	"/readyz": (*Console).ready,
}

const plainText = "text/plain; charset=utf-8"

func (c *Console) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	cluster, err := c.engines.Topics.Cluster(ctx)
	if err != nil || cluster.Problem != "" {
		write(w, http.StatusServiceUnavailable, plainText, []byte("Kafka does not answer\n"))
		return
	}
	write(w, http.StatusOK, plainText, []byte("ok\n"))
}

// figures are the console's own metrics.
type figures struct {
	set *metrics.Set
	// more are others' metrics; nil for none.
	more func(io.Writer)
}

func newFigures(c *Console) *figures {
	f := &figures{set: metrics.NewSet()}
	f.set.NewGauge("pabal_console_streams", func() float64 { return float64(c.streams.open.Load()) })
	return f
}

// count notes an answer. Routes are few, whatever is asked for.
func (f *figures) count(a *counted, took time.Duration) {
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	f.set.GetOrCreateCounter(fmt.Sprintf("pabal_console_requests_total{route=%q,status=\"%d\"}", a.route, status)).Inc()
	f.set.GetOrCreateHistogram(fmt.Sprintf("pabal_console_request_duration_seconds{route=%q}", a.route)).Update(took.Seconds())
}

// counted is an answer that remembers its status.
type counted struct {
	http.ResponseWriter
	route  string
	status int
}

func (w *counted) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *counted) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *counted) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (c *Console) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if err := mayUse(route{role: api.Viewer}, api.UserOf(r.Context())); err != nil {
		writeProblem(w, err)
		return
	}
	o, err := c.overview(r.Context())
	if err != nil {
		writeProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", plainText)
	c.metrics.set.WritePrometheus(w)
	writeOverview(w, o)
	if c.metrics.more != nil {
		c.metrics.more(w)
	}
	metrics.WriteProcessMetrics(w)
}

// writeOverview has what the overview knows; what it does not know is left out.
func writeOverview(w io.Writer, o api.Overview) {
	up := 1.0
	if o.Cluster.Problem != "" || o.Cluster.ID == "" {
		up = 0
	}
	metrics.WriteGaugeFloat64(w, "pabal_console_kafka_up", up)
	metrics.WriteGaugeFloat64(w, "pabal_console_violations", float64(len(o.Violations)))
	metrics.WriteGaugeFloat64(w, "pabal_console_lens_events", float64(o.Lens.Events))
	metrics.WriteGaugeFloat64(w, "pabal_console_lens_bytes", float64(o.Lens.Bytes))
	metrics.WriteGaugeFloat64(w, "pabal_console_lens_behind", float64(o.Lens.Behind))
	metrics.WriteGaugeFloat64(w, "pabal_console_lens_gaps", float64(len(o.Lens.Gaps)))
	if o.DeadLetters >= 0 {
		metrics.WriteGaugeFloat64(w, "pabal_console_dead_letters_open", float64(o.DeadLetters))
	}
	outboxes := map[string]bool{}
	for _, s := range o.Services {
		labels := fmt.Sprintf("{service=%s,instance=%s}", label(s.Name), label(s.Instance))
		answers := 0.0
		if s.Status != nil {
			answers = 1
		}
		metrics.WriteGaugeFloat64(w, "pabal_console_service_up"+labels, answers)
		if s.Status != nil && s.Status.Outbox != nil && !outboxes[s.Name] { // instances share one
			outboxes[s.Name] = true
			b := s.Status.Outbox.Backlog
			writeBacklog(w, s.Name, b.Started, b.Failed, b.Oldest, o.At)
		}
	}
}

func writeBacklog(w io.Writer, service string, started, failed int64, oldest, now time.Time) {
	metrics.WriteGaugeFloat64(w, fmt.Sprintf("pabal_console_outbox_rows{service=%s,status=\"STARTED\"}", label(service)), float64(started))
	metrics.WriteGaugeFloat64(w, fmt.Sprintf("pabal_console_outbox_rows{service=%s,status=\"FAILED\"}", label(service)), float64(failed))
	age := 0.0
	if !oldest.IsZero() {
		age = max(0, now.Sub(oldest).Seconds())
	}
	metrics.WriteGaugeFloat64(w, fmt.Sprintf("pabal_console_outbox_oldest_seconds{service=%s}", label(service)), age)
}

// label quotes a value that a service gave itself.
func label(value string) string {
	return strconv.Quote(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '_'
		}
		return r
	}, value[:min(len(value), 200)]))
}
