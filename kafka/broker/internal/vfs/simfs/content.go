package simfs

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
)

// node is a file's content: as programs see it, as it was synced, and the writes
// since then, in order. doomed of them were in a sync that failed: the system has
// forgotten to write them, and a later sync that succeeds does not. Each handle that was
// open is told once of the syncs that failed, as Linux does.
type node struct {
	data, synced []byte
	pending      []write
	doomed       int
	failures     int
	failure      error // the latest
}

// write is data at a position, or a new length where data is nil.
type write struct {
	at   int64
	data []byte
}

func (w write) apply(content []byte) []byte {
	if w.data == nil {
		return resize(content, w.at)
	}
	if end := w.at + int64(len(w.data)); end > int64(len(content)) {
		content = resize(content, end)
	}
	copy(content[w.at:], w.data)
	return content
}

func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	old := len(content)
	content = slices.Grow(content, int(size)-old)[:size]
	clear(content[old:])
	return content
}

func (n *node) do(w write) {
	n.data = w.apply(n.data)
	n.pending = append(n.pending, w)
}

func (n *node) sync() {
	for _, w := range n.pending[n.doomed:] {
		n.synced = w.apply(n.synced)
	}
	n.pending, n.doomed = nil, 0
}

// crash returns what is found after a power cut. The last write that is found may be
// torn at any byte.
func (n *node) crash(rnd *rand.Rand) *node {
	content := slices.Clone(n.synced)
	kept := survivors(rnd, len(n.pending))
	for i, k := range kept {
		w := n.pending[k]
		if i == len(kept)-1 && len(w.data) > 0 && rnd.IntN(2) == 0 {
			w.data = w.data[:rnd.IntN(len(w.data)+1)]
		}
		if w.data == nil || len(w.data) > 0 {
			content = w.apply(content)
		}
	}
	return &node{data: content, synced: slices.Clone(content)}
}

func (n *node) clone() *node {
	return &node{data: slices.Clone(n.data), synced: slices.Clone(n.synced), pending: slices.Clone(n.pending), doomed: n.doomed}
}

type file struct {
	fs   *FS
	name string
	node *node
	told int // of the node's failures
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if off < 0 {
		return 0, errors.New("negative position")
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	failed := f.fs.begin("write", f.name)
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if failed != nil {
		p = p[:len(p)/2]
	}
	if len(p) > 0 {
		f.node.do(write{at: off, data: slices.Clone(p)})
	}
	return len(p), failed
}

func (f *file) Truncate(size int64) error {
	if err := f.fs.begin("truncate", f.name); err != nil {
		return err
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.node.do(write{at: size})
	return nil
}

func (f *file) Sync() error {
	failed := f.fs.begin("sync", f.name)
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if failed != nil {
		f.node.doomed = len(f.node.pending)
		f.node.failures++
		f.node.failure = failed
	}
	if f.told < f.node.failures {
		f.told = f.node.failures
		return f.node.failure
	}
	f.node.sync()
	return nil
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return int64(len(f.node.data)), nil
}

func (f *file) Close() error { return nil }
