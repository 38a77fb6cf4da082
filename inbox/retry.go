package inbox

import (
	"container/heap"
	"slices"
	"time"
)

// schedule knows what waits in a lane, and what is due. A key is a line: only
// its oldest message may be tried. Messages without a key are each a line of
// their own.
//
// It holds rows without headers and values, and does no I/O.
type schedule struct {
	lines map[lineKey]*line
	due   dueHeap
	bytes int64
	rows  int
}

type lineKey struct {
	key    string
	offset int64 // of a message without a key, else 0
}

// line is never empty; rows are in the order of their offsets.
type line struct {
	key  lineKey
	rows []Waiting
	at   int // index in the heap
}

func newSchedule(rows []Waiting) *schedule {
	s := &schedule{lines: map[lineKey]*line{}}
	for _, row := range rows {
		s.put(row)
	}
	return s
}

func lineOf(row Waiting) lineKey {
	if row.Key == "" {
		return lineKey{offset: row.Offset}
	}
	return lineKey{key: row.Key}
}

// state says whether a fresh message of that key may be handled.
func (s *schedule) state(key string) lineState {
	l, ok := s.lines[lineKey{key: key}]
	switch {
	case key == "" || !ok:
		return lineFree
	case l.rows[0].Parked:
		return lineParked
	}
	return lineWaits
}

// next is the row to try first, and when: parked lines never are.
func (s *schedule) next() (Waiting, bool) {
	if len(s.due) == 0 || s.due[0].rows[0].Parked {
		return Waiting{}, false
	}
	return s.due[0].rows[0], true
}

// put adds a row, or replaces the one of its offset.
func (s *schedule) put(row Waiting) {
	row.Headers, row.Value = nil, nil
	key := lineOf(row)
	l, ok := s.lines[key]
	if !ok {
		l = &line{key: key, rows: []Waiting{row}}
		s.lines[key] = l
		heap.Push(&s.due, l)
	} else if at, found := l.find(row.Offset); found {
		s.count(l.rows[at], -1)
		l.rows[at] = row
		heap.Fix(&s.due, l.at)
	} else {
		l.rows = slices.Insert(l.rows, at, row)
		heap.Fix(&s.due, l.at)
	}
	s.count(row, 1)
}

// remove takes a row out; its follower is next in line.
func (s *schedule) remove(row Waiting) {
	l, ok := s.lines[lineOf(row)]
	if !ok {
		return
	}
	at, found := l.find(row.Offset)
	if !found {
		return
	}
	s.count(l.rows[at], -1)
	l.rows = slices.Delete(l.rows, at, at+1)
	if len(l.rows) == 0 {
		delete(s.lines, l.key)
		heap.Remove(&s.due, l.at)
		return
	}
	heap.Fix(&s.due, l.at)
}

func (s *schedule) count(row Waiting, sign int64) {
	s.bytes += sign * row.Size
	s.rows += int(sign)
}

func (l *line) find(offset int64) (int, bool) {
	return slices.BinarySearchFunc(l.rows, offset, func(row Waiting, offset int64) int {
		return int(max(-1, min(1, row.Offset-offset)))
	})
}

// dueHeap has the line on top whose first row is due first; parked ones are at
// the bottom. Rows due at one time go by offset.
type dueHeap []*line

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool {
	a, b := h[i].rows[0], h[j].rows[0]
	if a.Parked != b.Parked {
		return b.Parked
	}
	if !a.Next.Equal(b.Next) {
		return a.Next.Before(b.Next)
	}
	return a.Offset < b.Offset
}

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *dueHeap) Push(x any) {
	l := x.(*line)
	l.at = len(*h)
	*h = append(*h, l)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}

// until is how long to wait for a row, 0 where it is due.
func until(row Waiting, now time.Time) time.Duration { return max(0, row.Next.Sub(now)) }
