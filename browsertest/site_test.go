package browsertest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/lens"
	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

var serviceNames = []string{"order", "payment", "restaurant", "customer"}

// site is a console, a broker, and the services of the orders example.
type site struct {
	*testing.T
	cluster *kafkatest.Cluster
	folder  string
	running map[string]*service.Service
	url     string // without a slash at its end
}

// newSite starts all of it; change may alter the console's configuration.
func newSite(t *testing.T, change func(*console.Config)) *site {
	t.Helper()
	s := &site{T: t, cluster: kafkatest.Start(t), folder: t.TempDir(), running: map[string]*service.Service{}}
	for _, name := range serviceNames {
		s.start(name)
	}
	cfg := console.Config{
		Kafka: s.cluster.Config, Listen: "127.0.0.1:0", Version: "of a test", Logger: logger(t),
		Lens: lens.Config{StallAfter: 3 * time.Second},
	}
	if change != nil {
		change(&cfg)
	}
	s.url = startConsole(t, cfg)
	return s
}

// startConsole returns its URL without a slash at its end.
func startConsole(t *testing.T, cfg console.Config) string {
	t.Helper()
	c, err := console.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server, err := console.NewServer(c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, "console", c)
	run(t, "server", server)
	return "http://" + server.Addr() + cfg.Base
}

// lifecycleService is a lifecycle.Service.
type lifecycleService interface {
	Start(context.Context) error
	Stop(context.Context) error
}

// run starts a service and stops it with the test.
func run(t *testing.T, name string, s lifecycleService) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
		defer cancel()
		if err := s.Stop(ctx); err != nil && t.Context().Err() == nil {
			t.Errorf("stop %s: %v", name, err)
		}
	})
}

func (s *site) start(name string) {
	s.Helper()
	running, err := orders.System().New(name, service.Config{
		Listen: "127.0.0.1:0", Database: "sqlite:" + filepath.Join(s.folder, name+".db"), Kafka: s.cluster.Config,
		PollInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		s.Fatal(err)
	}
	run(s.T, name, running)
	s.running[name] = running
}

// known waits until the console has heard of all services and they answer it.
func (s *site) known() *site {
	s.Helper()
	client, err := api.NewClient(api.ClientConfig{URL: s.url})
	if err != nil {
		s.Fatal(err)
	}
	defer client.Close()
	testenv.Wait(s, "the services to announce themselves", stateTimeout, func() bool {
		all, err := client.Services(s.Context())
		if err != nil || len(all) != len(serviceNames) {
			return false
		}
		for _, one := range all {
			if one.Status == nil {
				return false
			}
		}
		return true
	})
	return s
}

func logger(t *testing.T) *slog.Logger {
	if os.Getenv("PABAL_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// service's address of its REST API.
func (s *site) at(name, format string, args ...any) string {
	return "http://" + s.running[name].Addr() + fmt.Sprintf(format, args...)
}
