package systemtest

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// Simulation runs the services' own handlers, sagas, views, endpoints and SQL, without Kafka:
// it takes the messages out of the outboxes itself, and decides when each is handled,
// how often, and which transactions fail. There is no inbox between, so what holds here
// holds for every replay. Timers do not fire.
type Simulation struct {
	T        testing.TB
	Services map[string]*Simulated
	// Sent is all that was ever sent, UnderWay what is to be handled of it.
	Sent, UnderWay []outbox.Message
	readers        map[string][]reader // by topic
}

// Simulated is one service.
type Simulated struct {
	Env    service.Env
	Router *service.Router
	read   int64 // the last outbox row taken
}

type reader struct {
	service string
	handle  inbox.GroupHandler[storage.Tx]
}

// NewSimulation opens the services' databases.
func NewSimulation(t testing.TB, of service.System, database func(service string) string) *Simulation {
	s := &Simulation{T: t, Services: map[string]*Simulated{}, readers: map[string][]reader{}}
	for _, d := range of.Definitions {
		db, err := open.DB(t.Context(), database(d.Name), open.Config{Schema: d.Name, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if err := db.Migrate(t.Context(), d.Name, d.Migrations); err != nil {
			t.Fatal(err)
		}
		s.add(d, service.Env{DB: db, Clock: time.Now, Log: Log(), Metrics: metrics.NewSet()})
	}
	return s
}

func (s *Simulation) add(d service.Definition, env service.Env) {
	s.T.Helper()
	parts, err := d.Build(env)
	if err != nil {
		s.T.Fatal(err)
	}
	router := service.NewRouter(env)
	parts.Routes(env, router)
	s.Services[d.Name] = &Simulated{Env: env, Router: router}
	for topic, handle := range parts.AllHandlers() {
		s.readers[topic] = append(s.readers[topic], reader{d.Name, handle})
	}
	for topic, handle := range parts.View {
		s.readers[topic] = append(s.readers[topic], reader{d.Name, func(ctx context.Context, tx storage.Tx, ms []inbox.Message) error {
			for _, m := range ms {
				if err := handle(ctx, tx, m); err != nil {
					return err
				}
			}
			return nil
		}})
	}
}

// REST calls an endpoint and takes what it sent.
func (s *Simulation) REST(method, name, path, body string) Answer {
	s.T.Helper()
	a := s.Ask(method, name, path, body)
	s.collect(name)
	return a
}

// Ask calls an endpoint; it may be used concurrently.
func (s *Simulation) Ask(method, name, path, body string) Answer {
	s.T.Helper()
	recorder := httptest.NewRecorder()
	s.Services[name].Router.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	a, err := Read(recorder.Result())
	if err != nil {
		s.T.Error(err)
	}
	return a
}

// collect takes what a service sent since the last time.
func (s *Simulation) collect(name string) {
	s.T.Helper()
	from := s.Services[name]
	for {
		rows, err := from.Env.DB.Pending(s.T.Context(), from.read, outbox.Exclusion{}, 1000, 1<<20)
		if err != nil {
			s.T.Fatal(err)
		}
		if len(rows) == 0 {
			return
		}
		for _, row := range rows {
			from.read = row.ID
			s.Sent = append(s.Sent, row.Message)
			if s.readers[row.Topic] != nil {
				s.UnderWay = append(s.UnderWay, row.Message)
			}
		}
	}
}

// Replay puts everything that was ever sent under way again.
func (s *Simulation) Replay() {
	for _, m := range s.Sent {
		if s.readers[m.Topic] != nil {
			s.UnderWay = append(s.UnderWay, m)
		}
	}
}

var errCrash = errors.New("crash before commit")

// Deliver has every reader of a topic handle messages of it together; where crash is
// set, their transactions fail at the very end.
func (s *Simulation) Deliver(crash bool, messages ...outbox.Message) {
	s.T.Helper()
	topic := messages[0].Topic
	for _, r := range s.readers[topic] {
		err := s.Services[r.service].Env.Update(s.T.Context(), func(tx storage.Tx) error {
			if err := handle(s.T.Context(), tx, r, messages); err != nil || !crash {
				return err
			}
			return errCrash
		})
		if err != nil && !errors.Is(err, errCrash) {
			s.T.Fatalf("%s %s: %v", topic, messages[0].Payload, err)
		}
		s.collect(r.service)
	}
}

// Handle is Deliver for use by several goroutines; what is sent is not taken.
func (s *Simulation) Handle(m outbox.Message) {
	s.T.Helper()
	for _, r := range s.readers[m.Topic] {
		err := s.Services[r.service].Env.Update(s.T.Context(), func(tx storage.Tx) error {
			return handle(s.T.Context(), tx, r, []outbox.Message{m})
		})
		if err != nil {
			s.T.Errorf("%s %s: %v", m.Topic, m.Payload, err)
		}
	}
}

func handle(ctx context.Context, tx storage.Tx, r reader, messages []outbox.Message) error {
	all := make([]inbox.Message, len(messages))
	for i, m := range messages {
		all[i] = inbox.Message{Event: m.Event, Topic: m.Topic, Attempt: 1}
	}
	return r.handle(ctx, tx, all)
}

// mostTogether is how many messages Drain has handled at a time.
const mostTogether = 5

// Drain handles what is under way in a random order, alone or together; some of it
// twice, some after a crash.
func (s *Simulation) Drain(random *rand.Rand, between func()) {
	s.T.Helper()
	for len(s.UnderWay) > 0 && !s.T.Failed() {
		random.Shuffle(len(s.UnderWay), func(i, j int) { s.UnderWay[i], s.UnderWay[j] = s.UnderWay[j], s.UnderWay[i] })
		var some, rest []outbox.Message
		for n, all := 1+random.IntN(mostTogether), s.UnderWay; len(all) > 0; all = all[1:] {
			if len(some) < n && all[0].Topic == s.UnderWay[0].Topic {
				some = append(some, all[0])
			} else {
				rest = append(rest, all[0])
			}
		}
		switch random.IntN(10) {
		case 0: // they stay, to be handled again
			s.Deliver(false, some...)
		case 1:
			s.Deliver(true, some...)
		default:
			s.UnderWay = rest
			s.Deliver(false, some...)
		}
		between()
	}
}
