package cartservice

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// Service runs until the end of the test.
type Service struct {
	// URL of its admin side.
	URL      string
	DB       *sqlite.DB
	Carts    *Carts
	Profiles *Profiles
	View     *projection.Projection[*sqlite.Tx]
}

// Name of the service.
const Name = "carts"

const timeout = 30 * time.Second

// Start starts the service; it announces itself in a cluster, unless that is nil.
func Start(t testing.TB, cluster *kafka.Config) *Service {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &Service{}
	var err error
	s.DB, err = sqlite.Open(ctx, filepath.Join(t.TempDir(), "carts.db"), sqlite.Config{Logger: quiet})
	must(err)
	t.Cleanup(func() { s.DB.Close() })
	must(s.DB.Update(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Exec(ctx, makeView)
		return err
	}))
	r, err := registry()
	must(err)
	s.Carts, err = carts(s.DB, r, entity.Config{Logger: quiet})
	must(err)
	s.Profiles, err = profiles(s.DB, r, entity.Config{Logger: quiet})
	must(err)
	s.View, err = view(s.DB, r, projection.Config[*sqlite.Tx]{PollInterval: 50 * time.Millisecond, BeatInterval: 100 * time.Millisecond, Logger: quiet})
	must(err)
	local, err := admin.NewLocal(admin.LocalConfig{
		Name: Name, Instance: "one",
		Journal:     &admin.LocalJournal{Store: s.DB, Registry: r, Entities: []entity.Inspector{s.Carts, s.Profiles}},
		Projections: &admin.LocalProjections{Store: s.DB, Source: s.DB, Running: []admin.Projection{s.View}},
	})
	must(err)
	server := httptest.NewServer(http.StripPrefix("/admin", admin.Handler(local, admin.HandlerConfig{Logger: quiet})))
	t.Cleanup(server.Close)
	s.URL = server.URL + "/admin"
	for _, part := range []lifecycle.Service{s.Carts, s.Profiles, s.View} {
		run(t, part)
	}
	if cluster != nil {
		announcer, err := admin.NewAnnouncer(admin.AnnouncerConfig{Kafka: *cluster, Logger: quiet,
			Announcement: admin.Announcement{Name: Name, Instance: "one", URL: s.URL}})
		must(err)
		run(t, announcer)
	}
	return s
}

func run(t testing.TB, part lifecycle.Service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := part.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := part.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// Cart does commands with a cart, which are its events.
func (s *Service) Cart(t testing.TB, id string, events ...any) {
	t.Helper()
	for _, e := range events {
		if _, err := s.Carts.Ask(context.Background(), id, e); err != nil {
			t.Fatal(err)
		}
	}
}
