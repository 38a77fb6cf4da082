package tripservice

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// Name of the service.
const Name = "trips"

// Timeout of what happens by itself, on a machine that has other work.
const Timeout = 60 * time.Second

// Service runs until the end of the test.
type Service struct {
	testing.TB
	// URL of its admin side.
	URL      string
	DB       *sqlite.DB
	Trips    *saga.Manager[*sqlite.Tx, Trip]
	Arrivals *saga.Manager[*sqlite.Tx, Arrival]
	// Mended desks take bookings back.
	Mended atomic.Bool

	quiet *slog.Logger
	parts lifecycle.Group
}

// Start starts the service, which announces itself in the cluster.
func Start(t testing.TB, cluster kafka.Config) *Service {
	t.Helper()
	s := &Service{TB: t, quiet: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	var err error
	s.DB, err = sqlite.Open(ctx, filepath.Join(t.TempDir(), "trips.db"), sqlite.Config{Logger: s.quiet})
	s.must(err)
	t.Cleanup(func() { s.DB.Close() })
	s.Trips, err = saga.New(s.DB, saga.Config[*sqlite.Tx, Trip]{Definitions: []saga.Definition[Trip]{trip()}, PollInterval: 20 * time.Millisecond, Logger: s.quiet})
	s.must(err)
	s.Arrivals, err = saga.New(s.DB, saga.Config[*sqlite.Tx, Arrival]{Definitions: []saga.Definition[Arrival]{arrival()}, Logger: s.quiet})
	s.must(err)
	s.topics(ctx, cluster)
	s.admin(cluster, s.messages(cluster))
	s.parts.Add("trips", s.Trips.Service())
	s.parts.Add("arrivals", s.Arrivals.Service())
	s.must(s.parts.Start(ctx))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Timeout)
		defer cancel()
		if err := s.parts.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Service) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *Service) topics(ctx context.Context, cluster kafka.Config) {
	client, err := kafka.NewClient(cluster)
	s.must(err)
	defer client.Close()
	all := []kafka.Topic{{Name: answers, Partitions: 2}, {Name: "trips.dead-letters", Partitions: 1}}
	for _, desk := range Desks {
		all = append(all, kafka.Topic{Name: deskTopic(desk), Partitions: 1})
	}
	for _, topic := range arrivals {
		all = append(all, kafka.Topic{Name: topic, Partitions: 1})
	}
	s.must(kafka.EnsureTopics(ctx, client, cluster, all...))
}

// messages adds the relay and the consumers, as the admin side shows them.
func (s *Service) messages(cluster kafka.Config) admin.LocalConfig {
	relay, err := outbox.NewRelay(s.DB, cluster, outbox.RelayConfig{Name: Name, Source: "/trips", Logger: s.quiet})
	s.must(err)
	s.parts.Add("relay", relay)
	groups := s.Trips.Handlers()
	maps.Copy(groups, s.Arrivals.Handlers())
	desks := map[string]inbox.Handler[*sqlite.Tx]{}
	for _, desk := range Desks {
		desks[deskTopic(desk)] = s.desk(desk)
	}
	shown := admin.LocalConfig{Name: Name, Instance: "one", Kafka: cluster, Outbox: &admin.LocalOutbox{Name: Name, Source: "/trips", Store: s.DB, Relay: relay}}
	for name, c := range map[string]inbox.Config[*sqlite.Tx]{Name: {Groups: groups}, "desks": {Topics: desks}} {
		c.Name, c.DeadLetterTopic, c.Logger = name, "trips.dead-letters", s.quiet
		consumer, err := inbox.NewConsumer(s.DB, cluster, c)
		s.must(err)
		s.parts.Add(name, consumer)
		shown.Consumers = append(shown.Consumers, admin.LocalConsumer{Name: name, DeadLetterTopic: c.DeadLetterTopic,
			Topics: slices.Concat(slices.Sorted(maps.Keys(c.Topics)), slices.Sorted(maps.Keys(c.Groups))), Store: s.DB, Runner: consumer})
	}
	return shown
}

func (s *Service) admin(cluster kafka.Config, shown admin.LocalConfig) {
	shown.Sagas = &admin.LocalSagas{Store: s.DB, Operators: []saga.Operator{s.Trips, s.Arrivals}}
	local, err := admin.NewLocal(shown)
	s.must(err)
	server := httptest.NewServer(http.StripPrefix("/admin", admin.Handler(local, admin.HandlerConfig{Logger: s.quiet})))
	s.Cleanup(server.Close)
	s.URL = server.URL + "/admin"
	announcer, err := admin.NewAnnouncer(admin.AnnouncerConfig{Kafka: cluster, Logger: s.quiet,
		Announcement: admin.Announcement{Name: Name, Instance: "one", URL: s.URL}})
	s.must(err)
	s.parts.Add("announcer", announcer)
}

// Book starts a trip.
func (s *Service) Book(id string, t Trip) {
	s.Helper()
	s.must(s.DB.Update(context.Background(), func(tx *sqlite.Tx) error {
		_, _, err := s.Trips.Start(context.Background(), tx, id, t)
		return err
	}))
}

// Arrive has events of an arrival happen.
func (s *Service) Arrive(guest string, events ...string) {
	s.Helper()
	for _, one := range events {
		s.must(s.DB.Update(context.Background(), func(tx *sqlite.Tx) error {
			return outbox.Enqueue(context.Background(), tx, event.New(one, guest, Arrival{guest}).InTransaction(guest))
		}))
	}
}

// Await waits until a saga has a status and, where that is not "", stands at a step.
func (s *Service) Await(name, id string, status saga.Status, current string) {
	s.Helper()
	testenv.Wait(s, name+" "+id+" to be "+string(status)+" "+current, Timeout, func() bool {
		r, _, err := s.DB.Saga(context.Background(), name, id)
		return err == nil && r.Status == status && (current == "" || r.Current == current)
	})
}
