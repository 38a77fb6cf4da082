package state

import "github.com/pabal-dev/pabal/streams/internal/local"

// Flush has nothing to send.
func (s *numbers[K, T]) Flush() error { return nil }

// Log sends each change to the changelog. Without one it encodes the values all the same, as what
// fails must not fail after the transaction.
func (s *numbers[K, T]) Log() error {
	for len(s.encoded) < len(s.dirty) {
		s.encoded = append(s.encoded, nil)
	}
	now := max(s.StreamTime(), 0)
	for n, i := range s.dirty {
		e := s.table.slot(i)
		if !e.is(unlogged) {
			continue
		}
		var value []byte
		if e.is(present) {
			var err error
			if s.encoded[n], err = s.encode(i); err != nil {
				return err
			}
			value = s.codec.logged(s.encoded[n])
		}
		if s.StoreContext.Log != nil {
			key := s.carve(func(dst []byte) []byte { return append(dst, s.table.key(i)...) })
			s.StoreContext.Log(key, value, s.codec.stamp(e.value, now), nil)
		}
		e.clear(unlogged)
	}
	return nil
}

// encode makes the bytes on disk of a slot's value.
func (s *numbers[K, T]) encode(i uint32) ([]byte, error) {
	var err error
	data := s.carve(func(dst []byte) []byte {
		dst, err = s.codec.append(dst, s.table.slot(i).value)
		return dst
	})
	if err != nil {
		return nil, s.failed("encode", s.table.key(i), err)
	}
	return data, nil
}

// Apply puts the changes into b. The caller commits b before it uses the store again.
func (s *numbers[K, T]) Apply(b local.Batch) error {
	for n, i := range s.dirty {
		e := s.table.slot(i)
		if !e.is(present) {
			b.Delete(s.Space, s.table.key(i))
			continue
		}
		var data []byte
		if !e.is(unlogged) && n < len(s.encoded) {
			data = s.encoded[n]
		} else {
			var err error
			if data, err = s.encode(i); err != nil {
				return err
			}
		}
		b.Set(s.Space, s.table.key(i), data)
	}
	for _, i := range s.dirty {
		e := s.table.slot(i)
		e.clear(dirty | unlogged | stored)
		if e.is(present) {
			e.set(stored)
		}
	}
	s.clean()
	if s.table.sparse() {
		s.table.rebuild()
		s.last = 0
	}
	return nil
}

func (s *numbers[K, T]) clean() {
	clear(s.encoded)
	s.dirty, s.encoded, s.changed = s.dirty[:0], s.encoded[:0], 0
	s.sorted.applied()
	s.arena.done()
}

// Discard forgets the changes, and everything else in memory: it is rare.
func (s *numbers[K, T]) Discard() {
	if len(s.dirty) > 0 {
		s.clean()
		s.empty()
	}
}

func (s *numbers[K, T]) empty() {
	s.table, s.last, s.sorted = newTable[T](), 0, sortedKeys{}
	s.holds(-s.held)
}

// Dirty estimates the bytes of the changes.
func (s *numbers[K, T]) Dirty() int64 { return s.changed }

// Close releases memory.
func (s *numbers[K, T]) Close() {
	s.empty()
	s.dirty, s.encoded = nil, nil
	s.account.close()
}
