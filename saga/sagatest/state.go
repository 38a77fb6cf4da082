package sagatest

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// state is where a schedule stands.
type state struct {
	world, instance int32
	now             int64
	// entries are what is under way, by queue and within it in order.
	entries []entry
	spent   spent
	// requests that were made, a bit each.
	requests uint64
}

// spent counts what is bounded.
type spent struct{ duplicates, timeouts, crashes, cancels, acts uint8 }

// entry is a message on its way to one receiver.
type entry struct {
	queue, message int32
	to, copy       uint8
}

// late is the queue of messages that come again, in no order.
const late = -1

// key tells states apart.
type key [16]byte

func (st *state) key(buffer []byte) (key, []byte) {
	b := binary.LittleEndian.AppendUint32(buffer[:0], uint32(st.world))
	b = binary.LittleEndian.AppendUint32(b, uint32(st.instance))
	b = binary.LittleEndian.AppendUint64(b, uint64(st.now))
	b = binary.LittleEndian.AppendUint64(b, st.requests)
	b = append(b, st.spent.duplicates, st.spent.timeouts, st.spent.crashes, st.spent.cancels, st.spent.acts)
	for _, e := range st.entries {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.queue))
		b = binary.LittleEndian.AppendUint32(b, uint32(e.message))
		b = append(b, e.to, e.copy)
	}
	sum := sha256.Sum256(b)
	return key(sum[:16]), b
}

// copyInto makes scratch the same as st.
func (st *state) copyInto(scratch *state) {
	entries := append(scratch.entries[:0], st.entries...)
	*scratch = *st
	scratch.entries = entries
}

func (st *state) clone() *state {
	c := *st
	c.entries = slices.Clone(st.entries)
	return &c
}

// insert adds an entry behind those of its queue; late ones are sorted.
func (st *state) insert(e entry) {
	at := len(st.entries)
	for at > 0 && before(e, st.entries[at-1]) {
		at--
	}
	st.entries = slices.Insert(st.entries, at, e)
}

func before(a, b entry) bool {
	if a.queue != b.queue || a.queue != late {
		return a.queue < b.queue
	}
	if a.message != b.message {
		return a.message < b.message
	}
	return a.to < b.to || a.to == b.to && a.copy < b.copy
}

// head says whether the i-th entry is the next of its queue.
func (st *state) head(i int) bool {
	e := st.entries[i]
	return e.queue == late || i == 0 || st.entries[i-1].queue != e.queue
}
