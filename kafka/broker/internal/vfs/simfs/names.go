package simfs

import (
	"errors"
	iofs "io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// dir is a folder: the names as programs see them, those that were synced, and the
// changes since then, in order. Folders themselves last as soon as they are made.
type dir struct {
	names, synced map[string]*node
	pending       []change
}

// change gives a name to a file, and takes one away; either may be empty.
type change struct {
	give, take string
	node       *node
}

func newDir() *dir { return &dir{names: map[string]*node{}, synced: map[string]*node{}} }

func (c change) apply(names map[string]*node) {
	if c.take != "" && names[c.take] == c.node {
		delete(names, c.take)
	}
	if c.give != "" {
		names[c.give] = c.node
	}
}

func (d *dir) do(c change) {
	c.apply(d.names)
	d.pending = append(d.pending, c)
}

func (d *dir) crash(rnd *rand.Rand, nodes map[*node]*node) *dir {
	left := newDir()
	names := maps.Clone(d.synced)
	for _, i := range survivors(rnd, len(d.pending)) {
		d.pending[i].apply(names)
	}
	for _, name := range sortedKeys(names) {
		n := names[name]
		if nodes[n] == nil {
			nodes[n] = n.crash(rnd)
		}
		left.names[name], left.synced[name] = nodes[n], nodes[n]
	}
	return left
}

// survivors chooses which of n changes in order last: all, none, the first ones, or any.
func survivors(rnd *rand.Rand, n int) []int {
	var kept []int
	mode, until := rnd.IntN(4), rnd.IntN(n+1)
	for i := range n {
		if mode == 0 || mode == 2 && i < until || mode == 3 && rnd.IntN(2) == 0 {
			kept = append(kept, i)
		}
	}
	return kept
}

func (d *dir) clone(nodes map[*node]*node) *dir {
	one := func(n *node) *node {
		if nodes[n] == nil {
			nodes[n] = n.clone()
		}
		return nodes[n]
	}
	c := newDir()
	for name, n := range d.names {
		c.names[name] = one(n)
	}
	for name, n := range d.synced {
		c.synced[name] = one(n)
	}
	for _, p := range d.pending {
		p.node = one(p.node)
		c.pending = append(c.pending, p)
	}
	return c
}

// Create makes an empty file.
func (s *FS) Create(name string) (vfs.File, error) {
	if err := s.begin("create", name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dirs[path.Dir(path.Clean(name))]
	if d == nil {
		return nil, &iofs.PathError{Op: "create", Path: name, Err: iofs.ErrNotExist}
	}
	n := &node{}
	d.do(change{give: path.Base(name), node: n})
	return &file{fs: s, name: name, node: n}, nil
}

// Open opens a file that exists.
func (s *FS) Open(name string) (vfs.File, error) {
	if err := s.begin("open", name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find("open", name)
	if err != nil {
		return nil, err
	}
	return &file{fs: s, name: name, node: n, told: n.failures}, nil
}

// Rename gives a file another name in its folder.
func (s *FS) Rename(from, to string) error {
	if err := s.begin("rename", from); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find("rename", from)
	if err != nil {
		return err
	}
	if path.Dir(path.Clean(from)) != path.Dir(path.Clean(to)) {
		return &iofs.PathError{Op: "rename", Path: to, Err: errors.New("another folder")}
	}
	s.dirs[path.Dir(path.Clean(from))].do(change{give: path.Base(to), take: path.Base(from), node: n})
	return nil
}

// Remove removes a file or an empty folder.
func (s *FS) Remove(name string) error {
	if err := s.begin("remove", name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.dirs[path.Clean(name)]; d != nil {
		if len(d.names) > 0 {
			return &iofs.PathError{Op: "remove", Path: name, Err: errors.New("folder not empty")}
		}
		delete(s.dirs, path.Clean(name))
		return nil
	}
	n, err := s.find("remove", name)
	if err != nil {
		return err
	}
	s.dirs[path.Dir(path.Clean(name))].do(change{take: path.Base(name), node: n})
	return nil
}

// ReadDir returns the names in a folder.
func (s *FS) ReadDir(name string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name = path.Clean(name)
	d := s.dirs[name]
	if d == nil {
		return nil, &iofs.PathError{Op: "readdir", Path: name, Err: iofs.ErrNotExist}
	}
	names := sortedKeys(d.names)
	for other := range s.dirs {
		if other != name && path.Dir(other) == name {
			names = append(names, path.Base(other))
		}
	}
	slices.Sort(names)
	return names, nil
}

// MkdirAll makes a folder and those above it.
func (s *FS) MkdirAll(name string) error {
	if err := s.begin("mkdir", name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name = path.Clean(name); s.dirs[name] == nil; name = path.Dir(name) {
		s.dirs[name] = newDir()
	}
	return nil
}

// SyncDir makes the names in a folder last.
func (s *FS) SyncDir(name string) error {
	if err := s.begin("syncdir", name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dirs[path.Clean(name)]
	if d == nil {
		return &iofs.PathError{Op: "syncdir", Path: name, Err: iofs.ErrNotExist}
	}
	d.synced, d.pending = maps.Clone(d.names), nil
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
