package killtest

import (
	"fmt"
	"sync"
	"time"
)

// record is what a client read.
type record struct {
	partition int32
	offset    int64
	key       string
	value     []byte // nil is a tombstone
	header    []byte // the value of its first header
	at        time.Time
}

// told is the record's message: a tombstone has it as a header.
func (r record) told() []byte {
	if r.value == nil {
		return r.header
	}
	return r.value
}

// content is a topic as it was read, by partition.
type content map[int32][]record

// each visits all records, and finds offsets that do not rise.
func (c content) each(f *findings, visit func(r record)) {
	for p, records := range c {
		for i, r := range records {
			if i > 0 && r.offset <= records[i-1].offset {
				f.add(reordered, "partition %d: offset %d comes after %d", p, r.offset, records[i-1].offset)
			}
			visit(r)
		}
	}
}

// messages is each with the values as messages.
func (c content) messages(f *findings, visit func(r record, m message)) {
	c.each(f, func(r record) {
		m, err := decode(r.told())
		if err != nil {
			f.add(torn, "partition %d, offset %d: %v", r.partition, r.offset, err)
			return
		}
		visit(r, m)
	})
}

// place is where a broker said that a record is.
type place struct {
	partition int32
	offset    int64
	at        time.Time
	bytes     int
}

// sequenceBook is of producers that number the records of each key. It is safe for
// concurrent use.
type sequenceBook struct {
	mu   sync.Mutex
	keys map[string]*sequence
}

type sequence struct {
	sent         int
	acknowledged map[int]place
}

func newSequenceBook() *sequenceBook { return &sequenceBook{keys: map[string]*sequence{}} }

// next numbers one more record.
func (b *sequenceBook) next(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.keys[key]
	if s == nil {
		s = &sequence{acknowledged: map[int]place{}}
		b.keys[key] = s
	}
	s.sent++
	return s.sent
}

func (b *sequenceBook) acknowledge(key string, seq int, at place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys[key].acknowledged[seq] = at
}

// acknowledged is how many records were.
func (b *sequenceBook) acknowledged() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.keys {
		n += len(s.acknowledged)
	}
	return n
}

// check compares the topic with the book. What was acknowledged must be where it was said to
// be, unless gone says that it may be missing; what was not may be there, once and in order.
func (b *sequenceBook) check(f *findings, c content, gone func(place) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := map[string]map[int]place{}
	last := map[string]int{}
	c.messages(f, func(r record, m message) {
		key := found[m.Key]
		if key == nil {
			key = map[int]place{}
			found[m.Key] = key
		}
		if before, twice := key[m.Seq]; twice {
			f.add(duplicated, "%s: number %d is at %s and %s", m.Key, m.Seq, before, placeOf(r))
			return
		}
		key[m.Seq] = placeOf(r)
		if m.Seq < last[m.Key] {
			f.add(reordered, "%s: number %d at %s comes after %d", m.Key, m.Seq, placeOf(r), last[m.Key])
		}
		last[m.Key] = max(last[m.Key], m.Seq)
		if s := b.keys[m.Key]; s == nil || m.Seq > s.sent || m.Key != r.key {
			f.add(wrong, "%s: number %d of record %q at %s was never sent", m.Key, m.Seq, r.key, placeOf(r))
		}
	})
	for key, s := range b.keys {
		for seq, want := range s.acknowledged {
			got, ok := found[key][seq]
			switch {
			case !ok && !gone(want):
				f.add(lost, "%s: number %d, acknowledged at %s", key, seq, want)
			case ok && (got.partition != want.partition || got.offset != want.offset):
				f.add(wrong, "%s: number %d is at %s and was acknowledged at %s", key, seq, got, want)
			}
		}
	}
}

func placeOf(r record) place {
	return place{partition: r.partition, offset: r.offset, at: r.at, bytes: len(r.value)}
}

func (p place) String() string { return fmt.Sprintf("%d@%d", p.partition, p.offset) }

// never is for topics that nothing goes from.
func never(place) bool { return false }

// places are where all is that was acknowledged.
func (b *sequenceBook) places() (all []place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.keys {
		for _, p := range s.acknowledged {
			all = append(all, p)
		}
	}
	return all
}
