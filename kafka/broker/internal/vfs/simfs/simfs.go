// Package simfs is a file system in memory for tests of what a power cut leaves and
// of operations that fail. It keeps apart what was synced and what was not: Crash
// makes the file systems that may be found after the power went. A hook sees every
// operation before it happens, may fail it, wait in it, or take a crash clone.
package simfs

import (
	"fmt"
	"io"
	iofs "io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"sync"

	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// Op is an operation that changes something or makes it last.
type Op struct {
	// Kind is create, open, write, truncate, sync, rename, remove, mkdir or syncdir.
	Kind string
	// Name is the file or folder, Index the operation's number from 0.
	Name  string
	Index int
}

// FS is the file system. Its methods are those of vfs.FS.
type FS struct {
	mu     sync.Mutex
	dirs   map[string]*dir
	locked map[string]bool
	ops    int
	hook   func(Op) error
}

// New makes an empty file system.
func New() *FS {
	return &FS{dirs: map[string]*dir{".": newDir(), "/": newDir()}, locked: map[string]bool{}}
}

// Hook has f called before each operation, outside of locks. An error of f is the
// operation's; a write that fails has written a part of it.
func (s *FS) Hook(f func(Op) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

// Ops returns how many operations there were.
func (s *FS) Ops() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ops
}

func (s *FS) begin(kind, name string) error {
	s.mu.Lock()
	op := Op{Kind: kind, Name: name, Index: s.ops}
	s.ops++
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	if err := hook(op); err != nil {
		return &iofs.PathError{Op: kind, Path: name, Err: err}
	}
	return nil
}

// Crash returns a file system as it may be after the power went now. What was not
// synced is there, gone, torn, or there in parts, as rnd has it.
func (s *FS) Crash(rnd *rand.Rand) *FS {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := New()
	nodes := map[*node]*node{}
	for _, name := range sortedKeys(s.dirs) {
		c.dirs[name] = s.dirs[name].crash(rnd, nodes)
	}
	return c
}

// Kill returns the file system as another process sees it after this one was killed:
// all that was written is there, and still not synced.
func (s *FS) Kill() *FS {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := New()
	nodes := map[*node]*node{}
	for name, d := range s.dirs {
		c.dirs[name] = d.clone(nodes)
	}
	return c
}

// Flip changes the bits of mask in one byte of a file, as a bad disk may.
func (s *FS) Flip(name string, at int64, mask byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find("flip", name)
	if err != nil {
		return err
	}
	if at < 0 || at >= int64(len(n.data)) {
		return fmt.Errorf("flip %s at %d: it has %d bytes", name, at, len(n.data))
	}
	n.data = slices.Clone(n.data)
	n.data[at] ^= mask
	if at < int64(len(n.synced)) {
		n.synced = slices.Clone(n.synced)
		n.synced[at] ^= mask
	}
	return nil
}

func (s *FS) find(op, name string) (*node, error) {
	name = path.Clean(name)
	if d := s.dirs[path.Dir(name)]; d != nil && d.names[path.Base(name)] != nil {
		return d.names[path.Base(name)], nil
	}
	return nil, &iofs.PathError{Op: op, Path: name, Err: iofs.ErrNotExist}
}

// Lock takes a lock that this file system knows.
func (s *FS) Lock(name string) (io.Closer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked[name] {
		return nil, fmt.Errorf("lock %s: %w", name, vfs.ErrLocked)
	}
	s.locked[name] = true
	return &lock{fs: s, name: name}, nil
}

type lock struct {
	fs   *FS
	name string
}

func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	delete(l.fs.locked, l.name)
	return nil
}
