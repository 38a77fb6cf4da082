// Package systemtest runs the services of an example for its tests: in this process,
// on the broker in process and SQLite, or on Apache Kafka and PostgreSQL.
package systemtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/storage"
)

// What is waited for, at most: the start of a service, its stop, and a state.
const (
	StartTimeout = 3 * time.Minute
	StopTimeout  = 30 * time.Second
	StateTimeout = 2 * time.Minute
)

// Backend is what services run on.
type Backend struct {
	Name string
	// Start returns the cluster, and each service's database.
	Start func(t testing.TB) (kafka.Config, func(service string) string)
}

// Embedded needs nothing; Real skips the test where the servers are missing.
var (
	Embedded = Backend{"embedded", func(t testing.TB) (kafka.Config, func(string) string) {
		return kafkatest.Start(t).Config, Files(t)
	}}
	Real = Backend{"real", func(t testing.TB) (kafka.Config, func(string) string) {
		brokers, database := testenv.Kafka(t), testenv.Postgres(t)
		return kafka.Config{Brokers: brokers, Prefix: testenv.Prefix(t), Logger: Log()}, func(string) string { return database }
	}}
)

// Files are SQLite databases, one per service.
func Files(t testing.TB) func(service string) string {
	folder := t.TempDir()
	return func(name string) string { return "sqlite:" + filepath.Join(folder, name+".db") }
}

// OnEach runs a test on both backends.
func OnEach(t *testing.T, of service.System, test func(t *testing.T, s *System)) {
	for _, b := range []Backend{Embedded, Real} {
		t.Run(b.Name, func(t *testing.T) { test(t, New(t, b, of)) })
	}
}

// System is the services of an example, or some of them.
type System struct {
	T        testing.TB
	Kafka    kafka.Config
	Database func(service string) string
	// Running services by name; they are stopped when the test ends.
	Running map[string]*service.Service
	of      service.System
}

// New is a system of which nothing runs yet.
func New(t testing.TB, b Backend, of service.System) *System {
	cluster, database := b.Start(t)
	s := &System{T: t, Kafka: cluster, Database: database, Running: map[string]*service.Service{}, of: of}
	t.Cleanup(func() {
		for name := range s.Running {
			s.Stop(name)
		}
	})
	return s
}

// All starts every service, each with the same changes to its configuration.
func (s *System) All(changes ...func(*service.Config)) *System {
	s.T.Helper()
	for _, d := range s.of.Definitions {
		s.Start(d.Name, changes...)
	}
	return s
}

// Start starts a service.
func (s *System) Start(name string, changes ...func(*service.Config)) *service.Service {
	s.T.Helper()
	running := s.Launch(name, changes...)
	s.Running[name] = running
	return running
}

// Launch starts a service that the caller stops.
func (s *System) Launch(name string, changes ...func(*service.Config)) *service.Service {
	s.T.Helper()
	config := service.Config{
		Listen: "127.0.0.1:0", Database: s.Database(name), Kafka: s.Kafka,
		PollInterval: 100 * time.Millisecond, Logger: Log(),
	}
	for _, change := range changes {
		change(&config)
	}
	running, err := s.of.New(name, config)
	if err != nil {
		s.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	if err := running.Start(ctx); err != nil {
		s.T.Fatal(err)
	}
	return running
}

// Stop stops a service, if it runs.
func (s *System) Stop(name string) {
	s.T.Helper()
	if running := s.Running[name]; running != nil {
		delete(s.Running, name)
		Stop(s.T, running)
	}
}

// Stop stops a service that was launched.
func Stop(t testing.TB, running *service.Service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), StopTimeout)
	defer cancel()
	if err := running.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// DB is a running service's database.
func (s *System) DB(name string) storage.DB { return s.Running[name].DB() }

// Wait fails the test where the condition does not come true in time.
func (s *System) Wait(what string, condition func() bool) {
	s.T.Helper()
	testenv.Wait(s.T, what, StateTimeout, condition)
}

// Log is quiet unless PABAL_TEST_LOG is set.
func Log() *slog.Logger {
	if os.Getenv("PABAL_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
