package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/fleet"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// A service announces itself, and the fleet finds and asks it.
func Example() {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer b.Stop(ctx)
	cluster := kafka.Config{Brokers: []string{b.Addr()}, Logger: quiet}
	defer announce(ctx, cluster, quiet)()

	f, err := fleet.New(cluster, fleet.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	if err := f.Start(ctx); err != nil {
		panic(err)
	}
	defer f.Stop(ctx)

	services, err := f.Services(ctx)
	for err == nil && len(services) == 0 { // it reads the announcements
		time.Sleep(20 * time.Millisecond)
		services, err = f.Services(ctx)
	}
	if err != nil {
		panic(err)
	}
	for _, s := range services {
		fmt.Println(s.Name, s.Instance, s.Problem == "", s.Status.Name)
	}
	// Output: orders orders-1 true orders
}

// announce mounts the admin side of a service and says where it is, until the
// function it returns is called.
func announce(ctx context.Context, cluster kafka.Config, log *slog.Logger) func() {
	local, err := admin.NewLocal(admin.LocalConfig{Name: "orders", Instance: "orders-1"})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(admin.Handler(local, admin.HandlerConfig{Logger: log}))
	announcer, err := admin.NewAnnouncer(admin.AnnouncerConfig{
		Kafka: cluster, Logger: log,
		Announcement: admin.Announcement{Name: "orders", Instance: "orders-1", URL: server.URL},
	})
	if err != nil {
		panic(err)
	}
	if err := announcer.Start(ctx); err != nil {
		panic(err)
	}
	return func() {
		announcer.Stop(ctx)
		server.Close()
	}
}
