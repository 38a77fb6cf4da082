package local

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// gate is the file system of one engine. A dead engine writes nothing any more, and whoever
// wants to make a file waits for its end; one whose writes fail is slowed down, because
// Pebble tries again without a pause.
type gate struct {
	vfs.FS
	shut     atomic.Bool
	ended    chan struct{} // closed when the engine is
	die      func(error)   // ends the engine
	failures atomic.Int32  // writes that failed in a row
}

var errShut = errors.New("the stores' database writes nothing more after a failure")

func newGate(fs vfs.FS, die func(error)) *gate {
	return &gate{FS: fs, ended: make(chan struct{}), die: die}
}

// Pauses before a file is made after failures.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

func (g *gate) pause() {
	if g.shut.Load() {
		<-g.ended
		return
	}
	n := g.failures.Load()
	if n == 0 {
		return
	}
	timer := time.NewTimer(min(firstPause<<min(n, 10), lastPause))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.ended:
	}
}

// write makes a change unless the engine is dead.
func (g *gate) write(change func() error) error {
	if g.shut.Load() {
		return errShut
	}
	err := change()
	if err != nil {
		g.failures.Add(1)
	}
	return err
}

func (g *gate) file(open func() (vfs.File, error)) (vfs.File, error) {
	g.pause()
	var f vfs.File
	err := g.write(func() (err error) {
		f, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &gatedFile{File: f, gate: g}, nil
}

func (g *gate) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.Create(name, category) })
}

func (g *gate) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.OpenReadWrite(name, category, opts...) })
}

func (g *gate) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.ReuseForWrite(from, to, category) })
}

func (g *gate) Link(from, to string) error {
	return g.write(func() error { return g.FS.Link(from, to) })
}

func (g *gate) Rename(from, to string) error {
	return g.write(func() error { return g.FS.Rename(from, to) })
}

func (g *gate) MkdirAll(dir string, perm os.FileMode) error {
	return g.write(func() error { return g.FS.MkdirAll(dir, perm) })
}

// Remove does not count as a failure of writing.
func (g *gate) Remove(name string) error {
	if g.shut.Load() {
		return errShut
	}
	return g.FS.Remove(name)
}

func (g *gate) RemoveAll(name string) error {
	if g.shut.Load() {
		return errShut
	}
	return g.FS.RemoveAll(name)
}

func (g *gate) Unwrap() vfs.FS { return g.FS }

func (g *gate) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &gatedDir{File: f, gate: g}, nil
}

// gatedDir is a folder, for syncing. Pebble panics where that fails, in goroutines of
// its own: the engine dies instead.
type gatedDir struct {
	vfs.File
	gate *gate
}

func (d *gatedDir) Sync() error {
	if d.gate.shut.Load() {
		return nil
	}
	if err := d.File.Sync(); err != nil {
		d.gate.die(failure(err))
	}
	return nil
}

// gatedFile is one that is being written.
type gatedFile struct {
	vfs.File
	gate *gate
}

func (f *gatedFile) Write(p []byte) (n int, err error) {
	err = f.gate.write(func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *gatedFile) WriteAt(p []byte, at int64) (n int, err error) {
	err = f.gate.write(func() (err error) {
		n, err = f.File.WriteAt(p, at)
		return err
	})
	return n, err
}

// Sync that went well says that the disk takes writes again.
func (f *gatedFile) Sync() error {
	err := f.gate.write(f.File.Sync)
	if err == nil {
		f.gate.failures.Store(0)
	}
	return err
}

func (f *gatedFile) SyncData() error { return f.gate.write(f.File.SyncData) }

// Lock needs none: the folder around it is locked.
func (g *gate) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }
