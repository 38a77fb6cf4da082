package server_test

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// world is a broker on loopback whose folder is in memory and outlives it.
type world struct {
	*server.Server
	t        testing.TB
	fs       vfs.FS
	config   server.Config
	settings map[string]string
	node     *node.Node
	wire     *wire.Server
	addr     string
	runs     bool
	clock    *clock
}

// clock is the time, ahead of the real one by as much as a test says.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// advance moves the clock on and has what is due then be done.
func (w *world) advance(d time.Duration) {
	w.clock.mu.Lock()
	w.clock.ahead += d
	w.clock.mu.Unlock()
	w.Tick()
}

type option func(*world)

func with(change func(*server.Config)) option { return func(w *world) { change(&w.config) } }

func setting(name, value string) option { return func(w *world) { w.settings[name] = value } }

// start serves until the test ends.
func start(t testing.TB, options ...option) *world {
	t.Helper()
	w := &world{t: t, fs: vfs.NewMemory(), clock: &clock{}, settings: map[string]string{
		"group.initial.rebalance.delay.ms": "0", "group.min.session.timeout.ms": "10",
	}}
	for _, o := range options {
		o(w)
	}
	w.start()
	t.Cleanup(func() {
		if w.runs {
			w.stop()
		}
	})
	return w
}

func (w *world) start() {
	w.t.Helper()
	ctx := context.Background()
	logger := slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	var err error
	w.node, err = node.Open(ctx, node.Options{
		FS: w.fs, Dir: "data", Durability: commit.Fsync, Partitions: 2, MaxPartitions: 1000, Settings: w.settings, Now: w.clock.now, Logger: logger,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.addr = listener.Addr().String()
	host, port, _ := net.SplitHostPort(w.addr)
	number, _ := strconv.Atoi(port)
	c := w.config
	c.Node, c.Host, c.Port, c.Dir, c.Now, c.Logger = w.node, host, int32(number), "data", w.clock.now, logger
	if w.Server, err = server.New(c); err != nil {
		w.t.Fatal(err)
	}
	w.wire = wire.Serve(listener, wire.Config{
		APIs: w.APIs(), Features: w.Features(), Authenticate: len(c.Passwords) > 0, Handler: w.Server, Logger: logger,
	})
	w.runs = true
}

func (w *world) stop() {
	w.t.Helper()
	w.runs = false
	w.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.wire.Close(ctx); err != nil {
		w.t.Errorf("close the connections: %v", err)
	}
	w.Stop()
	if err := w.node.Close(); err != nil {
		w.t.Errorf("close the folder: %v", err)
	}
}

// kill stops as a crash does.
func (w *world) kill() {
	w.runs = false
	w.node.Kill()
	w.wire.Kill()
	w.Stop()
}

// restart stops the broker, or kills it, and starts it on the same folder, and on another port:
// somebody may have taken the old one meanwhile.
func (w *world) restart(stop func()) {
	w.t.Helper()
	stop()
	w.start()
}

// client is one of franz-go, until the test ends.
func (w *world) client(options ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(w.addr), kgo.MetadataMinAge(10 * time.Millisecond)}, options...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

func (w *world) admin(options ...kgo.Opt) *kadm.Client { return kadm.NewClient(w.client(options...)) }

// soon is as long as anything may take.
func (w *world) soon() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	w.t.Cleanup(cancel)
	return ctx
}

// until waits for a state.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
