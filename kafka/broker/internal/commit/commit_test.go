package commit_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

const producers = 6

// small files and segments, so that all is rolled and used again; overlapping is the same
// with a sync beside any other.
var (
	small       = commit.Options{FileBytes: 3000, GroupBytes: 600, Overlap: -1}
	overlapping = commit.Options{FileBytes: 3000, GroupBytes: 600, Overlap: 1}
)

// TestCrashes cuts the power again and again while producers wait for acknowledgements.
func TestCrashes(t *testing.T) {
	rnd := testenv.Rand(t)
	fs := simfs.New()
	a := &acked{last: map[int64]ack{}}
	for i := range testenv.Sized(2, 30) {
		fs = crashes(t, rnd, fs, a, []commit.Options{overlapping, small}[i%2])
	}
}

// crashes returns one of the file systems that were left, with what was acknowledged
// before it in a.
func crashes(t *testing.T, rnd *rand.Rand, fs *simfs.FS, a *acked, opts commit.Options) *simfs.FS {
	t.Helper()
	b, err := open(fs, opts, partitions, 2000)
	must(t, err)
	var mu sync.Mutex
	left, leftAcked := fs.Crash(rnd), a.get()
	fs.Hook(func(simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if rnd.IntN(40) > 0 {
			return nil
		}
		want := a.get()
		left, leftAcked = fs.Crash(rnd), want
		verify(t, left.Crash(rnd), want)
		return nil
	})
	from := a.get()
	var all sync.WaitGroup
	for id := range int64(producers) {
		all.Go(func() {
			first := int32(0)
			if last, ok := from[id]; ok {
				first = last.sequence + 1
			}
			if err := b.produce(id, first, 40, a); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	must(t, b.close())
	fs.Hook(nil)
	if rnd.IntN(2) == 0 { // then the logs have all
		must(t, commit.Remove(fs, "/data/journal"))
	}
	verify(t, fs.Crash(rnd), a.get())
	if rnd.IntN(2) == 0 {
		return fs.Crash(rnd)
	}
	a.last = leftAcked
	settle(t, left, a)
	return left
}

// settle learns what a crash left beyond what was acknowledged, by sending it again.
func settle(t *testing.T, fs *simfs.FS, a *acked) {
	t.Helper()
	b, err := open(fs, small, partitions, 2000)
	must(t, err)
	for id := range int64(producers) {
		for _, l := range b.logs {
			for _, p := range l.Producers() {
				if p.ID == id {
					a.last[id] = ack{int(id % partitions), p.LastSequence, 0}
				}
			}
		}
		if last, ok := a.last[id]; ok {
			at, err := b.send(last.partition, one(id, last.sequence))
			must(t, err)
			a.last[id] = ack{last.partition, last.sequence, at.Base}
		}
	}
	must(t, b.close())
}

func verify(t *testing.T, fs *simfs.FS, want map[int64]ack) {
	b, err := open(fs, small, partitions, 2000)
	if err == nil {
		err = check(b, want)
	}
	if err == nil && len(b.recovery.Kept) > 0 {
		err = errors.New("a journal file was found damaged")
	}
	if err != nil {
		t.Error(err)
		return
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
}

// TestEveryFailure fails each operation in turn: nothing is acknowledged that is not
// there after a crash.
func TestEveryFailure(t *testing.T) {
	rnd := testenv.Rand(t)
	step := testenv.Sized(9, 1)
	for i := rnd.IntN(step); ; i += step {
		fs := simfs.New()
		var hit atomic.Bool
		alone, opts := rnd.IntN(2) == 0, []commit.Options{overlapping, small}[rnd.IntN(2)]
		fs.Hook(func(op simfs.Op) error {
			if op.Index == i || op.Index > i && !alone {
				hit.Store(true)
				return syscall.EIO
			}
			return nil
		})
		a := &acked{last: map[int64]ack{}}
		work(t, fs, a, opts)
		fs.Hook(nil)
		for range 3 {
			verify(t, fs.Crash(rnd), a.get())
		}
		if t.Failed() {
			t.Fatalf("operation %d failed, alone %v, %+v", i, alone, opts)
		}
		if !hit.Load() {
			return
		}
	}
}

func work(t *testing.T, fs *simfs.FS, a *acked, opts commit.Options) {
	b, err := open(fs, opts, partitions, 2000)
	if err != nil {
		if !errors.Is(err, syscall.EIO) {
			t.Error(err)
		}
		return
	}
	var all sync.WaitGroup
	for id := range int64(producers) {
		all.Go(func() {
			if err := b.produce(id, 0, 25, a); err != nil && !errors.Is(err, syscall.EIO) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := b.close(); err != nil && !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
}

// TestNothingIsAcknowledgedAfterAFailedSync: the kernel reports it once and may have
// dropped the data.
func TestNothingIsAcknowledgedAfterAFailedSync(t *testing.T) {
	fs := simfs.New()
	b, err := open(fs, commit.Options{}, partitions, 1<<20)
	must(t, err)
	_, err = b.send(0, one(0, 0))
	must(t, err)
	var failed atomic.Bool
	fs.Hook(func(op simfs.Op) error {
		if op.Kind == "sync" && failed.CompareAndSwap(false, true) {
			return syscall.EIO
		}
		return nil
	})
	for s, p := range []int{0, 0, 1, 2} {
		if _, err := b.send(p, one(int64(p), int32(s+1))); err == nil {
			t.Errorf("append %d was acknowledged", s)
		}
	}
	if err := b.journal.Failed(); !errors.Is(err, commit.ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Errorf("the journal says %v", err)
	}
	if got := b.logs[key(0)].Offsets(); got.HighWatermark != 1 {
		t.Errorf("%+v", got)
	}
	if b.logs[key(0)].Failed() == nil {
		t.Error("the log goes on")
	}
}

// TestOneSyncIsForAll holds a sync until many appends wait: the next one is for all.
func TestOneSyncIsForAll(t *testing.T) {
	fs := simfs.New()
	b, err := open(fs, commit.Options{Overlap: -1}, partitions, 1<<20)
	must(t, err)
	held, release := make(chan struct{}), make(chan struct{})
	var syncs atomic.Int32
	fs.Hook(func(op simfs.Op) error {
		if op.Kind == "sync" && syncs.Add(1) == 1 {
			close(held)
			<-release
		}
		return nil
	})
	a := &acked{last: map[int64]ack{}}
	var all sync.WaitGroup
	all.Go(func() { _ = b.produce(100, 0, 1, a) })
	<-held
	for id := range int64(64) {
		all.Go(func() {
			if err := b.produce(id, 0, 1, a); err != nil {
				t.Error(err)
			}
		})
	}
	waiting := func() (n int64) {
		for _, l := range b.logs {
			n += l.Offsets().Next
		}
		return n
	}
	testenv.Wait(t, "all to be appended", 1e9, func() bool { return waiting() == 65 })
	close(release)
	all.Wait()
	if n := syncs.Load(); n > 3 {
		t.Fatalf("%d syncs for 65 appends", n)
	}
	must(t, b.close())
}

// TestModes: in the modes os and memory there is no sync on the way.
func TestModes(t *testing.T) {
	for _, name := range []string{"os", "memory"} {
		mode, err := commit.ParseMode(name)
		must(t, err)
		fs := simfs.New()
		b, err := open(fs, commit.Options{Mode: mode}, partitions, 1<<20)
		must(t, err)
		fs.Hook(func(op simfs.Op) error {
			if op.Kind == "sync" {
				t.Error("a sync")
			}
			return nil
		})
		a := &acked{last: map[int64]ack{}}
		must(t, b.produce(1, 0, 20, a))
		fs.Hook(nil)
		verify(t, fs.Kill(), a.get())
		must(t, check(b, a.get()))
	}
	if _, err := commit.ParseMode("fast"); err == nil {
		t.Error("an unknown mode is taken")
	}
}

// TestRemovedJournal: after a clean stop there is nothing to read.
func TestRemovedJournal(t *testing.T) {
	fs := simfs.New()
	b, err := open(fs, small, partitions, 2000)
	must(t, err)
	a := &acked{last: map[int64]ack{}}
	must(t, b.produce(0, 0, 60, a))
	must(t, errors.Join(b.close(), commit.Remove(fs, "/data/journal")))
	again, err := open(fs, small, partitions, 2000)
	must(t, err)
	if again.recovery.Batches != 0 {
		t.Errorf("%d batches were read", again.recovery.Batches)
	}
	must(t, check(again, a.get()))
}

// TestDamagedJournalFileIsKept flips a byte in a file that another follows.
func TestDamagedJournalFileIsKept(t *testing.T) {
	fs := simfs.New()
	b, err := open(fs, commit.Options{FileBytes: 2000}, partitions, 1<<20)
	must(t, err)
	a := &acked{last: map[int64]ack{}}
	must(t, b.produce(0, 0, 30, a))
	left := fs.Kill()
	names, err := left.ReadDir("/data/journal")
	must(t, err)
	if len(names) < 2 {
		t.Fatalf("the journal is %q", names)
	}
	must(t, left.Flip("/data/journal/"+names[len(names)-2], 40, 1))
	again, err := open(left, commit.Options{}, partitions, 1<<20)
	must(t, err)
	if len(again.recovery.Kept) != 1 {
		t.Fatalf("of %q were kept %q", names, again.recovery.Kept)
	}
	must(t, check(again, a.get()))
}

var _ vfs.FS = (*simfs.FS)(nil)
