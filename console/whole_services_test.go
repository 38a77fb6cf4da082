package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
)

// TestServiceBehindTheConsole: a service announces itself, and the client looks into it
// and acts on it through console and service, two times HTTP.
func TestServiceBehindTheConsole(t *testing.T) {
	cluster := kafkatest.Start(t)
	cfg := Config{Kafka: cluster.Config, ServiceToken: "between us"}
	cfg.Kafka.Prefix = "shop."
	service := &fake{}
	side := httptest.NewServer(http.StripPrefix("/admin", admin.Handler(fakeService{service}, admin.HandlerConfig{Token: "between us"})))
	defer side.Close()
	announcer, err := admin.NewAnnouncer(admin.AnnouncerConfig{
		Kafka: cfg.Kafka, Logger: slog.New(slog.DiscardHandler),
		Announcement: admin.Announcement{Name: "payment", Instance: "i1", URL: side.URL + "/admin"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := announcer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer announcer.Stop(context.Background())

	s, stop := whole(t, cfg)
	defer stop()
	ctx := t.Context()
	operator := s.client(t, api.Operator)
	eventually(t, "the service is seen", func() bool {
		all, err := operator.Services(ctx)
		return err == nil && len(all) == 1 && all[0].Status != nil && all[0].Status.Outbox.Backlog.Failed == 1
	})
	payment, err := operator.At(ctx, "payment")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := payment.Rows(ctx, outbox.RowQuery{Status: "FAILED", Payload: true})
	if err != nil || len(rows.Rows) != 1 || string(rows.Rows[0].Payload) != "abc" || rows.After != 9 {
		t.Errorf("rows: %+v, %v", rows, err)
	}
	waiting, err := payment.Waiting(ctx, inbox.WaitingQuery{Consumer: "payment"})
	if err != nil || len(waiting.Waiting) != 1 || waiting.Next == nil || *waiting.Next.After != (inbox.Place{Topic: "orders", Partition: 2, Offset: 7}) {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	if n, err := payment.Replay(ctx, 4, 5); n != 3 || err != nil {
		t.Errorf("replay: %d, %v", n, err)
	}
	if err := payment.PauseRelay(ctx, "a look"); err != nil {
		t.Error(err)
	}
	if err := payment.PauseRelay(ctx, ""); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("paused without a reason: %v", err)
	}
	if _, err := payment.StartReplay(ctx, admin.ReplayRequest{Consumer: "payment", Topic: "orders"}); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("an operator replays a consumer: %v", err)
	}
	for _, want := range []string{"replay [4 5]", "pause a look"} {
		if !slices.Contains(service.asked(), want) {
			t.Errorf("the service was asked %v, not %s", service.asked(), want)
		}
	}
	nobody, err := operator.At(ctx, "nobody")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.Status(ctx); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a service that is not there: %v", err)
	}
	side.Close()
	if _, err := payment.Status(ctx); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("a service that is away: %v", err)
	}
	entries, err := s.client(t, api.Admin).Entries(ctx, api.PageQuery{})
	if err != nil || len(entries.Items) != 6 {
		t.Fatalf("the audit log has %+v, %v", entries, err)
	}
	if e := entries.Items[2]; e.Act != "relay" || e.Outcome != "done" || e.User != "ci-operator" {
		t.Errorf("%+v", e)
	}
}
