package projection_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

// Of rebuilds begun at once in two processes one runs, and the view it makes is
// complete.
func TestRebuildTwiceAtOnce(t *testing.T) { everywhere(t, testRebuildTwiceAtOnce) }

func testRebuildTwiceAtOnce(t *testing.T, db storage.DB) {
	w := newWriter(t, db)
	ids := entities(20)
	w.append(ids...)
	var both [2]*projection.Projection[storage.Tx]
	for n := range both {
		both[n] = start(t, db, db, rebuildConfig("letters-view", 2))
	}
	for range 3 {
		w.append(ids...)
		var errs [2]error
		var begun sync.WaitGroup
		for n, p := range both {
			begun.Go(func() { errs[n] = p.Rebuild(t.Context()) })
		}
		begun.Wait()
		if errs[0] == nil {
			errs[0], errs[1] = errs[1], errs[0]
		}
		if errs[1] != nil || !errors.Is(errs[0], projection.ErrRebuilding) {
			t.Fatalf("begun twice: %v, %v", errs[0], errs[1])
		}
		w.waitView()
		spoil(t, db, ids[3])
		if err := both[0].Swap(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.append(ids...)
		w.waitView()
	}
}

// slowCopies waits before it copies tables.
type slowCopies struct {
	storage.DB
	asked, goOn chan struct{}
}

func (s slowCopies) CopyTables(ctx context.Context, tables []string, suffix string) error {
	close(s.asked)
	<-s.goOn
	return s.DB.CopyTables(ctx, tables, suffix)
}

// While the copies are made nobody writes to them or begins another rebuild; where
// somebody cancels that, the one whose copies were replaced ends.
func TestRebuildBeingPrepared(t *testing.T) { everywhere(t, testRebuildBeingPrepared) }

func testRebuildBeingPrepared(t *testing.T, db storage.DB) {
	w := newWriter(t, db)
	w.append(entities(5)...)
	p := start(t, db, db, rebuildConfig("letters-view", 1))
	for _, cancelled := range []bool{false, true} {
		slow := slowCopies{db, make(chan struct{}), make(chan struct{})}
		other, err := projection.New(slow, db, rebuildConfig("letters-view", 1))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- other.Rebuild(t.Context()) }()
		<-slow.asked
		if err := p.Rebuild(t.Context()); !errors.Is(err, projection.ErrRebuilding) {
			t.Errorf("a second one: %v", err)
		}
		if err := p.Swap(t.Context()); !errors.Is(err, projection.ErrNoRebuild) {
			t.Errorf("swap: %v", err)
		}
		w.append(entities(5)...)
		w.waitView()
		if rebuilt(p) {
			t.Error("the rebuild has begun without its copies")
		}
		if cancelled {
			must(t, p.CancelRebuild(t.Context()))
			must(t, p.Rebuild(t.Context()))
			wait(t, "the second rebuild", func() bool { return rebuilt(p) })
		}
		close(slow.goOn)
		if err := <-done; (err != nil) != cancelled {
			t.Fatalf("cancelled %v: %v", cancelled, err)
		}
		if cancelled {
			if err := p.Swap(t.Context()); !errors.Is(err, projection.ErrNoRebuild) {
				t.Errorf("the copies were replaced, swap: %v", err)
			}
			continue
		}
		must(t, p.Swap(t.Context()))
		w.append(entities(5)...)
		w.waitView()
	}
	wait(t, "the projection to be healthy", func() bool { return p.Health() == nil })
}

// What fails while it is prepared leaves nothing, or can be cancelled.
func TestRebuildFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := range 4 {
			db := openSQLite(t)
			faulty := storagetest.Faulty(db, storagetest.Fault{At: at, After: after})
			p, err := projection.New(storage.DB(faulty), db, rebuildConfig("letters-view", 1))
			must(t, err)
			if err := p.Rebuild(t.Context()); (err == nil) != (at == 0) {
				t.Errorf("fault at %d: %v", at, err)
			}
			if errors.Is(p.Rebuild(t.Context()), projection.ErrRebuilding) {
				must(t, p.CancelRebuild(t.Context()))
				must(t, p.Rebuild(t.Context()))
			}
		}
	}
}

// A swap whose answer is lost has happened, and one that failed is tried again.
func TestSwapFails(t *testing.T) { everywhere(t, testSwapFails) }

func testSwapFails(t *testing.T, db storage.DB) {
	w := newWriter(t, db)
	ids := entities(5)
	for _, after := range []bool{false, true} {
		w.append(ids...)
		faulty := storagetest.Faulty(db, storagetest.Fault{At: 1, After: after, Only: "SwapTables"})
		p := start(t, storage.DB(faulty), db, rebuildConfig("letters-view", 1))
		w.waitView()
		must(t, p.Rebuild(t.Context()))
		wait(t, "the rebuild", func() bool { return rebuilt(p) })
		spoil(t, db, ids[3])
		if err := p.Swap(t.Context()); err != nil {
			t.Errorf("lost after %v: %v", after, err)
		}
		if _, ok := faulty.Happened(); !ok {
			t.Error("nothing failed")
		}
		w.append(ids...)
		w.waitView()
		stop(t, p)
	}
}

// behind is the database of a process that can neither swap nor say that it ends.
type behind struct{ storage.DB }

func (behind) SwapTables(context.Context, []string, string, string, string) error {
	return projection.ErrBehind
}

func (b behind) Beat(ctx context.Context, name, worker string, ttl time.Duration) ([]string, error) {
	if ttl == 0 {
		return nil, errors.New("cut off")
	}
	return b.DB.Beat(ctx, name, worker, ttl)
}

// A swap that has to wait holds the live view, but not for longer than its process
// lives.
func TestSwapIsKilled(t *testing.T) { everywhere(t, testSwapIsKilled) }

func testSwapIsKilled(t *testing.T, db storage.DB) {
	w := newWriter(t, db)
	ids := entities(5)
	w.append(ids...)
	p := start(t, db, db, rebuildConfig("letters-view", 1))
	must(t, p.Rebuild(t.Context()))
	swapper, err := projection.New(storage.DB(behind{db}), db, rebuildConfig("letters-view", 1))
	must(t, err)
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	done := make(chan error, 1)
	go func() { done <- swapper.Swap(ctx) }()
	wait(t, "the live view to be held", func() bool {
		w.append(ids...)
		return p.Stats().Paused
	})
	wait(t, "the rebuild to go on", func() bool { return rebuilt(p) })
	kill()
	if err := <-done; !errors.Is(err, projection.ErrBehind) || !errors.Is(err, context.Canceled) {
		t.Errorf("swap: %v", err)
	}
	w.append(ids...)
	w.waitView()
	must(t, p.Swap(t.Context()))
	w.append(ids...)
	w.waitView()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
