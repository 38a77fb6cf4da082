package demo

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/lock"
	"github.com/pabal-dev/pabal/examples/service"
)

// folder is where a demo keeps its files; one process uses it at a time.
type folder struct {
	path      string
	temporary bool
	made      bool // by this process
	lock      *os.File
	manifest  manifest
}

// manifest is the file that makes a folder a demo's; it ties the names on a
// real cluster and database to the folder.
type manifest struct {
	// Run is part of the names of topics, groups and schemas.
	Run string `json:"run"`
	// Starts counts the demos in this folder.
	Starts int `json:"starts"`
	// Kafka and Database are what it began with, without secrets.
	Kafka    string `json:"kafka"`
	Database string `json:"database"`
	// Outbox is the way out of it; "" is relay.
	Outbox string `json:"outbox,omitempty"`
}

const (
	manifestName = "demo.json"
	lockName     = "demo.lock"
)

// openFolder makes or takes over the folder; nothing else was done yet, and on
// an error nothing is left.
func openFolder(o Options) (*folder, error) {
	f := &folder{path: o.DataDir, temporary: o.DataDir == ""}
	if err := f.make(); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := f.open(o); err != nil {
		return nil, errors.Join(err, f.close(f.made))
	}
	return f, nil
}

// open looks what the folder holds and locks it. One that was never a demo's
// is not touched where it holds something else.
func (f *folder) open(o Options) (err error) {
	name := filepath.Join(f.path, lockName)
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if err := f.refuseForeign(); err != nil {
			return err
		}
	}
	if f.lock, err = lock.File(name); err != nil {
		if errors.Is(err, lock.ErrHeld) {
			return fmt.Errorf("data folder %s is in use by another demo; stop that one or name another folder with --data-dir", f.path)
		}
		return fmt.Errorf("data folder %s: %w", f.path, err)
	}
	return f.readManifest(o)
}

func (f *folder) make() (err error) {
	if f.temporary {
		f.made = true
		f.path, err = os.MkdirTemp("", "pabal-demo-")
		return err
	}
	if f.path, err = filepath.Abs(f.path); err != nil {
		return err
	}
	_, err = os.Stat(f.path)
	f.made = errors.Is(err, fs.ErrNotExist)
	return os.MkdirAll(f.path, 0o700)
}

// readManifest continues what the folder holds or makes it a demo's.
func (f *folder) readManifest(o Options) error {
	data, err := os.ReadFile(filepath.Join(f.path, manifestName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.manifest = manifest{Run: newRun(), Kafka: o.kafkaName(), Database: redact(o.Database), Outbox: o.outboxName()}
		return f.refuseForeign()
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	}
	return f.takeOver(data, o)
}

func (f *folder) takeOver(data []byte, o Options) error {
	if err := json.Unmarshal(data, &f.manifest); err != nil || f.manifest.Run == "" {
		return fmt.Errorf("data folder %s: %s cannot be read; name another folder with --data-dir", f.path, manifestName)
	}
	for _, was := range []struct{ flag, then, now string }{
		{"--kafka", f.manifest.Kafka, o.kafkaName()},
		{"--database", f.manifest.Database, redact(o.Database)},
		{"--outbox", cmp.Or(f.manifest.Outbox, service.OutboxRelay), o.outboxName()},
	} {
		if was.then != was.now {
			return fmt.Errorf("data folder %s belongs to a demo with %s=%s, not %s; use that or another --data-dir", f.path, was.flag, was.then, was.now)
		}
	}
	return nil
}

// refuseForeign keeps the demo out of folders that hold something else.
func (f *folder) refuseForeign() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	for _, e := range entries {
		if e.Name() != lockName {
			return fmt.Errorf("data folder %s is not empty and not a demo's (it has %s); name another one with --data-dir", f.path, e.Name())
		}
	}
	return nil
}

// begin writes that one more demo was started here.
func (f *folder) begin() error {
	f.manifest.Starts++
	data, err := json.MarshalIndent(f.manifest, "", "  ")
	if err != nil {
		return err
	}
	name := filepath.Join(f.path, manifestName)
	if err := os.WriteFile(name+".new", append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// file is a path in the folder; the folders on the way to it are made.
func (f *folder) file(names ...string) (string, error) {
	path := filepath.Join(append([]string{f.path}, names...)...)
	return path, os.MkdirAll(filepath.Dir(path), 0o700)
}

// key is part of every Idempotency-Key of this start.
func (f *folder) key() string { return fmt.Sprintf("%s.%d", f.manifest.Run, f.manifest.Starts) }

// close gives the folder back, and removes it with everything in it where told.
func (f *folder) close(remove bool) error {
	var failed []error
	if f.lock != nil {
		failed = append(failed, f.lock.Close())
	}
	if remove {
		failed = append(failed, os.RemoveAll(f.path))
	}
	return errors.Join(failed...)
}

func newRun() string { return strings.ToLower(rand.Text()[:8]) }
