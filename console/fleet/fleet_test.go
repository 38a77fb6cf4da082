package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var quiet = slog.New(slog.DiscardHandler)

const patience = 30 * time.Second

// newFleet is one that is not started.
func newFleet(t *testing.T, c Config) *Fleet {
	t.Helper()
	c.Logger = quiet
	f, err := New(kafka.Config{Brokers: []string{"127.0.0.1:1"}, Logger: quiet}, c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func startFleet(t *testing.T, cluster kafka.Config, c Config) *Fleet {
	t.Helper()
	c.Logger = quiet
	f, err := New(cluster, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return f
}

// service is a service with a relay and nothing else.
type service struct {
	name, instance string
	state          outbox.State
	asked          atomic.Int64
	url            string
}

// serve answers until the test ends.
func serve(t *testing.T, name, instance, token string, state outbox.State) *service {
	t.Helper()
	s := &service{name: name, instance: instance, state: state}
	local, err := admin.NewLocal(admin.LocalConfig{Name: name, Instance: instance, Outbox: &admin.LocalOutbox{Store: empty{}, Relay: s}})
	if err != nil {
		t.Fatal(err)
	}
	handler := admin.Handler(local, admin.HandlerConfig{Token: token, Logger: quiet})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		http.StripPrefix("/admin", handler).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/admin"
	return s
}

func (s *service) Stats() outbox.Stats { return outbox.Stats{State: s.state} }
func (s *service) Health() error       { return nil }
func (s *service) Pause(string)        {}
func (s *service) Resume()             {}

type empty struct{}

func (empty) Rows(context.Context, outbox.RowQuery) ([]outbox.StoredRow, error) { return nil, nil }
func (empty) Identity(context.Context) (outbox.Identity, error)                 { return outbox.Identity{}, nil }
func (empty) Backlog(context.Context) (outbox.Backlog, error)                   { return outbox.Backlog{}, nil }
func (empty) Replay(context.Context, ...int64) (int64, error)                   { return 0, nil }

func announce(t *testing.T, cluster kafka.Config, a admin.Announcement) *admin.Announcer {
	t.Helper()
	announcer, err := admin.NewAnnouncer(admin.AnnouncerConfig{Kafka: cluster, Announcement: a, Interval: 50 * time.Millisecond, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := announcer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAnnouncer(t, announcer) })
	return announcer
}

func stopAnnouncer(t *testing.T, a *admin.Announcer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func services(t *testing.T, f *Fleet) []api.Service {
	t.Helper()
	all, err := f.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// shown is what the fleet says in short.
func shown(all []api.Service) string {
	var out []string
	for _, s := range all {
		text := s.Name + "/" + s.Instance
		if s.Status != nil {
			text += "=" + string(s.Status.Outbox.Relay.State)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func eventually(t *testing.T, f *Fleet, want string) {
	t.Helper()
	testenv.Wait(t, want, patience, func() bool { return shown(services(t, f)) == want })
}

// TestFleetFindsAsksAndForgets on the broker in process and on Apache Kafka.
func TestFleetFindsAsksAndForgets(t *testing.T) {
	for name, config := range map[string]func(*testing.T) kafka.Config{
		"in process":   func(t *testing.T) kafka.Config { return kafkatest.Start(t).Config },
		"Apache Kafka": func(t *testing.T) kafka.Config { return kafka.Config{Brokers: testenv.Kafka(t), Logger: quiet} },
	} {
		t.Run(name, func(t *testing.T) {
			cluster := config(t)
			cluster.Prefix = testenv.Prefix(t)
			standby := serve(t, "payment", "1", "secret", outbox.Standby)
			announce(t, cluster, at("payment", "1", standby.url))
			f := startFleet(t, cluster, Config{Token: "secret"})
			eventually(t, f, "payment/1=standby")
			active := serve(t, "payment", "2", "secret", outbox.Active)
			second := announce(t, cluster, at("payment", "2", active.url))
			announce(t, cluster, at("stranger", "1", "http://10.1.2.3/admin"))
			eventually(t, f, "payment/1=standby payment/2=active stranger/1")
			if s := services(t, f)[2]; !strings.Contains(s.Problem, "allow list") || s.Seen.IsZero() {
				t.Errorf("the stranger is %+v", s)
			}

			one, err := f.At(t.Context(), "payment")
			if err != nil {
				t.Fatal(err)
			}
			if status, err := one.Status(t.Context()); err != nil || status.Instance != "2" {
				t.Errorf("At is instance %s, %v", status.Instance, err)
			}
			stopAnnouncer(t, second)
			eventually(t, f, "payment/1=standby stranger/1")
			if one, err = f.At(t.Context(), "payment"); err != nil {
				t.Fatal(err)
			}
			if status, err := one.Status(t.Context()); err != nil || status.Instance != "1" {
				t.Errorf("At is instance %s, %v", status.Instance, err)
			}
			if _, err := f.At(t.Context(), "nobody"); !errors.Is(err, api.ErrNotFound) {
				t.Errorf("an unknown service: %v", err)
			}
			if _, err := f.At(t.Context(), "stranger"); !errors.Is(err, api.ErrUnavailable) {
				t.Errorf("a service that is not called: %v", err)
			}
		})
	}
}

// TestManyCallersAskOnce: what was learned within a second is good for all.
func TestManyCallersAskOnce(t *testing.T) {
	var now atomic.Int64
	f := startFleet(t, kafkatest.Start(t).Config, Config{Now: func() time.Time { return began.Add(time.Duration(now.Load())) }})
	s := serve(t, "payment", "1", "", outbox.Active)
	key, value := record(at("payment", "1", s.url))
	f.registry.hear(key, value, began, began)
	done := make(chan string)
	for range 20 {
		go func() { done <- shown(services(t, f)) }()
	}
	for range 20 {
		if got := <-done; got != "payment/1=active" {
			t.Errorf("services: %s", got)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times within a second", n)
	}
	now.Store(int64(freshFor))
	if services(t, f); s.asked.Load() != 2 {
		t.Errorf("asked %d times after a second", s.asked.Load())
	}
}

// TestServicesThatMisbehave are named with their problem, and hold nobody up.
func TestServicesThatMisbehave(t *testing.T) {
	f := startFleet(t, kafkatest.Start(t).Config, Config{Token: "secret"})
	moved := serve(t, "moved", "1", "", outbox.Active)
	end := make(chan struct{})
	pages := map[string]http.HandlerFunc{
		"huge": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", maxStatus+2)) },
		"page": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"slow": func(http.ResponseWriter, *http.Request) { <-end },
		"liar": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"name":"payment","instance":"1"}`) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, moved.url+"/status", http.StatusFound)
		},
		"wordy": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			fmt.Fprintf(w, `{"detail":%q}`, strings.Repeat("x", 10_000))
		},
	}
	for name, page := range pages {
		server := httptest.NewServer(page)
		t.Cleanup(server.Close)
		key, value := record(at(name, "1", server.URL+"/admin"))
		f.registry.hear(key, value, time.Now(), time.Now())
	}
	t.Cleanup(func() { close(end) })
	good := serve(t, "payment", "1", "secret", outbox.Active)
	wrong := serve(t, "denied", "1", "another", outbox.Active)
	for _, s := range []*service{good, wrong} {
		key, value := record(at(s.name, "1", s.url))
		f.registry.hear(key, value, time.Now(), time.Now())
	}
	started := time.Now()
	all := services(t, f)
	if took := time.Since(started); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	for _, s := range all {
		if (s.Status != nil) != (s.Name == "payment") || (s.Problem == "") != (s.Name == "payment") || len(s.Problem) > maxProblem {
			t.Errorf("%s: %+v, problem %s", s.Name, s.Status, s.Problem)
		}
	}
	if len(all) != len(pages)+2 || moved.asked.Load() > 0 {
		t.Errorf("%d services; a redirect was followed %d times", len(all), moved.asked.Load())
	}
	if _, err := f.At(t.Context(), "slow"); !errors.Is(err, api.ErrUnavailable) || !strings.Contains(err.Error(), "within 2s") {
		t.Errorf("a slow service: %v", err)
	}
}

// TestFloodInTheTopic: ten thousand announcements, and one that is real.
func TestFloodInTheTopic(t *testing.T) {
	cluster := kafkatest.Start(t)
	real := serve(t, "real", "1", "", outbox.Active)
	announce(t, cluster.Config, at("real", "1", real.url))
	f := startFleet(t, cluster.Config, Config{})
	eventually(t, f, "real/1=active")
	producer := cluster.Client(t)
	for i := range 10_000 {
		key, value := record(at(fmt.Sprint("fake", i), "1", []string{"http://127.0.0.1:1/admin", "file:///etc/passwd", "http://10.0.0.1/"}[i%3]))
		producer.Produce(t.Context(), &kgo.Record{Topic: admin.Topic, Key: key, Value: value}, nil)
	}
	producer.Produce(t.Context(), &kgo.Record{Topic: admin.Topic, Key: []byte("real/1"), Value: make([]byte, 900_000)}, nil)
	if err := producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the flood", patience, func() bool { return len(services(t, f)) > maxInstances })
	if _, err := f.At(t.Context(), "real"); err != nil {
		t.Error(err)
	}
}

// TestTopicMadeAnew is found: services go on announcing themselves there.
func TestTopicMadeAnew(t *testing.T) {
	cluster := kafkatest.Start(t)
	s := serve(t, "payment", "1", "", outbox.Active)
	first := announce(t, cluster.Config, at("payment", "1", s.url))
	f := startFleet(t, cluster.Config, Config{})
	eventually(t, f, "payment/1=active")
	stopAnnouncer(t, first)
	eventually(t, f, "")
	if _, err := kadm.NewClient(cluster.Client(t)).DeleteTopic(t.Context(), admin.Topic); err != nil {
		t.Fatal(err)
	}
	announce(t, cluster.Config, at("payment", "1", s.url))
	eventually(t, f, "payment/1=active")
}

// TestServicesAreSeenWithoutKafka: when Kafka is away is when an operator looks.
func TestServicesAreSeenWithoutKafka(t *testing.T) {
	var later atomic.Int64
	cluster := kafkatest.Start(t)
	s := serve(t, "payment", "1", "", outbox.Held)
	announce(t, cluster.Config, at("payment", "1", s.url))
	f := startFleet(t, cluster.Config, Config{Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	eventually(t, f, "payment/1=held")
	if err := cluster.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	later.Store(int64(5 * time.Minute))
	if got := shown(services(t, f)); got != "payment/1=held" {
		t.Errorf("without Kafka: %s", got)
	}
}

func TestFleetBeforeStartAndAfterStop(t *testing.T) {
	f := newFleet(t, Config{}) // without Kafka
	if _, err := f.Services(t.Context()); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("before the start: %v", err)
	}
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := services(t, f); len(all) != 0 {
		t.Errorf("without Kafka: %+v", all)
	}
	for range 2 {
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.At(t.Context(), "a"); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("after the stop: %v", err)
	}
	if _, err := New(kafka.Config{}, Config{}); !errors.Is(err, kafka.ErrConfig) {
		t.Errorf("without brokers: %v", err)
	}
	if _, err := New(f.cluster, Config{Allow: []string{"a:1"}}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("a bad allow list: %v", err)
	}
}
