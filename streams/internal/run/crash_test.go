package run

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

var errCrash = errors.New("crash")

// crasher lets a runtime die at a point of its n-th commit from now.
type crasher struct {
	mu    sync.Mutex
	point Point
	after int
	died  chan struct{}
}

func (c *crasher) arm(p Point, after int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.point, c.after, c.died = p, after, make(chan struct{})
}

func (c *crasher) fault(p Point) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.died == nil || p != c.point {
		return nil
	}
	if c.after--; c.after > 0 {
		return nil
	}
	if c.after == 0 {
		close(c.died)
	}
	return errCrash
}

var points = []Point{BeforeFlush, BeforeOffsets, BeforeEnd, AfterEnd, AfterApply}

// TestCrashAtEveryPointOfACommit kills the process, in memory and on a disk in memory, at
// points of commits while records come in: each is counted once all the same.
func TestCrashAtEveryPointOfACommit(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		random := testenv.Rand(t)
		makeTopics(t, k, 3, "in", "out")
		cfg := configure(t, k)
		var crash crasher
		cfg.Fault = crash.fault
		disk := diskWith(t, cfg.StateDir)
		in, out := client(t, k), newOutput(t, k)
		total, crashes := int64(0), 12
		if testing.Short() {
			crashes = 5
		}
		for n := range int64(crashes) {
			cfg.FS = disk
			crash.arm(points[int(n)%len(points)], 1+random.IntN(3))
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
			// What was written survives a kill; what was not in a file does not. A failing machine
			// loses some of the rest.
			disk = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(2) * 100, RNG: rand.New(rand.NewPCG(uint64(n), 1))})
			forget(r)
		}
		crash.arm("never", 0)
		cfg.FS = disk
		r := begin(t, cfg)
		out.await(t, total)
		stop(t, r)
	})
}

// diskWith a folder that is there for good.
func diskWith(t testing.TB, dir string) *vfs.MemFS {
	disk := vfs.NewCrashableMem()
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if err := syncFolder(disk, dir); err != nil {
			t.Fatal(err)
		}
		if dir == filepath.Dir(dir) {
			return disk
		}
	}
}

// forget ends a runtime that has died.
func forget(r *Runtime) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Stop(ctx)
	<-r.Done()
}
