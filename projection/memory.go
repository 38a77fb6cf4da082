package projection

import (
	"slices"
	"time"
)

// maxRemembered is of how many entities a range has the last offset in memory, by
// the newest events. Others are looked up.
const maxRemembered = 10_000

// memory is the offsets a range knows without asking.
type memory struct {
	last map[string]known
	// all says that an entity that is not in it has no offset.
	all    bool
	newest time.Time
	most   int
}

func newMemory(offsets []Offset, most int) *memory {
	m := &memory{last: make(map[string]known, len(offsets)), all: len(offsets) < most, most: most}
	for _, o := range offsets {
		m.put(o)
	}
	return m
}

// put remembers an offset, unless a later one of the entity is known.
func (m *memory) put(o Offset) {
	if was, ok := m.last[o.PersistenceID]; ok && (o.Time.Before(was.at) || o.Time.Equal(was.at) && o.SeqNr < was.seqNr) {
		return
	}
	m.last[o.PersistenceID] = known{o.SeqNr, o.Time}
	if o.Time.After(m.newest) {
		m.newest = o.Time
	}
}

// evict forgets the oldest where there are too many. It sorts, so it lets some
// more come together before it does; all must be stored.
func (m *memory) evict() {
	if len(m.last) <= m.most+m.most/4 {
		return
	}
	times := make([]time.Time, 0, len(m.last))
	for _, k := range m.last {
		times = append(times, k.at)
	}
	slices.SortFunc(times, time.Time.Compare)
	oldest := times[len(times)-m.most]
	for id, k := range m.last {
		if k.at.Before(oldest) {
			delete(m.last, id)
		}
	}
	m.all = false
	m.evictSame(oldest)
}

// evictSame makes room among those of one time.
func (m *memory) evictSame(at time.Time) {
	for id, k := range m.last {
		if len(m.last) <= m.most {
			return
		}
		if k.at.Equal(at) {
			delete(m.last, id)
		}
	}
}
