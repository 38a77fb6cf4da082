//go:build unix

package eostest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams"
)

// solo is an application of one instance in the test's own process, under load.
type solo struct {
	*testing.T
	random *rand.Rand
	with   settings
	log    journal
	app    *streams.App
	in     *generator
	out    *reader
}

// newSolo keeps its stores in dir.
func newSolo(t *testing.T, dir string) *solo {
	k := kafkatest.Start(t).Config
	makeTopics(t, k)
	s := &solo{T: t, random: testenv.Rand(t), with: settings{Brokers: k.Brokers, Prefix: k.Prefix, Dir: dir}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log:\n%s", s.log.end(5000))
		}
	})
	s.out = newReader(t, k)
	s.in = newGenerator(t, k, s.random.Uint64(), 2000, times(50, 200), func() int { return s.out.count(echo) })
	s.start()
	s.settled()
	return s
}

func makeTopics(t testing.TB, k kafka.Config) {
	t.Helper()
	var topics []kafka.Topic
	for _, name := range append([]string{"data"}, outputs...) {
		topics = append(topics, kafka.Topic{Name: name, Partitions: partitions})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := kafka.EnsureTopics(ctx, client(t, k), k, topics...); err != nil {
		t.Fatal(err)
	}
}

func (s *solo) start() {
	s.Helper()
	t, err := topology()
	if err != nil {
		s.Fatal(err)
	}
	cfg := s.with.config()
	cfg.MemoryBytes = 32 << 20
	cfg.SessionTimeout, cfg.TransactionTimeout = time.Minute, time.Minute // nobody is to be missed
	cfg.Logger = slog.New(slog.NewTextHandler(&s.log, nil))
	if s.app, err = streams.New(t, cfg); err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	if err := s.app.Start(ctx); err != nil {
		s.Fatal(err)
	}
	app := s.app
	s.Cleanup(func() { stopApp(s, app) })
}

func stopApp(t testing.TB, app *streams.App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := app.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// await fails when the application has ended.
func (s *solo) await(what string, lacks func() string) {
	s.Helper()
	await(s, what, func() string {
		select {
		case <-s.app.Done():
			s.Fatalf("before %s it ended: %v", what, s.app.Err())
		default:
		}
		if text := lacks(); text != "" {
			return fmt.Sprintf("%s; %s, health: %v", text, s.app.State(), s.app.Health())
		}
		return ""
	})
}

func (s *solo) settled() {
	s.Helper()
	n := int(s.in.acked.Load())
	s.await("all input is processed", func() string {
		if echoed, high := s.out.count(echo), s.out.count(maximum); echoed < n || high < n {
			return fmt.Sprintf("%d and %d of %d", echoed, high, n)
		}
		return ""
	})
}

// finish checks everything.
func (s *solo) finish() {
	s.Helper()
	s.in.finish()
	want := expect(s.in.sent)
	s.out.complete(want, func() {})
	stopApp(s, s.app)
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	s.in.check()
	s.out.readToEnd(ctx)
	s.out.compare(want)
	checkStores(s.T, s.with, want)
}

// tables are the files of the stores on disk.
func (s *solo) tables() (all []string) {
	s.Helper()
	filepath.WalkDir(s.with.Dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".sst") { // those that a compaction removes meanwhile are no error
			all = append(all, path)
		}
		return nil
	})
	return all
}

// flushed returns when there are tables on disk.
func (s *solo) flushed() {
	s.Helper()
	s.await("stores are on disk", func() string {
		if len(s.tables()) == 0 {
			return "nothing is"
		}
		return ""
	})
}

// journal is a log that is looked into.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) count(of string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return bytes.Count(j.text.Bytes(), []byte(of))
}

func (j *journal) end(n int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	b := j.text.Bytes()
	return string(b[max(0, len(b)-n):])
}
