package killtest

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// round lets the broker serve for a while, ends it in one of many ways, and starts it again.
func (w *world) round() {
	w.t.Helper()
	life := time.Duration(w.random.Int64N(int64(1200 * time.Millisecond)))
	if w.random.IntN(4) == 0 {
		life /= 8
	}
	time.Sleep(life)
	switch n := w.random.IntN(20); {
	case n < 2:
		w.end("SIGTERM", w.broker.stop)
	case n < 4:
		w.end("SIGKILL while it stops", w.killStopping)
	case n < 10:
		w.end("SIGKILL while a file is replaced", w.killReplacing)
	default:
		w.end("SIGKILL", w.kill)
	}
	for w.random.IntN(3) == 0 {
		w.killStarting()
	}
	w.start()
}

// end ends the broker's life. What it told of until then must not be a defect.
func (w *world) end(how string, by func() error) {
	w.t.Helper()
	if w.broker.ended() {
		w.t.Fatalf("the broker ended by itself: %v\n%s", w.broker.child.Err(), &w.broker.said)
	}
	if err := by(); err != nil {
		w.t.Fatalf("%s: %v", how, err)
	}
	w.lives[how]++
	complaint := []string{"level=ERROR"}
	if w.full {
		complaint = nil
	}
	if broken := w.broker.broken(complaint...); broken != "" {
		w.findings.add(wrong, "the broker said: %s", broken)
	}
}

func (w *world) kill() error {
	w.broker.kill()
	return nil
}

// killStopping lets it begin to stop.
func (w *world) killStopping() error {
	stopped := make(chan error, 1)
	go func() { stopped <- w.broker.stop() }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(time.Duration(w.random.Int64N(int64(30 * time.Millisecond)))):
	}
	w.broker.kill()
	<-stopped // it was killed, so that there is an error or none
	return nil
}

// killReplacing waits for a file under a temporary name, as compaction and checkpoints write
// before they rename, or for the next to be gone again.
func (w *world) killReplacing() error {
	until := time.Now().Add(2 * time.Second)
	seen := ""
	for seen == "" && time.Now().Before(until) {
		seen = w.temporary()
	}
	if seen == "" {
		w.lives["(no file was replaced within two seconds)"]++
	}
	return w.kill()
}

// temporarySuffix is that of files which are renamed when they are whole.
const temporarySuffix = ".new"

func (w *world) temporary() (found string) {
	_ = filepath.WalkDir(w.config.DataDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, temporarySuffix) {
			found = path
			return filepath.SkipAll
		}
		return nil // what goes meanwhile is no matter
	})
	return found
}

// killStarting starts the broker and kills it before it is ready, or hardly after.
func (w *world) killStarting() {
	w.t.Helper()
	w.broker = launch(w.t, w.config)
	select {
	case <-w.broker.opening:
	case <-w.broker.child.Done():
		w.t.Fatalf("the broker ended by itself: %v\n%s", w.broker.child.Err(), &w.broker.said)
	}
	time.Sleep(time.Duration(w.random.Int64N(1 + int64(w.took))))
	w.end("SIGKILL while it starts", w.kill)
}

// restart is a kill, or a stop in order, and a start.
func (w *world) restart(how string) {
	w.t.Helper()
	by := map[string]func() error{"SIGKILL": w.kill, "SIGTERM": w.broker.stop}[how]
	if by == nil {
		panic(fmt.Sprint("no way to end: ", how))
	}
	w.end(how, by)
	w.start()
}
