package cdc

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/connect/rest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// testWorker is one in this process.
func testWorker(t *testing.T) *worker {
	t.Helper()
	w := &worker{pid: os.Getpid(), broker: kafkatest.Start(t).Addr(), prefix: ourPrefix}
	server := httptest.NewUnstartedServer(nil)
	w.url = "http://" + server.Listener.Addr().String()
	runs, err := connect.New(connect.Config{
		Kafka: kafka.Config{Brokers: []string{w.broker}, Prefix: ourPrefix, Logger: measure.Quiet}, ID: "bench", Logger: measure.Quiet,
		Plugins: plugin.Set{Sources: []plugin.Source{postgres.Connector{}}, Converters: converters.Plugins(), Headers: converters.Headers()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := runs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = rest.New(rest.Config{Worker: runs, Local: true, Logger: measure.Quiet})
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := runs.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Each way to measure, small: what it measures arrives.
func TestOursIsMeasured(t *testing.T) {
	db, err := openPostgres(t.Context(), nil, testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.conn.Close(context.WithoutCancel(t.Context()))
	s := &stage{sides: map[string]*worker{inProcess: testWorker(t)}}
	for name, how := range map[string]measured{"stream": stream, "snapshot": snapshot} {
		runs, err := how(t.Context(), s, db, []string{inProcess}, 5000)
		switch one := runs[inProcess]; {
		case errors.Is(err, errAtOnce): // so few may be one transaction
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case one.perSecond <= 0 || one.rss <= 1:
			t.Errorf("%s gave %+v", name, one)
		}
	}
	p50, p99, rss, err := s.latency(t.Context(), db, 500*time.Millisecond, 1000)
	if err != nil || p50 < 0 || p99 < p50 || rss <= 1 {
		t.Errorf("p50 %f, p99 %f, %f MB, %v", p50, p99, rss, err)
	}
}

// A run that went wrong gives no figures.
func TestVerifyFindsWhatIsWrong(t *testing.T) {
	w := &worker{broker: kafkatest.Start(t).Addr()}
	for name, c := range map[string]struct {
		values []string
		want   int
		good   bool
	}{
		"all":                {[]string{`{"before":null,"op":"c"}`, ""}, 2, true},
		"one too many":       {[]string{`{"before":null,"op":"c"}`, "", ""}, 2, false},
		"one missing":        {[]string{""}, 2, false},
		"one is no envelope": {[]string{`{}`, ""}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			at, err := w.topic(unique("verify_"))
			if err != nil {
				t.Fatal(err)
			}
			defer at.close()
			if err := at.make(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, value := range c.values {
				r := &kgo.Record{Topic: at.name, Value: []byte(value)}
				if value == "" {
					r.Value = nil
				}
				if err := at.client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			patience := 2 * time.Second // what is missing does not come
			if c.good {
				patience = time.Minute
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := at.verify(ctx, c.want, true); (err == nil) != c.good {
				t.Error(err)
			}
		})
	}
}

func TestRatiosAreThoseOfTheRounds(t *testing.T) {
	r := results{}
	for i, f := range []float64{1, 2, 4} {
		r.add(ours, run{perSecond: 300 * f, cpu: 1e-6, rss: 10 * float64(i)})
		r.add(tuned, run{perSecond: 100 * f, cpu: 4e-6, rss: 500})
	}
	got := r.figures()
	for name, want := range map[string]float64{"kafka_per_s": 600, "ratio_debezium": 3, "ratio_cpu": 0.25, "rss_mb": 20, "debezium_rss_mb": 500} {
		if got[name] != want {
			t.Errorf("%s is %v, not %v", name, got[name], want)
		}
	}
	if _, ok := got["ratio_debezium_default"]; ok {
		t.Error("there is a ratio to what did not run")
	}
}
