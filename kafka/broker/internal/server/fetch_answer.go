package server

import (
	"encoding/binary"
	"net"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
)

// flexibleFetch is the version of Fetch since which answers have tags.
const flexibleFetch = 12

// answer sends what was read, from the memory it was read into.
func (f *fetch) answer() {
	e := fetchEncoder{version: f.req.Version}
	told := f.told()
	e.begin(f.mostEncoded())
	e.head(f.sessionID())
	e.count(told.topics)
	for i := 0; i < len(f.wants); {
		n := f.topic(i)
		if count := f.toldOf(i, n); count > 0 {
			e.topic(&f.wants[i])
			e.count(count)
			for j := i; j < i+n; j++ {
				if w := &f.wants[j]; f.tells(w) {
					e.partition(w, f.committed)
				}
			}
			e.tags()
		}
		i += n
	}
	e.tags()
	f.session.told(f)
	memory := f.memory
	f.memory = nil
	f.call.reply(&wire.Spliced{Parts: e.finish(), Flexible: e.flexible(), Release: func() {
		memory.release()
		e.buffer.Put()
	}})
}

func (f *fetch) sessionID() int32 {
	if f.session == nil {
		return 0
	}
	return f.session.id
}

type told struct{ topics int }

func (f *fetch) told() (t told) {
	for i := 0; i < len(f.wants); {
		n := f.topic(i)
		if f.toldOf(i, n) > 0 {
			t.topics++
		}
		i += n
	}
	return t
}

// topic returns how many partitions from the i-th on are of its topic.
func (f *fetch) topic(i int) int {
	n := 1
	for i+n < len(f.wants) && f.wants[i+n].name == f.wants[i].name && f.wants[i+n].id == f.wants[i].id {
		n++
	}
	return n
}

func (f *fetch) toldOf(i, n int) (count int) {
	for j := i; j < i+n; j++ {
		if f.tells(&f.wants[j]) {
			count++
		}
	}
	return count
}

// tells says whether an answer has a partition in it.
func (f *fetch) tells(w *want) bool {
	return !f.incremental || len(w.data) > 0 || w.err != nil || w.diverging != nil || w.part.news(w)
}

// Bytes of an answer, at most, without names, aborted transactions and records.
const (
	mostFetchHead      = 32
	mostFetchTopic     = 32
	mostFetchPartition = 96
	fetchAborted       = 17
)

func (f *fetch) mostEncoded() int {
	n := mostFetchHead
	for i := range f.wants {
		w := &f.wants[i]
		n += mostFetchTopic + len(w.name) + mostFetchPartition + len(w.aborted)*fetchAborted
	}
	return n
}

// fetchEncoder writes an answer of which records are no part: they are sent from where
// they are.
type fetchEncoder struct {
	version int16
	buffer  *wire.Buffer
	b       []byte // in buffer, which has room
	parts   net.Buffers
	cut     int // of b, up to which it is in parts
}

func (e *fetchEncoder) flexible() bool { return e.version >= flexibleFetch }

func (e *fetchEncoder) begin(most int) {
	e.buffer = wire.GetBuffer(most)
	e.b = e.buffer.B[:0]
}

func (e *fetchEncoder) head(session int32) {
	e.int32(0) // throttle
	if e.version >= 7 {
		e.int16(0)
		e.int32(session)
	}
}

func (e *fetchEncoder) topic(w *want) {
	if e.version >= byTopicID {
		e.b = append(e.b, w.id[:]...)
		return
	}
	if e.flexible() {
		e.uvarint(len(w.name) + 1)
	} else {
		e.int16(int16(len(w.name)))
	}
	e.b = append(e.b, w.name...)
}

func (e *fetchEncoder) partition(w *want, committed bool) {
	e.int32(w.index)
	if w.err != nil {
		e.int16(w.err.Code)
		w.offsets.HighWatermark, w.offsets.Stable, w.offsets.Start = -1, -1, -1
	} else {
		e.int16(0)
	}
	e.int64(w.offsets.HighWatermark)
	e.int64(w.offsets.Stable)
	if e.version >= 5 {
		e.int64(w.offsets.Start)
	}
	e.aborted(w, committed && w.err == nil)
	if e.version >= 11 {
		e.int32(-1) // there is no replica to prefer
	}
	e.records(w.data)
	if w.diverging != nil && e.flexible() {
		e.b = append(e.b, 1, 0, 4+8+1) // one tag, 0, of this size
		e.int32(w.diverging.Epoch)
		e.int64(w.diverging.Start)
	}
	e.tags()
}

// aborted writes transactions, none of them for readers who do not ask.
func (e *fetchEncoder) aborted(w *want, committed bool) {
	if !committed {
		if e.flexible() {
			e.uvarint(0)
		} else {
			e.int32(-1)
		}
		return
	}
	e.count(len(w.aborted))
	for _, a := range w.aborted {
		e.int64(a.ProducerID)
		e.int64(a.First)
		e.tags()
	}
}

func (e *fetchEncoder) records(data []byte) {
	if e.flexible() {
		e.uvarint(len(data) + 1)
	} else {
		e.int32(int32(len(data)))
	}
	if len(data) > 0 {
		e.parts = append(e.parts, e.b[e.cut:len(e.b):len(e.b)], data)
		e.cut = len(e.b)
	}
}

func (e *fetchEncoder) finish() net.Buffers { return append(e.parts, e.b[e.cut:]) }

func (e *fetchEncoder) count(n int) {
	if e.flexible() {
		e.uvarint(n + 1)
	} else {
		e.int32(int32(n))
	}
}

func (e *fetchEncoder) tags() {
	if e.flexible() {
		e.b = append(e.b, 0)
	}
}

func (e *fetchEncoder) int16(v int16) { e.b = binary.BigEndian.AppendUint16(e.b, uint16(v)) }
func (e *fetchEncoder) int32(v int32) { e.b = binary.BigEndian.AppendUint32(e.b, uint32(v)) }
func (e *fetchEncoder) int64(v int64) { e.b = binary.BigEndian.AppendUint64(e.b, uint64(v)) }
func (e *fetchEncoder) uvarint(v int) { e.b = binary.AppendUvarint(e.b, uint64(v)) }
