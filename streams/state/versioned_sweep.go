package state

import "github.com/pabal-dev/pabal/streams/internal/local"

// Apply puts the changes into b, and sweeps a part of the space.
func (s *versionedStore[K, V]) Apply(b local.Batch) error {
	keep := map[string]bool{} // keys with expired versions that the space does not have yet
	for _, c := range s.dirty {
		if c.a <= oldest(s.observed, s.history) {
			keep[string(c.key)] = true
		}
	}
	moved := s.observed != s.noted
	if err := s.timed.Apply(b); err != nil || !moved {
		return err
	}
	return s.sweep(b, keep)
}

// sweepEntries are looked at with each commit, so that keys that are not used any more lose
// what has expired as well.
const sweepEntries = 64

// sweep removes from the space versions that ended before the history, and deletions that
// nothing is before, going round. Those of keep's keys may get something before them now.
func (s *versionedStore[K, V]) sweep(b local.Batch, keep map[string]bool) error {
	low, high := prefixBounds([]byte{dataRegion})
	before := s.swept
	if before.disk != nil {
		low = append(before.disk[:len(before.disk):len(before.disk)], 0)
	}
	bound := oldest(s.observed, s.history)
	n := 0
	for p, err := range s.Space.Scan(low, high, false) {
		if err != nil {
			return storeError(s.Store.Name, err)
		}
		key, a, _, err := s.lay.parse(p.Key[1:])
		if err != nil {
			return storeError(s.Store.Name, err)
		}
		e := timedEntry{disk: append([]byte{}, p.Key...), key: append([]byte{}, key...)}
		follows := before.disk != nil && string(before.key) == string(key)
		dead := len(p.Value) == 1 && p.Value[0] == 0
		switch {
		case a > bound:
		case follows:
			b.Delete(s.Space, before.disk)
		case dead && !keep[string(key)]:
			b.Delete(s.Space, e.disk)
		}
		before = e
		if n++; n >= sweepEntries {
			s.swept = before
			return nil
		}
	}
	s.swept = timedEntry{}
	return nil
}
