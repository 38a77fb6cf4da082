package local

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// fault fails operations of the file system.
type fault struct {
	err   error
	first int64 // the first operation that fails
	last  int64
	ops   atomic.Int64
}

func (f *fault) String() string { return fmt.Sprintf("%v from %d to %d", f.err, f.first, f.last) }

func (f *fault) MaybeError(op errorfs.Op) error {
	if f.err == syscall.ENOSPC && !takesSpace(op.Kind) {
		return nil
	}
	if n := f.ops.Add(1); n >= f.first && n <= f.last {
		return &vfsError{op, f.err}
	}
	return nil
}

type vfsError struct {
	op  errorfs.Op
	err error
}

func (e *vfsError) Error() string {
	return fmt.Sprintf("operation %d on %s: %v", e.op.Kind, e.op.Path, e.err)
}
func (e *vfsError) Unwrap() error { return e.err }

func takesSpace(k errorfs.OpKind) bool {
	switch k {
	case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpRename, errorfs.OpMkdirAll, errorfs.OpFilePreallocate:
		return true
	}
	return false
}

const forever = 1 << 40

func TestManyOperationsFail(t *testing.T) { failOperations(t, 1+testenv.Rand(t).Int64N(15), 15) }

func TestEveryOperationFails(t *testing.T) {
	testenv.Full(t)
	failOperations(t, 1, 1)
}

// Whichever operation fails, once or from then on: what is read is right, nothing hangs,
// and what was flushed is there afterwards.
func failOperations(t *testing.T, first, step int64) {
	for _, c := range []struct {
		name string
		err  error
		last func(first int64) int64
	}{
		{"once", syscall.EIO, func(n int64) int64 { return n }},
		{"from then on", syscall.EIO, func(int64) int64 { return forever }},
		{"disk full for a while", syscall.ENOSPC, func(n int64) int64 { return n + 5 }},
		{"disk full", syscall.ENOSPC, func(int64) int64 { return forever }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := first
			for ; !survive(t, &fault{err: c.err, first: n, last: c.last(n)}); n += step {
				if t.Failed() {
					return
				}
			}
			if n < 20+step {
				t.Errorf("only %d operations", n)
			}
			t.Logf("%d operations", n)
		})
	}
}

// survive uses stores on a file system with a fault, and without it afterwards. It is true when
// the fault never happened.
func survive(t *testing.T, f *fault) bool {
	t.Helper()
	mem := vfs.NewMem()
	storesOn(t, mem, 30)
	began := time.Now()
	flushed, discarded := useFaulty(t, errorfs.Wrap(mem, f), f)
	if took := time.Since(began); took > 3*time.Minute { // machines are slow
		t.Errorf("%v: it took %s", f, took)
	}
	o := Options{Dir: "stores", FS: mem, MemoryBytes: 1 << 20, Logger: quiet()}
	o.OnDiscard = func(err error) { t.Errorf("%v: thrown away: %v", f, err) }
	db, err := Open(o)
	if err != nil {
		t.Errorf("%v: open afterwards: %v", f, err)
		return false
	}
	defer db.Close()
	n, err := batchesIn(db)
	if err != nil || n < flushed && !discarded {
		t.Errorf("%v: %d batches of %d flushed, %v", f, n, flushed, err)
	}
	useAnew(t, db, f.String())
	return f.ops.Load() < f.first
}

// useFaulty goes on from 30 batches, until something fails.
func useFaulty(t *testing.T, fs vfs.FS, f *fault) (flushed int64, discarded bool) {
	t.Helper()
	flushed = 30
	var discards atomic.Int32
	o := Options{Dir: "stores", FS: fs, MemoryBytes: 1 << 20, Logger: quiet(), patience: 30 * time.Millisecond}
	o.OnDiscard = func(err error) { discards.Add(1) }
	db, err := Open(o)
	if err != nil {
		return flushed, discards.Load() > 0
	}
	defer func() {
		db.Close()
		discarded = discards.Load() > 0
	}()
	spaces, err := killSpaces(db)
	if err != nil {
		return flushed, false
	}
	for n := int64(31); n <= 150; n++ {
		if err := commitNumber(db.NewBatch(), spaces, n); err != nil {
			return flushed, false
		}
		got, err := batchesIn(db)
		if err == nil && got != n {
			err = fmt.Errorf("%d batches read, %d committed", got, n)
		}
		if err != nil && !errors.Is(err, f.err) && db.Err() == nil {
			t.Errorf("%v: reading: %v", f, err)
		}
		if n%30 == 0 && db.Flush() == nil {
			flushed = n
		}
	}
	return flushed, false
}

// The disk is full for a while: it is said in time, nothing is half written, and it goes
// on when there is space again.
func TestStoreOnFullDisk(t *testing.T) {
	f := &fault{err: syscall.ENOSPC, first: forever, last: forever}
	var full atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && takesSpace(op.Kind) {
			return &vfsError{op, f.err}
		}
		return nil
	}))
	open := func() (*DB, []Space) {
		db, err := Open(Options{Dir: "stores", FS: fs, MemoryBytes: 1 << 20, Logger: quiet(), patience: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		spaces, err := killSpaces(db)
		if err != nil {
			t.Fatal(err)
		}
		return db, spaces
	}
	db, spaces := open()
	n := int64(0)
	commit := func(count int) (err error) {
		for b := db.NewBatch(); count > 0; count-- {
			if err = commitNumber(b, spaces, n+1); err != nil {
				return err
			}
			n++
		}
		return nil
	}
	check := func(when string) {
		t.Helper()
		if got, err := batchesIn(db); got != n || err != nil {
			t.Fatalf("%s: %d batches, want %d: %v", when, got, n, err)
		}
	}
	if err := commit(500); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		full.Store(true)
		if err := commit(10_000); !errors.Is(err, ErrFull) {
			t.Fatalf("on a full disk: %v", err)
		}
		if err := db.Err(); !errors.Is(err, ErrFull) {
			t.Errorf("Err says %v", err)
		}
		check("full")
		full.Store(false)
		testenv.Wait(t, "commits to go on", 20*time.Second, func() bool { return commit(1) == nil })
		if err := commit(500); err != nil {
			t.Fatal(err)
		}
		check("with space again")
		testenv.Wait(t, "Err to be nil", 20*time.Second, func() bool { return db.Err() == nil })
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, spaces = open()
	defer db.Close()
	check("opened again")
}
