//go:build unix

package eostest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
)

// settings of a child: an instance of the application.
type settings struct {
	Brokers  []string
	Prefix   string
	Dir      string
	Instance string // static member
	Standbys int
	// Session is after how long a member that is away is missed; sessionTimeout where it is 0.
	Session time.Duration
	Big     bool // counts only, see bigTopology
}

const (
	sessionTimeout = 10 * time.Second
	// transactionTimeout is shorter: a process may lose its transaction and keep its tasks.
	transactionTimeout = 5 * time.Second
	stopTimeout        = 60 * time.Second

	envChild = "PABAL_TEST_EOS_CHILD"
)

// TestMain: children are this test binary, told by the environment what to be.
func TestMain(m *testing.M) {
	text := os.Getenv(envChild)
	if text == "" {
		os.Exit(m.Run())
	}
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		fmt.Fprintln(os.Stderr, "settings:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := runInstance(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "the application ended:", err)
		os.Exit(1)
	}
}

// runInstance until ctx ends. What cannot start, because brokers are away, tries again.
func runInstance(ctx context.Context, s settings) error {
	cfg := s.config()
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg.Metrics = metrics.NewSet()
	restored := cfg.Metrics.GetOrCreateCounter(restoredName)
	cfg.OnState = func(_, to streams.State) {
		os.WriteFile(s.stateFile(), fmt.Appendf(nil, "%s %d", to, restored.Get()), 0o600)
	}
	t, err := s.topology()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		app, err := streams.New(t, cfg)
		if err != nil {
			return err
		}
		starting, cancel := context.WithTimeout(ctx, 30*time.Second)
		err = app.Start(starting)
		cancel()
		if err != nil {
			cfg.Logger.Warn("it does not start", "error", err)
			continue
		}
		select {
		case <-ctx.Done():
		case <-app.Done():
			return fmt.Errorf("by itself: %w", app.Err())
		}
		stopping, cancel := context.WithTimeout(context.Background(), stopTimeout/2)
		defer cancel()
		return app.Stop(stopping)
	}
	return nil
}

// restoredName counts the changelog records that stores were filled with.
const restoredName = `pabal_streams_restored_records_total{application="eos"}`

func (s settings) topology() (*streams.Topology, error) {
	if s.Big {
		return bigTopology()
	}
	return topology()
}

func (s settings) config() streams.Config {
	session := s.Session
	if session == 0 {
		session = sessionTimeout
	}
	return streams.Config{
		ApplicationID: "eos", InstanceID: s.Instance, StateDir: s.Dir, Standbys: s.Standbys, Workers: 2,
		Kafka:          kafka.Config{Brokers: s.Brokers, Prefix: s.Prefix, Logger: slog.New(slog.DiscardHandler)},
		CommitInterval: 50 * time.Millisecond, MemoryBytes: 64 << 20, ProbeInterval: 5 * time.Second, AcceptableRecoveryLag: 100,
		SessionTimeout: session, HeartbeatInterval: 500 * time.Millisecond, TransactionTimeout: transactionTimeout,
	}
}

func (s settings) stateFile() string { return s.Dir + ".state" }

// instance is a process that the test starts, kills and freezes.
type instance struct {
	t     testing.TB
	name  string
	log   string
	with  settings
	child *testservers.Child // nil: it does not run
}

func newInstance(t testing.TB, name string, with settings) *instance {
	i := &instance{t: t, name: name, with: with, log: with.Dir + ".log"}
	t.Cleanup(i.farewell)
	return i
}

func (i *instance) start() {
	i.t.Helper()
	text, err := json.Marshal(i.with)
	if err != nil {
		i.t.Fatal(err)
	}
	out, err := os.OpenFile(i.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		i.t.Fatal(err)
	}
	defer out.Close()
	os.Remove(i.with.stateFile())
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"="+string(text))
	cmd.Stdout, cmd.Stderr = out, out
	if i.child, err = testservers.StartChild(cmd); err != nil {
		i.t.Fatal(err)
	}
}

// kill -9.
func (i *instance) kill() {
	i.alive()
	i.child.Kill()
	i.child = nil
}

// stop in its orderly way.
func (i *instance) stop() {
	i.t.Helper()
	i.alive()
	i.signal(syscall.SIGTERM)
	select {
	case <-i.child.Done():
		if err := i.child.Err(); err != nil {
			i.t.Errorf("%s did not stop well: %v", i.name, err)
		}
	case <-time.After(stopTimeout):
		i.t.Errorf("%s did not stop in %s", i.name, stopTimeout)
		i.signal(syscall.SIGQUIT) // shows what it does
		<-i.child.Done()
	}
	i.child = nil
}

func (i *instance) signal(s syscall.Signal) {
	i.t.Helper()
	if err := i.child.Signal(s); err != nil {
		i.t.Fatalf("%s: %v", i.name, err)
	}
}

// alive fails the test when it has ended by itself.
func (i *instance) alive() {
	i.t.Helper()
	if i.child == nil {
		return
	}
	select {
	case <-i.child.Done():
		i.t.Fatalf("%s ended by itself: %v", i.name, i.child.Err())
	default:
	}
}

func (i *instance) state() streams.State {
	state, _ := i.status()
	return state
}

// status also tells how many records it has restored since its start.
func (i *instance) status() (state streams.State, restored int) {
	text, err := os.ReadFile(i.with.stateFile())
	if err != nil {
		return streams.Created, 0
	}
	if _, err := fmt.Sscan(string(text), &state, &restored); err != nil {
		return streams.Created, 0 // it is being written
	}
	return state, restored
}

// farewell shows and keeps the log where the test failed.
func (i *instance) farewell() {
	if i.child != nil {
		i.child.Kill()
	}
	data, err := os.ReadFile(i.log)
	if bytes.Contains(data, []byte("DATA RACE")) || bytes.Contains(data, []byte("panic:")) {
		i.t.Errorf("%s has a data race or panicked", i.name)
	}
	if !i.t.Failed() {
		return
	}
	kept, keepErr := os.CreateTemp("", "pabal-eos-"+filepath.Base(i.log)+"-*")
	if keepErr == nil {
		kept.Write(data)
		kept.Close()
	}
	i.t.Logf("the log of %s (%v) is kept in %s; its end:\n%s", i.name, err, kept.Name(), data[max(0, len(data)-3000):])
}
