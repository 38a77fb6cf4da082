package run

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// TestRestartAfterAKillReplaysOnlyTheDelta: what was flushed to disk is not read again.
func TestRestartAfterAKillReplaysOnlyTheDelta(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 1, "in", "out")
		cfg := configure(t, k)
		replayed := make(chan int64, 10)
		cfg.Restored = func(records int64) { replayed <- records }
		in, out := client(t, k), newOutput(t, k)
		r := begin(t, cfg)
		for n := range int64(20) {
			feed(t, k, in, 100)
			out.await(t, (n+1)*100)
		}
		if err := r.db.Flush(); err != nil {
			t.Fatal(err)
		}
		feed(t, k, in, 10) // this is not in a file yet
		out.await(t, 2010)
		cfg.StateDir = copyOf(t, cfg.StateDir) // as a kill would leave it
		forget(r)
		begin(t, cfg)
		feed(t, k, in, 10)
		out.await(t, 2020)
		<-replayed // of the first start
		if n := <-replayed; n > 20 {
			t.Errorf("%d records were replayed", n)
		}
	})
}

// TestStandbyTakesOver: who has followed needs next to nothing.
func TestStandbyTakesOver(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		cfg := configure(t, k)
		cfg.Standbys = 1
		in, out := client(t, k), newOutput(t, k)
		first := begin(t, cfg)
		awaitRunning(t, first)
		feed(t, k, in, 1000)
		out.await(t, 1000)
		second := begin(t, another(t, cfg))
		testenv.Wait(t, "each has a task and a standby", 60*time.Second, func() bool {
			for _, r := range []*Runtime{first, second} {
				if s := r.Stores("counts"); len(s) != 2 || !s[0].Ready || !s[1].Ready || s[0].Active == s[1].Active {
					return false
				}
			}
			return true
		})
		feed(t, k, in, 1000)
		out.await(t, 2000)
		stop(t, first)
		testenv.Wait(t, "both tasks at the second", 60*time.Second, func() bool {
			s := second.Stores("counts")
			return len(s) == 2 && s[0].Active && s[1].Active && s[0].Ready && s[1].Ready
		})
		feed(t, k, in, 1000)
		out.await(t, 3000)
	})
}

// TestStaticMemberComesBack: the others notice nothing.
func TestStaticMemberComesBack(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 4, "in", "out")
		cfg := configure(t, k)
		cfg.SessionTimeout = 20 * time.Second
		cfg.InstanceID = "a"
		other := another(t, cfg)
		other.InstanceID = "b"
		in, out := client(t, k), newOutput(t, k)
		a, b := begin(t, cfg), begin(t, other)
		testenv.Wait(t, "two tasks each", 60*time.Second, func() bool { return len(a.tasks.stats()) == 2 && len(b.tasks.stats()) == 2 })
		awaitRunning(t, a, b)
		feed(t, k, in, 100)
		out.await(t, 100)
		kept := b.tasks.snapshot()
		_, generation := b.group.client.GroupMetadata()
		stop(t, a)
		a = begin(t, cfg)
		awaitRunning(t, a, b)
		feed(t, k, in, 100)
		out.await(t, 200)
		// The in-process broker makes a new generation, in which everybody keeps what they have.
		if _, now := b.group.client.GroupMetadata(); k.Prefix != "" && now != generation {
			t.Errorf("generation %d became %d", generation, now)
		}
		if len(a.tasks.stats()) != 2 || !maps.Equal(kept, b.tasks.snapshot()) {
			t.Error("tasks have moved")
		}
	})
}

// TestLateCommitIsNotApplied: whose task is another's by now is refused, and its store keeps to
// what it had. Nor does it answer queries then.
func TestLateCommitIsNotApplied(t *testing.T) {
	for _, exactlyOnce := range []bool{true, false} {
		t.Run(fmt.Sprint("exactly once ", exactlyOnce), func(t *testing.T) {
			k := kafkatestConfig(t)
			makeTopics(t, k, 1, "in", "out")
			cfg := configure(t, k)
			cfg.ExactlyOnce = exactlyOnce
			var r *Runtime
			var late, applied atomic.Bool
			begun, before := false, int64(0) // the worker's own
			offset := func() int64 {
				n, _ := r.Stores("counts")[0].Space.Offset()
				return n
			}
			cfg.Fault = func(p Point) error {
				switch {
				case p == BeforeFlush:
					begun, before = late.Load(), offset()
				case !begun, p == BeforeEnd:
				case p == BeforeOffsets:
					applied.Store(applied.Load() || offset() != before)
					r.group.session.Add(1) // the group has given the process up
				default: // it was not refused
					applied.Store(true)
				}
				return nil
			}
			r = New(cfg)
			if err := r.Start(deadline(t)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Stop(context.Background()) })
			awaitRunning(t, r)
			in, out := client(t, k), newOutput(t, k)
			feed(t, k, in, 100)
			out.await(t, 100)
			late.Store(true)
			feed(t, k, in, 10)
			testenv.Wait(t, "the refusal", 30*time.Second, func() bool { return r.meter.aborts.Load() > 0 })
			if applied.Load() {
				t.Error("the store went on")
			}
		})
	}
}

// TestGivenUpWhileItStops: others get tasks after the last commit, and one that is made later is refused.
func TestGivenUpWhileItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id := plan.TaskID{Sub: 0, Partition: 1}
		ts := newTasks(nil)
		o := &owned{id: id, phase: running, cancel: func() {}}
		ts.all[id] = o
		ts.stop()
		var left atomic.Bool
		go func() {
			ts.remove(t.Context(), []plan.TaskID{id}, true)
			left.Store(true)
		}()
		synctest.Wait()
		if left.Load() {
			t.Error("it did not wait for the last commit")
		}
		ts.finish()
		synctest.Wait()
		if !left.Load() || o.phase != gone {
			t.Errorf("it waits on, or may commit still: phase %d", o.phase)
		}
	})
}

// TestSlowRecords: commits come in time also where a record takes long.
func TestSlowRecords(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 4, "in", "out")
	var recs []*kgo.Record
	for i := range 300 {
		recs = append(recs, &kgo.Record{Topic: k.Topic("in"), Key: fmt.Append(nil, i), Value: []byte("slow")})
	}
	if err := client(t, k).ProduceSync(deadline(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	out := newOutput(t, k)
	r := begin(t, unhurried(t, k))
	out.await(t, 300)
	if n := r.meter.commits.Load(); n < 100 { // some, if it were as many records at a time as usual
		t.Errorf("%d commits of 300 slow records", n)
	}
}

func TestAtLeastOnceLosesNothing(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		cfg := configure(t, k)
		cfg.ExactlyOnce = false
		var crash crasher
		cfg.Fault = crash.fault
		in := client(t, k)
		var total int64
		for _, p := range []Point{BeforeFlush, BeforeOffsets, AfterApply} {
			crash.arm(p, 2)
			r := begin(t, cfg)
			for dead := false; !dead; {
				feed(t, k, in, 100)
				total += 100
				select {
				case <-crash.died:
					dead = true
				case <-time.After(5 * time.Millisecond):
				}
			}
			forget(r)
		}
		crash.arm("never", 0)
		begin(t, cfg)
		highest := map[string]int64{}
		out := newOutput(t, k)
		for done := false; !done; {
			fetches := out.client.PollFetches(deadline(t))
			if err := fetches.Err(); err != nil {
				t.Fatalf("%v of %d: %v", highest, total, err)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				highest[string(r.Key)] = max(highest[string(r.Key)], int64(binary.BigEndian.Uint64(r.Value)))
			})
			done = len(highest) == 10
			for _, n := range highest {
				done = done && n >= total/10
			}
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 2, "in", "out")
	in, out := client(t, k), newOutput(t, k)
	r := begin(t, configure(t, k))
	feed(t, k, in, 100)
	out.await(t, 100)
	r.Pause()
	before := r.meter.records.Load()
	feed(t, k, in, 100)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if f := out.client.PollFetches(ctx); f.NumRecords() > 0 || r.meter.records.Load() != before || !r.Stats().Paused {
		t.Errorf("paused, it made %d outputs", f.NumRecords())
	}
	testenv.Wait(t, "a lag of 100 while it is paused", 30*time.Second, func() bool {
		var lag int64
		for _, task := range r.Stats().Tasks {
			lag += task.Lag
		}
		return lag == 100
	})
	r.Resume()
	out.await(t, 200)
}

// copyOf a folder as it is, whose files may be removed meanwhile.
func copyOf(t testing.TB, dir string) string {
	for {
		to := t.TempDir()
		err := os.CopyFS(to, os.DirFS(dir))
		if err == nil {
			return to
		}
		if !errors.Is(err, fs.ErrNotExist) || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

func (ts *tasks) snapshot() map[plan.TaskID]*owned {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return maps.Clone(ts.all)
}
