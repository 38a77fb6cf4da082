package state

import (
	"fmt"
	"hash/maphash"
	"unsafe"
)

// table maps keys to values without a pointer for the garbage collector to follow: an index
// of hashes, slots with values, and the bytes of the keys one after the other. It takes
// about a third of the memory of a map of pointers. T must be without pointers.
type table[T any] struct {
	seed  maphash.Seed
	index []uint64 // hash (32 bits) and slot+1 (32 bits); 0 is empty
	slots []*[slotsPerChunk]slot[T]
	used  uint32 // slots ever handed out
	free  []uint32
	live  int
	keys  keyArena
	hand  uint32 // of the clock
}

const slotsPerChunk = 512

// slot is an entry. Keys are at most maxKey bytes long.
type slot[T any] struct {
	value T
	key   uint32 // where it begins: chunk and offset
	n     uint32 // its length (24 bits) and flags (8 bits)
}

const maxKey = 1<<24 - 1

func (s *slot[T]) is(f flags) bool { return s.n&uint32(f) != 0 }
func (s *slot[T]) set(f flags)     { s.n |= uint32(f) }
func (s *slot[T]) clear(f flags)   { s.n &^= uint32(f) }
func (s *slot[T]) length() int     { return int(s.n >> 8) }

func newTable[T any]() table[T] { return table[T]{seed: maphash.MakeSeed(), index: make([]uint64, 64)} }

func (t *table[T]) slot(i uint32) *slot[T] { return &t.slots[i/slotsPerChunk][i%slotsPerChunk] }

func (t *table[T]) key(i uint32) []byte {
	s := t.slot(i)
	return t.keys.get(s.key, s.length())
}

func (t *table[T]) hash(key []byte) uint32 {
	h := maphash.Bytes(t.seed, key)
	return uint32(h ^ h>>32)
}

// find returns the slot of a key.
func (t *table[T]) find(key []byte) (uint32, bool) {
	h := t.hash(key)
	mask := uint32(len(t.index) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		e := t.index[at]
		if e == 0 {
			return 0, false
		}
		if uint32(e>>32) == h {
			i := uint32(e) - 1
			if string(t.key(i)) == string(key) {
				return i, true
			}
		}
	}
}

// add makes a slot for a key that has none; its value is zero.
func (t *table[T]) add(key []byte) (uint32, error) {
	if len(key) > maxKey {
		return 0, fmt.Errorf("a key of %d bytes: at most %d are possible", len(key), maxKey)
	}
	if 4*(t.live+1) > 3*len(t.index) {
		t.reindex(2 * len(t.index))
	}
	var i uint32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		if i = t.used; i%slotsPerChunk == 0 {
			t.slots = append(t.slots, new([slotsPerChunk]slot[T]))
		}
		t.used++
	}
	*t.slot(i) = slot[T]{key: t.keys.add(key), n: uint32(len(key))<<8 | uint32(taken)}
	t.place(t.hash(key), i)
	t.live++
	return i, nil
}

func (t *table[T]) place(h, i uint32) {
	mask := uint32(len(t.index) - 1)
	at := h & mask
	for t.index[at] != 0 {
		at = (at + 1) & mask
	}
	t.index[at] = uint64(h)<<32 | uint64(i+1)
}

func (t *table[T]) reindex(n int) {
	old := t.index
	t.index = make([]uint64, n)
	for _, e := range old {
		if e != 0 {
			t.place(uint32(e>>32), uint32(e)-1)
		}
	}
}

// remove frees a slot.
func (t *table[T]) remove(i uint32) {
	mask := uint32(len(t.index) - 1)
	at := t.hash(t.key(i)) & mask
	for uint32(t.index[at]) != i+1 {
		at = (at + 1) & mask
	}
	// What follows moves up, so that no search ends at the gap.
	for next := (at + 1) & mask; t.index[next] != 0; next = (next + 1) & mask {
		home := uint32(t.index[next]>>32) & mask
		if (next-home)&mask >= (next-at)&mask {
			t.index[at] = t.index[next]
			at = next
		}
	}
	t.index[at] = 0
	t.keys.drop(t.slot(i).length())
	*t.slot(i) = slot[T]{}
	t.free = append(t.free, i)
	t.live--
}

// sweep lets the clock's hand pass n slots that are in use; those that drop returns true
// for are removed.
func (t *table[T]) sweep(n int, drop func(i uint32) bool) {
	for range min(n, int(t.used)) {
		if t.hand >= t.used {
			t.hand = 0
		}
		if i := t.hand; t.slot(i).is(taken) && drop(i) {
			t.remove(i)
		}
		t.hand++
	}
}

// rebuild copies what is there into as little memory as it takes. Slots get other numbers.
func (t *table[T]) rebuild() {
	fresh := newTable[T]()
	for i := range t.used {
		if s := t.slot(i); s.is(taken) {
			j, _ := fresh.add(t.key(i)) // its key was short enough before
			*fresh.slot(j) = slot[T]{value: s.value, key: fresh.slot(j).key, n: s.n}
		}
	}
	*t = fresh
}

// sparse says that most of the memory is of entries that were removed.
func (t *table[T]) sparse() bool {
	return len(t.free) > slotsPerChunk && 4*t.live < 3*int(t.used) || t.keys.sparse()
}

// bytes estimates the memory of n entries with keys of so many bytes.
func (t *table[T]) bytes(n, keys int64) int64 {
	return n*int64(unsafe.Sizeof(slot[T]{})+14) + keys
}

// keyArena has the bytes of keys in chunks. A place is the number of a chunk and an
// offset within, 16 bits each, in units of 4 bytes.
type keyArena struct {
	chunks  [][]byte
	written int64 // bytes, of removed keys as well
	removed int64
}

const keyChunkBytes = 4 << 16

func (a *keyArena) add(key []byte) uint32 {
	last := len(a.chunks) - 1
	if last < 0 || len(a.chunks[last])+len(key) > min(cap(a.chunks[last]), keyChunkBytes-4) {
		a.chunks = append(a.chunks, make([]byte, 0, a.chunkBytes(len(key))))
		last++
	}
	chunk := a.chunks[last]
	at := len(chunk)
	chunk = append(chunk, key...)
	a.chunks[last] = chunk[:min((len(chunk)+3)&^3, cap(chunk))]
	a.written += int64(len(key))
	return uint32(last)<<16 | uint32(at/4)
}

// chunkBytes of the next chunk: a store with few keys takes little.
func (a *keyArena) chunkBytes(key int) int {
	return max((key+7)&^3, min(keyChunkBytes, 1024<<min(len(a.chunks), 8)))
}

func (a *keyArena) get(place uint32, n int) []byte {
	at := int(place&0xffff) * 4
	return a.chunks[place>>16][at : at+n : at+n]
}

func (a *keyArena) drop(n int) { a.removed += int64(n) }

func (a *keyArena) sparse() bool { return a.removed > keyChunkBytes && 2*a.removed > a.written }
