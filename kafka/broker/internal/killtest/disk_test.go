package killtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestFullDisk: clients wait or are refused while the disk is full, and the broker may refuse
// to start on it. When there is room again, all is there that was acknowledged.
func TestFullDisk(t *testing.T) {
	disk := testenv.SmallDisk(t, 48<<20)
	for _, d := range []broker.Durability{broker.Fsync, broker.OS} {
		t.Run(string(d), func(t *testing.T) {
			w := newWorld(t, d, filepath.Join(disk, string(d)))
			fillAndFree(t, w, filepath.Join(disk, "ballast"))
			if err := os.RemoveAll(w.config.DataDir); err != nil {
				t.Error(err)
			}
		})
	}
}

func fillAndFree(t *testing.T, w *world, ballast string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.full = true
	numbers := newSequences(w, "numbers")
	numbers.pace, numbers.size = time.Millisecond, 4000
	numbers.tail = newTail(w, numbers.topic, false)
	kept := []workload{numbers, newTransactions(w), newPositions(w), newVersions(w)}
	w.begin(ctx, append(kept, newWatermarks(w, kept...), newChanges(w))...)
	for range testenv.Sized(2, 20) {
		before := numbers.book.acknowledged()
		testenv.Wait(t, "records to be acknowledged", 10*time.Second, func() bool { return numbers.book.acknowledged() > before+100 })
		fill(t, ballast, w.random.Int64N(1<<20))
		testenv.Wait(t, "the broker to say that the disk is full", 30*time.Second, func() bool {
			return strings.Contains(w.broker.said.String(), "no space left")
		})
		w.end("SIGKILL on a full disk", w.kill)
		w.broker = launch(t, w.config)
		select { // on the full disk it may start or not
		case <-w.broker.serving:
		case <-w.broker.child.Done():
			if said := w.broker.said.String(); !strings.Contains(said, refused) || !strings.Contains(said, "no space left") {
				t.Fatalf("on a full disk the broker said %s", said)
			}
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		w.broker.kill()
		w.start()
	}
	w.finish(ctx)
}

// fill leaves that many bytes free.
func fill(t *testing.T, ballast string, left int64) {
	t.Helper()
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err == nil {
		err = f.Truncate(max(info.Size()-left, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
}
