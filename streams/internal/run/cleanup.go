package run

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// dir is the application's folder.
func (r *Runtime) dir() string {
	return filepath.Join(r.cfg.StateDir, r.cfg.Kafka.Prefix+r.cfg.ApplicationID)
}

// CleanUp deletes the application's stores in this folder. They are restored from Kafka.
func (r *Runtime) CleanUp() error {
	select {
	case <-r.stopped:
	default:
		if r.State() != Created {
			return errors.New("streams: stop the App before CleanUp")
		}
	}
	files := r.cfg.FS
	if files == nil {
		files = vfs.Default
	}
	stores := filepath.Join(r.dir(), "stores")
	// Opened, so that nobody else has it.
	db, err := local.Open(local.Options{Dir: stores, MemoryBytes: r.budget.disk, Logger: r.cfg.Logger, FS: r.cfg.FS})
	if err != nil {
		return fmt.Errorf("clean up %s: %w", stores, err)
	}
	for _, s := range db.Saved() {
		if err := db.Drop(s.Task); err != nil {
			return errors.Join(fmt.Errorf("clean up %s: %w", stores, err), db.Close())
		}
	}
	if err := db.Close(); err != nil {
		return fmt.Errorf("clean up %s: %w", stores, err)
	}
	return files.RemoveAll(stores)
}
