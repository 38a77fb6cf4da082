package state

import (
	"encoding/binary"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// Apply puts the changes into b, and the removal of the segments that have expired.
func (s *timed[K, T]) Apply(b local.Batch) error {
	if err := s.overlay.Apply(b); err != nil {
		return err
	}
	if s.observed == s.noted {
		return nil
	}
	if expire(b, s.Space, s.lay, s.retention, s.noted, s.observed) {
		s.trim()
	}
	note(b, s.Space, s.observed)
	s.noted = s.observed
	return nil
}

// note writes stream time in place of what was noted before.
func note(b local.Batch, space local.Space, now int64) {
	b.Set(space, observedKey, binary.BigEndian.AppendUint64(nil, uint64(now)))
}

// expire deletes the segments that have expired since stream time was before, if there may
// be any.
func expire(b local.Batch, space local.Space, lay timedLayout, retention, before, now int64) bool {
	if retention == 0 || lay.interval == 0 {
		return false
	}
	first := func(t int64) int64 { return lay.segment(max(t-retention+1, 0)) }
	if first(now) == first(before) {
		return false
	}
	b.DeleteRange(space, lay.head(nil, 0), lay.head(nil, first(now)*lay.interval))
	return true
}

// trim drops what has expired from memory.
func (s *timed[K, T]) trim() {
	s.clock.sweep(len(s.clock.ring), func(g *group[T]) bool {
		s.holds(-g.trim(s.live()))
		if len(g.cells) > 0 || g.busy > 0 || g == s.last {
			return false
		}
		delete(s.groups, g.key)
		s.holds(-groupBytes - int64(len(g.key)))
		return true
	})
}
