package task_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// times notes when punctuators were called.
type times []string

func (l *times) at(name string) func(int64) error {
	return func(now int64) error {
		*l = append(*l, fmt.Sprintf("%s@%d", name, now))
		return nil
	}
}

func (l *times) expect(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(*l, " "); got != want {
		t.Errorf("called %q, want %q", got, want)
	}
	*l = nil
}

// TestStreamTimePunctuation: at once with the first record, then at multiples of the interval,
// with the stream time as it is; missed ones are not made up for.
func TestStreamTimePunctuation(t *testing.T) {
	b := newBench(t, "a").start()
	var l times
	b.context.Schedule(10, false, l.at("p"))
	for i, step := range []struct{ at, want string }{
		{"x@3", "p@3"}, {"x@9", ""}, {"x@10", "p@10"}, {"x@45", "p@45"}, {"x@46", ""}, {"x@20", ""}, {"x@50", "p@50"}, {"x@51", ""}, {"x@60", "p@60"},
	} {
		b.add("a", int64(i), step.at)
		b.run()
		l.expect(t, step.want)
	}
}

// TestPunctuationComesAfterItsRecord: between that record and the next.
func TestPunctuationComesAfterItsRecord(t *testing.T) {
	b := newBench(t, "a").start()
	b.context.Schedule(10, false, func(now int64) error {
		b.seen = append(b.seen, fmt.Sprintf("tick@%d", now))
		if b.context.Record() != nil {
			t.Error("a punctuator has a record")
		}
		return nil
	})
	b.add("a", 0, "x@1", "y@11", "z@12")
	b.expect("x@1 tick@1 y@11 tick@11 z@12")
}

func TestWallClockPunctuation(t *testing.T) {
	b := newBench(t, "a").start()
	var l times
	b.context.Schedule(100, true, l.at("w"))
	for _, step := range []struct {
		by   int64
		want string
		next int64
	}{{99, "", 1100}, {1, "w@1100", 1200}, {350, "w@1450", 1500}, {49, "", 1500}, {1, "w@1500", 1600}} {
		b.now += step.by
		next, err := b.task.Punctuate()
		if err != nil || next.UnixMilli() != step.next {
			t.Errorf("at %d: next %d, %v; want %d", b.now, next.UnixMilli(), err, step.next)
		}
		l.expect(t, step.want)
	}
}

func TestNothingScheduled(t *testing.T) {
	b := newBench(t, "a").start()
	if next, err := b.task.Punctuate(); !next.IsZero() || err != nil {
		t.Error(next, err)
	}
}

func TestCancelAndScheduleInPunctuators(t *testing.T) {
	b := newBench(t, "a").start()
	var l times
	var cancel func()
	cancel = b.context.Schedule(10, false, func(now int64) error {
		cancel()
		b.context.Schedule(100, false, l.at("inner")) // is due at once
		return l.at("outer")(now)
	})
	never := b.context.Schedule(10, false, l.at("never"))
	never()
	b.add("a", 0, "x@5", "y@50", "z@100")
	b.run()
	l.expect(t, "outer@5 inner@5 inner@100")
}

func TestPunctuatorsInOrder(t *testing.T) {
	b := newBench(t, "a").start()
	var l times
	b.context.Schedule(30, true, l.at("slow"))
	b.context.Schedule(10, true, l.at("fast"))
	b.now += 30
	b.task.Punctuate()
	l.expect(t, "fast@1030 slow@1030")
}

func TestPunctuatorFailure(t *testing.T) {
	for _, wall := range []bool{true, false} {
		b := newBench(t, "a").start()
		b.verdict = plan.Skip
		b.context.Schedule(10, wall, func(int64) error { return errors.New("broken") })
		b.context.Schedule(10, wall, func(int64) error { panic("worse") })
		b.now += 10
		b.add("a", 0, "x@1")
		b.run()
		if _, err := b.task.Punctuate(); err != nil {
			t.Fatal(err)
		}
		if len(b.failures) != 2 || b.failures[0].Record != nil || !strings.Contains(b.failures[1].Error(), "worse") {
			t.Errorf("failures %v", b.failures)
		}
		b.verdict = 0
		b.now += 10
		b.add("a", 1, "x@11", "never@12")
		_, err := b.task.Process(5)
		if wall {
			_, err = b.task.Punctuate()
		}
		if err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("wall %t: the verdict to stop gave %v", wall, err)
		}
		if _, again := b.task.Process(5); again != err {
			t.Errorf("it goes on after a failure: %v", again)
		}
	}
}

// TestIdleWindowClose: stream time goes on with the wall clock, is told to who asked, and is
// committed.
func TestIdleWindowClose(t *testing.T) {
	b := newBench(t, "a", "b")
	b.config.IdleWindowClose = time.Second
	b.start()
	var l times
	b.context.Schedule(1000, false, l.at("stream"))
	b.context.OnIdle(l.at("idle"))
	b.add("a", 0, "x@500")
	b.run()
	l.expect(t, "stream@500")
	punctuate := func() {
		t.Helper()
		if _, err := b.task.Punctuate(); err != nil {
			t.Fatal(err)
		}
	}
	// advance with the ends told for which the task asks.
	advance := func(by int64) {
		t.Helper()
		b.now += by
		punctuate()
		var asked []string
		b.task.Awaited(func(topic string, _ int32) { asked = append(asked, topic) })
		for _, topic := range asked {
			b.task.SetEnd(topic, 1, 0)
		}
		punctuate()
	}
	b.now += 4000
	b.task.SetEnd("dev.a", 1, 1)
	b.task.SetEnd("dev.b", 1, 0)
	b.now += 1000
	punctuate()
	l.expect(t, "stream@4500 idle@4500") // what has come since then is not late
	b.task.Committed()
	advance(0)
	l.expect(t, "stream@5500 idle@5500")
	if !b.task.NeedsCommit() {
		t.Error("nothing to commit")
	}
	advance(100)
	l.expect(t, "idle@5600")
	offsets := b.task.Offsets()
	b.add("a", 1, "y@700")
	b.run()
	if got := b.task.StreamTime(); got != 5600 {
		t.Errorf("stream time went to %d", got)
	}
	advance(999)
	l.expect(t, "")
	advance(1)
	l.expect(t, "stream@6600 idle@6600")

	b.config.Start = offsets
	b.start()
	if got := b.task.StreamTime(); got != 5600 {
		t.Errorf("stream time after a restart %d", got)
	}
}

func TestIdleBeforeTheFirstRecord(t *testing.T) {
	b := newBench(t, "a")
	b.config.IdleWindowClose = time.Second
	b.start()
	b.task.SetEnd("dev.a", 1, 0)
	b.now += 10_000
	if _, err := b.task.Punctuate(); err != nil || b.task.StreamTime() != -1 {
		t.Error(err, b.task.StreamTime())
	}
}

func TestNowIsTheClock(t *testing.T) {
	b := newBench(t, "a").start()
	var seen []int64
	b.process = func(message) error { seen = append(seen, b.context.Now()); return nil }
	b.add("a", 0, "x@1")
	b.run()
	b.now += 5
	b.add("a", 1, "x@1")
	b.run()
	if want := []int64{1000, 1005}; !reflect.DeepEqual(seen, want) {
		t.Errorf("saw %v", seen)
	}
}
