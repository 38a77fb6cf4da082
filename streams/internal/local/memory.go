package local

import (
	"bytes"
	"iter"
	"sync"

	"github.com/tidwall/btree"
)

// entryOverhead is what an entry takes in the tree besides its bytes.
const entryOverhead = 64

// entry of a tree; never changed, because snapshots share it.
type entry struct{ key, value []byte }

func lessEntry(a, b entry) bool { return bytes.Compare(a.key, b.key) < 0 }

func (e entry) size() int64 { return int64(len(e.key) + len(e.value) + entryOverhead) }

func newTree() *btree.BTreeG[entry] {
	return btree.NewBTreeGOptions(lessEntry, btree.Options{NoLocks: true})
}

// memorySpace is a tree whose copies are made on writing, so that snapshots cost nothing.
type memorySpace struct {
	count *Part

	mu    sync.RWMutex
	tree  *btree.BTreeG[entry]
	mark  mark
	bytes int64
}

func newMemorySpace(count *Part) *memorySpace {
	return &memorySpace{count: count, tree: newTree(), mark: mark{next: -1}}
}

func (s *memorySpace) Get(key, dst []byte) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return getEntry(s.tree, key, dst)
}

func (s *memorySpace) Scan(from, to []byte, reverse bool) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		snap := s.copy()
		snap.Scan(from, to, reverse)(yield)
	}
}

func (s *memorySpace) Snapshot() (Snapshot, error) { return s.copy(), nil }

func (s *memorySpace) copy() *memorySnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &memorySnapshot{tree: s.tree.Copy()}
}

func (s *memorySpace) Offset() (int64, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return max(s.mark.next, 0), s.mark.next >= 0
}

func (s *memorySpace) Mark() Mark {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mark.Mark
}

func (s *memorySpace) Follow(topic TopicID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark.Topic = topic
}

func (s *memorySpace) Clear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.Add(-s.bytes)
	s.tree, s.mark, s.bytes = newTree(), mark{next: -1}, 0
	return nil
}

func (s *memorySpace) Size() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.bytes
}

func (s *memorySpace) Keys() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int64(s.tree.Len())
}

// apply makes a batch's changes, in order.
func (s *memorySpace) apply(changes []change, n noted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.bytes
	for _, c := range changes {
		c.apply(s)
	}
	s.mark = s.mark.with(n)
	s.count.Add(s.bytes - before)
}

// change of a space in memory: a range's end is in value.
type change struct {
	kind  changeKind
	entry entry
}

type changeKind uint8

const (
	setChange changeKind = iota
	deleteChange
	deleteRangeChange
)

func (c change) apply(s *memorySpace) {
	switch c.kind {
	case setChange:
		old, replaced := s.tree.Set(c.entry)
		if replaced {
			s.bytes -= old.size()
		}
		s.bytes += c.entry.size()
	case deleteChange:
		if old, ok := s.tree.Delete(c.entry); ok {
			s.bytes -= old.size()
		}
	case deleteRangeChange:
		var gone []entry
		ascend(s.tree, c.entry.key, c.entry.value, func(e entry) bool {
			gone = append(gone, e)
			return true
		})
		for _, e := range gone {
			s.tree.Delete(e)
			s.bytes -= e.size()
		}
	}
}

// memorySnapshot needs no closing: it is garbage when nobody has it.
type memorySnapshot struct{ tree *btree.BTreeG[entry] }

func (s *memorySnapshot) Get(key, dst []byte) ([]byte, bool, error) {
	return getEntry(s.tree, key, dst)
}

func (s *memorySnapshot) Close() error { return nil }

func (s *memorySnapshot) Scan(from, to []byte, reverse bool) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		// Copies, because the one who gets them may change them.
		var key, value []byte
		visit := func(e entry) bool {
			key, value = append(key[:0], e.key...), append(value[:0], e.value...)
			return yield(Pair{key, value}, nil)
		}
		if reverse {
			descend(s.tree, from, to, visit)
		} else {
			ascend(s.tree, from, to, visit)
		}
	}
}

func getEntry(tree *btree.BTreeG[entry], key, dst []byte) ([]byte, bool, error) {
	e, ok := tree.Get(entry{key: key})
	return append(dst, e.value...), ok, nil
}

// ascend visits from <= key < to.
func ascend(tree *btree.BTreeG[entry], from, to []byte, visit func(entry) bool) {
	tree.Ascend(entry{key: from}, func(e entry) bool {
		return (to == nil || bytes.Compare(e.key, to) < 0) && visit(e)
	})
}

// descend visits the same keys from the end.
func descend(tree *btree.BTreeG[entry], from, to []byte, visit func(entry) bool) {
	within := func(e entry) bool { return bytes.Compare(e.key, from) >= 0 && visit(e) }
	if to == nil {
		tree.Reverse(within)
		return
	}
	tree.Descend(entry{key: to}, func(e entry) bool {
		return bytes.Equal(e.key, to) || within(e) // to itself is outside
	})
}
