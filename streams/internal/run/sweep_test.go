package run

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// sharing is a process that had all four tasks, with counts on disk, and one that took two of
// them; the first one's clock is the test's.
type sharing struct {
	t             testing.TB
	k             kafka.Config
	in            *kgo.Client
	out           *output
	first, second *Runtime
	ahead         atomic.Int64
	replayed      chan int64
	total         int64
}

func share(t *testing.T) *sharing {
	s := &sharing{t: t, k: kafkatestConfig(t), replayed: make(chan int64, 100)}
	makeTopics(t, s.k, 4, "in", "out")
	cfg := configure(t, s.k)
	s.in, s.out = client(t, s.k), newOutput(t, s.k)
	mine := cfg
	mine.Clock = func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }
	mine.Restored = func(n int64) { s.replayed <- n }
	s.first = begin(t, mine)
	awaitRunning(t, s.first)
	s.feed(1000)
	s.second = begin(t, another(t, cfg))
	testenv.Wait(t, "two tasks each", time.Minute, func() bool { return s.has(2) && len(s.second.tasks.snapshot()) == 2 })
	awaitRunning(t, s.first, s.second)
	return s
}

func (s *sharing) feed(n int) {
	s.t.Helper()
	feed(s.t, s.k, s.in, n)
	s.total += int64(n)
	s.out.await(s.t, s.total)
}

func (s *sharing) has(tasks int) bool { return len(s.first.tasks.snapshot()) == tasks }

// sweep is after that much more time; it returns the tasks that the first one keeps stores of.
func (s *sharing) sweep(w *sweeper, later time.Duration) []plan.TaskID {
	s.t.Helper()
	s.ahead.Add(int64(later))
	if err := w.sweep(); err != nil {
		s.t.Fatal(err)
	}
	kept, err := s.first.db.Tasks()
	if err != nil {
		s.t.Fatal(err)
	}
	slices.SortFunc(kept, compareTasks)
	return kept
}

// back has the second one end; what restoring its tasks took is returned.
func (s *sharing) back() (replayed int64) {
	s.t.Helper()
	for len(s.replayed) > 0 {
		<-s.replayed
	}
	stop(s.t, s.second)
	testenv.Wait(s.t, "all tasks at the first", time.Minute, func() bool { return s.has(4) && s.first.State() == Running })
	for range 2 {
		replayed += <-s.replayed
	}
	return replayed
}

func TestStoresOfTasksThatMovedAwayAreDropped(t *testing.T) {
	s := share(t)
	w := newSweeper(s.first)
	if kept := s.sweep(w, 0); len(kept) != 4 {
		t.Fatalf("at once it keeps %v", kept)
	}
	if kept := s.sweep(w, 9*time.Minute); len(kept) != 4 {
		t.Errorf("after 9 min it keeps %v", kept)
	}
	kept := s.sweep(w, 2*time.Minute)
	for id := range s.first.tasks.snapshot() {
		if !slices.Contains(kept, id) {
			t.Errorf("the stores of %s, which runs, are gone", name(id))
		}
	}
	if len(kept) != 2 {
		t.Errorf("after 11 min it keeps %v", kept)
	}
	s.feed(100)
	s.back()
	s.feed(100) // each count goes on from where it was
}

func TestTaskThatComesBackInTimeReplaysOnlyTheDelta(t *testing.T) {
	s := share(t)
	w := newSweeper(s.first)
	s.sweep(w, 0)
	s.sweep(w, 9*time.Minute)
	s.feed(10)
	if n := s.back(); n > 10 {
		t.Errorf("%d records were replayed", n)
	}
	if kept := s.sweep(w, 9*time.Minute); len(kept) != 4 {
		t.Errorf("tasks that are back keep %v", kept)
	}
	s.feed(10)
}

// Who is not in the group at the moment may get everything back.
func TestNothingIsDroppedOutsideTheGroup(t *testing.T) {
	s := share(t)
	w := newSweeper(s.first)
	s.sweep(w, 0)
	session := &s.first.group.session
	session.Add(1) // as where the group gives this process up
	if kept := s.sweep(w, time.Hour); len(kept) != 4 {
		t.Errorf("it keeps %v", kept)
	}
	session.Add(-1) // back; the time begins anew
	if kept := s.sweep(w, time.Minute); len(kept) != 4 {
		t.Errorf("back in the group it keeps %v", kept)
	}
	if kept := s.sweep(w, 11*time.Minute); len(kept) != 2 {
		t.Errorf("11 min later it keeps %v", kept)
	}
}
