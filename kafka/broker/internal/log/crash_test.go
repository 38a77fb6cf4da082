package log_test

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

var configs = map[string]log.Config{
	"deleted":   {SegmentBytes: 800, RetentionTime: 2 * time.Second, SegmentAge: time.Second},
	"compacted": {SegmentBytes: 800, Compact: true, SegmentAge: time.Second, DeleteRetention: 200 * time.Millisecond},
}

// TestCrashes cuts the power at many operations of random work. After each, what was
// acknowledged is there once and in order, and no retry is appended.
func TestCrashes(t *testing.T) {
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			rnd := testenv.Rand(t)
			for range testenv.Sized(2, 300) {
				crashes(t, rnd, config)
			}
		})
	}
}

func crashes(t *testing.T, rnd *rand.Rand, config log.Config) {
	t.Helper()
	fs := simfs.New()
	w := newWorld(rnd, fs, config)
	must(t, w.open())
	fs.Hook(func(op simfs.Op) error {
		if rnd.IntN(8) == 0 {
			if _, err := w.reopened(fs.Crash(rnd)); err != nil {
				t.Fatalf("crash at operation %d (%s %s): %v", op.Index, op.Kind, op.Name, err)
			}
		}
		return nil
	})
	for range 150 {
		must(t, w.step())
	}
	must(t, w.check(w.log))
	must(t, w.log.Close())
	w.acknowledge()
	fs.Hook(nil)
	for _, left := range []*simfs.FS{fs.Crash(rnd), fs.Kill()} {
		l, err := w.reopened(left)
		must(t, err)
		if r := l.Report(); r.Scanned > 0 || len(r.Truncated) > 0 {
			t.Fatalf("closed, and opening found %+v", r)
		}
	}
}

// TestKills ends the process at many operations: nothing that was written is lost.
func TestKills(t *testing.T) {
	rnd := testenv.Rand(t)
	fs := simfs.New()
	w := newWorld(rnd, fs, configs["deleted"])
	must(t, w.open())
	for range testenv.Sized(300, 3000) {
		must(t, w.step())
		if rnd.IntN(20) == 0 {
			w.fs = fs.Kill()
			w.acknowledge()
			must(t, w.log.Checkpoint())
			fs = w.fs.(*simfs.FS)
			must(t, w.open())
			must(t, w.check(w.log))
		}
	}
}

// TestEveryFailure fails each operation in turn, with its following ones or alone. The
// log says so or is right, and opens to what was acknowledged.
func TestEveryFailure(t *testing.T) {
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			rnd := testenv.Rand(t)
			seed := rnd.Uint64()
			step := testenv.Sized(11, 1)
			for i := rnd.IntN(step); ; i += step {
				if !failing(t, seed, i, config, rnd) {
					break
				}
			}
		})
	}
}

func failing(t *testing.T, seed uint64, i int, config log.Config, rnd *rand.Rand) (hit bool) {
	t.Helper()
	fs := simfs.New()
	w := newWorld(rand.New(rand.NewPCG(seed, 0)), fs, config)
	alone, full := rnd.IntN(2) == 0, rnd.IntN(2) == 0
	fs.Hook(func(op simfs.Op) error {
		if op.Index == i || op.Index > i && !alone {
			hit = true
			if full {
				return syscall.ENOSPC
			}
			return syscall.EIO
		}
		return nil
	})
	if err := w.open(); err == nil {
		for range 80 {
			if err := w.step(); err != nil {
				if !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("operation %d failed, and then: %v", i, err)
				}
				if w.log.Failed() != nil {
					break
				}
			}
		}
	} else if !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("operation %d failed, and then: %v", i, err)
	}
	fs.Hook(nil)
	for _, left := range []*simfs.FS{fs.Kill(), fs.Crash(rnd), fs.Crash(rnd)} {
		if _, err := w.reopened(left); err != nil {
			t.Fatalf("operation %d failed (alone %v), and then: %v", i, alone, err)
		}
	}
	return hit
}
