package log

import (
	"sort"
	"time"
)

// Segment is one file of a log, with the batches at offsets from Base up to Next.
type Segment struct {
	Base, Next, Bytes int64
	// Newest is the largest timestamp; zero without records.
	Newest time.Time
	// Active is the one that is appended to, Compacted one that compaction has seen.
	Active, Compacted bool
}

// Segments returns all, by offset.
func (l *Log) Segments() []Segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]Segment, len(l.segments))
	for i, s := range l.segments {
		all[i] = Segment{Base: s.base, Next: s.next, Bytes: s.size, Active: i == len(l.segments)-1, Compacted: s.next <= l.cleaned && s.size > 0}
		if s.maxTime >= 0 {
			all[i].Newest = time.UnixMilli(s.maxTime)
		}
	}
	return all
}

// File returns the name of the file with an offset, or of the one that it would be in.
func (l *Log) File(offset int64) string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].base > offset })
	return l.segments[max(i-1, 0)].path(segmentSuffix)
}
