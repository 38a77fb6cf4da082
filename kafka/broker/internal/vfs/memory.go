package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
)

// NewMemory makes an empty file system in memory, for a broker without a folder. It
// has no permissions, and folders are where files are.
func NewMemory() FS {
	return &memory{files: map[string]*memoryFile{}, dirs: map[string]map[string]bool{".": {}, "/": {}}, locked: map[string]bool{}}
}

type memory struct {
	mu     sync.Mutex
	files  map[string]*memoryFile
	dirs   map[string]map[string]bool // folders, with the names in them
	locked map[string]bool
}

func (m *memory) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if m.dirs[path.Dir(name)] == nil {
		return nil, missing("create", name)
	}
	f := &memoryFile{}
	m.put(name, f)
	return f, nil
}

func (m *memory) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.files[path.Clean(name)]; f != nil {
		return f, nil
	}
	return nil, missing("open", name)
}

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[path.Clean(from)]
	if f == nil {
		return missing("rename", from)
	}
	if m.dirs[path.Dir(path.Clean(to))] == nil {
		return missing("rename", to)
	}
	m.take(path.Clean(from))
	m.put(path.Clean(to), f)
	return nil
}

func (m *memory) put(name string, f *memoryFile) {
	m.files[name] = f
	m.dirs[path.Dir(name)][path.Base(name)] = true
}

func (m *memory) take(name string) {
	delete(m.files, name)
	delete(m.dirs, name)
	delete(m.dirs[path.Dir(name)], path.Base(name))
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if m.files[name] == nil && m.dirs[name] == nil {
		return missing("remove", name)
	}
	if len(m.dirs[name]) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: fmt.Errorf("folder not empty")}
	}
	m.take(name)
	return nil
}

func (m *memory) ReadDir(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if m.dirs[name] == nil {
		return nil, missing("readdir", name)
	}
	return slices.Sorted(maps.Keys(m.dirs[name])), nil
}

func (m *memory) MkdirAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name = path.Clean(name); m.dirs[name] == nil; name = path.Dir(name) {
		m.dirs[name] = map[string]bool{}
		defer func(name string) { m.dirs[path.Dir(name)][path.Base(name)] = true }(name)
	}
	return nil
}

func (m *memory) SyncDir(string) error { return nil }

func (m *memory) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked[name] {
		return nil, fmt.Errorf("lock %s: %w", name, ErrLocked)
	}
	m.locked[name] = true
	return unlocker(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.locked, name)
	}), nil
}

type unlocker func()

func (u unlocker) Close() error { u(); return nil }

func missing(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}
