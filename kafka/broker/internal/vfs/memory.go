package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sync"
)

// NewMemory makes an empty file system in memory, for a broker without a folder. It
// has no permissions, and folders are where files are.
func NewMemory() FS {
	return &memory{files: map[string]*memoryFile{}, dirs: map[string]bool{".": true, "/": true}, locked: map[string]bool{}}
}

type memory struct {
	mu     sync.Mutex
	files  map[string]*memoryFile
	dirs   map[string]bool
	locked map[string]bool
}

func (m *memory) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if !m.dirs[path.Dir(name)] {
		return nil, missing("create", name)
	}
	f := &memoryFile{}
	m.files[name] = f
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
	delete(m.files, path.Clean(from))
	m.files[path.Clean(to)] = f
	return nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if m.files[name] == nil && !m.dirs[name] {
		return missing("remove", name)
	}
	if m.dirs[name] && len(m.names(name)) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: fmt.Errorf("folder not empty")}
	}
	delete(m.files, name)
	delete(m.dirs, name)
	return nil
}

func (m *memory) ReadDir(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if !m.dirs[name] {
		return nil, missing("readdir", name)
	}
	return m.names(name), nil
}

func (m *memory) names(dir string) []string {
	var names []string
	for name := range m.files {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	for name := range m.dirs {
		if name != dir && path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names
}

func (m *memory) MkdirAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name = path.Clean(name); !m.dirs[name]; name = path.Dir(name) {
		m.dirs[name] = true
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
