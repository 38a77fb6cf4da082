package commit_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// TestOverlappingSyncs holds a sync until another, which began later, has ended: that group is
// acknowledged after the one before it, or not at all where that one fails.
func TestOverlappingSyncs(t *testing.T) {
	for _, failure := range []error{nil, syscall.EIO} {
		fs := simfs.New()
		b, err := open(fs, commit.Options{Overlap: 1}, partitions, 1<<20)
		must(t, err)
		held, second, release := holdFirstSync(fs, failure)
		acknowledged := make(chan error, 2)
		go func() { _, err := b.send(0, one(0, 0)); acknowledged <- err }()
		<-held
		go func() { _, err := b.send(1, one(1, 0)); acknowledged <- err }()
		<-second
		if high := b.logs[key(1)].Offsets().HighWatermark; high != 0 || len(acknowledged) > 0 {
			t.Errorf("the second group is acknowledged before the first: high watermark %d", high)
		}
		close(release)
		for range 2 {
			if err := <-acknowledged; !errors.Is(err, failure) {
				t.Errorf("the first sync gave %v, an append %v", failure, err)
			}
		}
		if err := b.close(); !errors.Is(err, failure) {
			t.Error(err)
		}
	}
}

// holdFirstSync has the first sync wait for release and then return failure. held and second are
// closed when the first and the second begin.
func holdFirstSync(fs *simfs.FS, failure error) (held, second, release chan struct{}) {
	held, second, release = make(chan struct{}), make(chan struct{}), make(chan struct{})
	var syncs atomic.Int32
	fs.Hook(func(op simfs.Op) error {
		if op.Kind != "sync" {
			return nil
		}
		switch syncs.Add(1) {
		case 1:
			close(held)
			<-release
			return failure
		case 2:
			close(second)
		}
		return nil
	})
	return held, second, release
}

// TestRetryOfWhatFails is sent while the first sync is held, which fails: the retry has nothing
// of its own to sync, and yet is not acknowledged.
func TestRetryOfWhatFails(t *testing.T) {
	for range 30 {
		fs := simfs.New()
		b, err := open(fs, commit.Options{Overlap: 1}, partitions, 1<<20)
		must(t, err)
		held, second, release := holdFirstSync(fs, syscall.EIO)
		acknowledged := make(chan error, 3)
		send := func(partition int) { _, err := b.send(partition, one(int64(partition), 0)); acknowledged <- err }
		go send(0)
		<-held
		go send(0)
		go send(1)
		<-second
		close(release)
		for range 3 {
			if err := <-acknowledged; !errors.Is(err, syscall.EIO) {
				t.Fatalf("acknowledged with %v", err)
			}
		}
		_ = b.close()
	}
}

// TestForgottenWrites: a system that failed to write a file takes what it has of it in memory
// for written. It is read from there after a restart, and must not be gone with the power.
func TestForgottenWrites(t *testing.T) {
	rnd := testenv.Rand(t)
	fs := simfs.New()
	b, err := open(fs, small, partitions, 1<<20)
	must(t, err)
	a := &acked{last: map[int64]ack{}}
	fs.Hook(func(op simfs.Op) error {
		if op.Kind == "sync" && strings.HasSuffix(op.Name, ".log") {
			return syscall.EIO
		}
		return nil
	})
	if err := b.produce(0, 0, 1000, a); !errors.Is(err, syscall.EIO) {
		t.Fatalf("the journal goes on: %v", err)
	}
	fs.Hook(nil)
	left := fs.Kill()
	again, err := open(left, small, partitions, 1<<20)
	must(t, err)
	must(t, check(again, a.get()))
	for range 20 {
		verify(t, left.Crash(rnd), a.get())
	}
}

// TestCrashAfterCrash takes the power again and again, of what the time before has left.
func TestCrashAfterCrash(t *testing.T) {
	rnd := testenv.Rand(t)
	for range testenv.Sized(40, 2000) {
		fs, a, id := simfs.New(), &acked{last: map[int64]ack{}}, int64(100)
		for range 8 {
			b, err := open(fs, small, partitions, 2000)
			must(t, err)
			must(t, check(b, a.get()))
			before, known := fs.Crash(rnd), a.get()
			at, then := fs.Ops()+rnd.IntN(60), rand.New(rand.NewPCG(rnd.Uint64(), 0)) // not shared
			fs.Hook(func(op simfs.Op) error {
				if op.Index == at {
					before, known = fs.Crash(then), a.get()
				}
				return nil
			})
			for range 3 {
				id++
				must(t, b.produce(id, 0, rnd.Int32N(6), a))
			}
			fs.Hook(nil)
			must(t, b.close())
			fs, a = before, &acked{last: known}
		}
	}
}

// TestFullDiskForAMoment: where the logs are synced, and this cannot be noted, the journal goes on.
func TestFullDiskForAMoment(t *testing.T) {
	fs := simfs.New()
	b, err := open(fs, small, partitions, 1<<20)
	must(t, err)
	a := &acked{last: map[int64]ack{}}
	var failed atomic.Int32 // the logs are synced beside appends
	fs.Hook(func(op simfs.Op) error {
		if op.Kind == "create" && strings.Contains(op.Name, "checkpoint") {
			failed.Add(1)
			return syscall.ENOSPC
		}
		return nil
	})
	must(t, b.produce(0, 0, 200, a))
	fs.Hook(nil)
	if failed.Load() == 0 {
		t.Error("the disk was never full")
	}
	must(t, b.produce(0, 200, 100, a))
	verify(t, fs.Kill(), a.get())
	must(t, b.close())
}
