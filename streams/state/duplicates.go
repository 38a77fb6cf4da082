package state

import (
	"encoding/binary"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// firstSequence begins where no earlier duplicate is. Each put was one changelog record
// at least, so the changelog's offset is beyond all sequences; without a changelog the
// space has a note.
func (s *windowStore[K, T]) firstSequence() error {
	if s.StoreContext.Log != nil {
		offset, _ := s.Space.Offset()
		s.sequence = offset & 0x7fffffff
		return nil
	}
	data, ok, err := s.Space.Get([]byte{sequenceRegion}, nil)
	if err != nil {
		return storeError(s.Store.Name, err)
	}
	if ok && len(data) == 8 {
		s.sequence = int64(binary.BigEndian.Uint64(data))
	}
	return nil
}

// Apply puts the changes into b.
func (s *windowStore[K, T]) Apply(b local.Batch) error {
	if s.duplicates && s.StoreContext.Log == nil && len(s.dirty) > 0 {
		b.Set(s.Space, []byte{sequenceRegion}, binary.BigEndian.AppendUint64(nil, uint64(s.sequence)))
	}
	return s.timed.Apply(b)
}
