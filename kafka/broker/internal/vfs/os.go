package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
)

// OS is the file system of the operating system. What it makes is its owner's alone: there are
// credentials among it.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Create(name string) (File, error) {
	return opened(os.OpenFile(filepath.FromSlash(name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600))
}

func (osFS) Open(name string) (File, error) {
	return opened(os.OpenFile(filepath.FromSlash(name), os.O_RDWR, 0))
}

func opened(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return &osFile{File: f}, nil
}

func (osFS) Rename(from, to string) error {
	return os.Rename(filepath.FromSlash(from), filepath.FromSlash(to))
}

func (osFS) Remove(name string) error   { return os.Remove(filepath.FromSlash(name)) }
func (osFS) MkdirAll(name string) error { return os.MkdirAll(filepath.FromSlash(name), 0o700) }

func (osFS) ReadDir(name string) ([]string, error) {
	entries, err := os.ReadDir(filepath.FromSlash(name))
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (osFS) SyncDir(name string) error { return syncDir(filepath.FromSlash(name)) }

func (osFS) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.FromSlash(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w (%sthe system says %w)", name, ErrLocked, holder(f), err), f.Close())
	}
	// Who has it is told to who wants it; the lock holds without.
	if f.Truncate(0) == nil {
		_, _ = f.WriteString(strconv.Itoa(os.Getpid()))
	}
	return f, nil
}

// holder is the process that has noted itself in the file of a lock.
func holder(f *os.File) string {
	noted := make([]byte, 20)
	n, _ := f.ReadAt(noted, 0)
	if pid, err := strconv.Atoi(string(noted[:n])); err == nil {
		return fmt.Sprintf("process %d; ", pid)
	}
	return ""
}

type osFile struct {
	*os.File
	reserved atomic.Int64 // up to where there is room
}

// Large files are grown ahead, by a sixteenth of their length and at most this much.
const (
	mostReserved = 4 << 20
	growsAhead   = 1 << 20 // files from this length on
)

// WriteAt also grows a large file ahead.
func (f *osFile) WriteAt(p []byte, off int64) (int, error) {
	if end, has := off+int64(len(p)), f.reserved.Load(); end > has && end >= growsAhead {
		ahead := end + min(end/16, mostReserved)
		if f.reserved.CompareAndSwap(has, ahead) {
			reserve(f.File, max(off, has), ahead)
		}
	}
	return f.File.WriteAt(p, off)
}

func (f *osFile) Sync() error { return syncData(f.File) }

func (f *osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
