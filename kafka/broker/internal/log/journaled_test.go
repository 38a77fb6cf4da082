package log_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// TestJournaledCrashes is TestCrashes with a journal, which acknowledges each append: it
// is there whatever of the log's own files is lost.
func TestJournaledCrashes(t *testing.T) {
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			rnd := testenv.Rand(t)
			for range testenv.Sized(2, 200) {
				journaledCrashes(t, rnd, config)
			}
		})
	}
}

// cut is a file system that a power cut left, and what was acknowledged before it.
type cut struct {
	op   simfs.Op
	left *simfs.FS
	acknowledged
}

func journaledCrashes(t *testing.T, rnd *rand.Rand, config log.Config) {
	t.Helper()
	fs := simfs.New()
	w := newWorld(rnd, fs, config)
	w.journaled = true
	must(t, w.open())
	var mu sync.Mutex
	var cuts []cut
	own := rand.New(rand.NewPCG(rnd.Uint64(), 0))
	fs.Hook(func(op simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if own.IntN(10) == 0 {
			promised := w.promised()
			cuts = append(cuts, cut{op, fs.Crash(own), promised})
		}
		return nil
	})
	for range 120 {
		must(t, w.step())
		mu.Lock()
		found := cuts
		cuts = nil
		mu.Unlock()
		for _, c := range found {
			if _, err := w.given(c.acknowledged).reopened(c.left); err != nil {
				t.Fatalf("crash at operation %d (%s %s): %v", c.op.Index, c.op.Kind, c.op.Name, err)
			}
		}
	}
	fs.Hook(nil)
	must(t, w.close())
	_, err := w.reopened(fs.Crash(rnd))
	must(t, err)
}

// TestJournaledFailures fails operations: what was acknowledged before and after is there.
func TestJournaledFailures(t *testing.T) {
	rnd := testenv.Rand(t)
	step := testenv.Sized(23, 1)
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			for i := rnd.IntN(step); journaledFailure(t, rnd, i, config); i += step {
			}
		})
	}
}

func journaledFailure(t *testing.T, rnd *rand.Rand, i int, config log.Config) bool {
	t.Helper()
	fs := simfs.New()
	w := newWorld(rnd, fs, config)
	w.journaled = true
	var mu sync.Mutex
	hit, alone := false, rnd.IntN(2) == 0
	fs.Hook(func(op simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Index == i || op.Index > i && !alone {
			hit = true
			return syscall.EIO
		}
		return nil
	})
	err := w.open()
	for n := 0; n < 80 && err == nil; n++ {
		if err = w.step(); err != nil && w.log.Failed() == nil && w.journal.Failed() == nil && errors.Is(err, syscall.EIO) {
			err = nil
		}
	}
	if err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatalf("operation %d failed (alone %v), and then: %v", i, alone, err)
	}
	if w.journal != nil {
		_ = w.journal.Close()
	}
	fs.Hook(nil)
	for range 3 {
		if _, err := w.reopened(fs.Crash(rnd)); err != nil {
			t.Fatalf("operation %d failed (alone %v), and then: %v", i, alone, err)
		}
	}
	return hit
}
