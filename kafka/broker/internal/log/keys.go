package log

import "hash/maphash"

// keyBytes is the memory of one key in a map of them.
const keyBytes = 80

// keyMap has the last offset of each key, by a hash of 128 bits with seeds of its own,
// so that nobody can make two keys one.
type keyMap struct {
	one, two maphash.Seed
	offsets  map[[2]uint64]int64
	limit    int
}

func newKeyMap(memory int) *keyMap {
	return &keyMap{one: maphash.MakeSeed(), two: maphash.MakeSeed(), offsets: map[[2]uint64]int64{}, limit: max(memory/keyBytes, 1)}
}

func (m *keyMap) hash(key []byte) [2]uint64 {
	return [2]uint64{maphash.Bytes(m.one, key), maphash.Bytes(m.two, key)}
}

// put says whether there was room.
func (m *keyMap) put(key []byte, offset int64) bool {
	h := m.hash(key)
	if _, there := m.offsets[h]; !there && len(m.offsets) >= m.limit {
		return false
	}
	m.offsets[h] = offset
	return true
}

// newer says whether the key has a record after offset.
func (m *keyMap) newer(key []byte, offset int64) bool {
	last, there := m.offsets[m.hash(key)]
	return there && last > offset
}
