package faults_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
	"golang.org/x/sys/unix"
)

// logWatch tells a program's trap of each write to its SQLite's log. The kernel
// tells it just after the write, so a kill strikes there or some microseconds
// later: at the commit's end, between two commits, or within the next.
type logWatch struct {
	fd   int
	file *os.File
	done sync.WaitGroup
}

func watchLog(t testing.TB, database string, watch wire.Watch) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	w := &logWatch{fd: fd, file: os.NewFile(uintptr(fd), "inotify")}
	t.Cleanup(func() { w.file.Close(); w.done.Wait() })
	log := database + "-wal"
	if err := awaitFile(log); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.InotifyAddWatch(fd, log, unix.IN_MODIFY); err != nil {
		t.Fatal(err)
	}
	w.done.Go(func() { w.run(watch) })
}

func awaitFile(path string) error {
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *logWatch) run(watch wire.Watch) {
	events := make([]byte, 4096)
	for {
		n, err := w.file.Read(events)
		if err != nil {
			return
		}
		for ; n >= unix.SizeofInotifyEvent; n -= unix.SizeofInotifyEvent {
			watch(wire.Point{Server: "sqlite", Op: "write", Answered: true})
		}
	}
}

// TestKillAtEveryWrite kills each service at the nth write of its database's
// log, for every n until a round passes without.
func TestKillAtEveryWrite(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	s := newStation(t, backends["sqlite"](t), random.Uint64())
	for name, p := range s.services {
		watchLog(t, s.files[name], p.trap.watch)
	}
	s.round("before any fault")
	where := at("sqlite", "write", true)
	if full() {
		for _, service := range serviceNames {
			for nth := 1; nth <= 5*mostTries && s.killRound(s.services[service], where, nth); nth++ {
			}
		}
	} else {
		for range 4 {
			s.killRound(s.services[serviceNames[random.IntN(len(serviceNames))]], where, 1+random.IntN(12))
		}
	}
	s.finish("killed at a write")
}

// TestKillRelayAtEveryWrite is the same for a relay, whose database others
// write too.
func TestKillRelayAtEveryWrite(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	b := newBench(t, backends["sqlite"](t), 1)
	watchLog(t, b.file, b.relays[0].trap.watch)
	b.round("before any fault")
	tries := share(2, 12, random.IntN)
	if full() {
		tries = share(5*mostTries, 1, random.IntN)
	}
	for _, nth := range tries {
		if !b.killRound(at("sqlite", "write", true), nth) {
			break
		}
	}
	b.finish(fmt.Sprintf("killed at a write of %s", filepath.Base(b.file)))
}
