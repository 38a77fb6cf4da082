package assign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// User data begins with the version that wrote it and the least version that can read it, and
// ends with a CRC-32C of all before. A newer version adds to the end, which older ones
// leave alone, and raises the second where that is not enough.
const (
	version  = 1
	readable = 1
)

// ErrNewer: a newer version of the library wrote what this one cannot read.
var ErrNewer = errors.New("written by a newer version, which this one does not understand; update this instance")

// errDamaged: not what any version wrote.
var errDamaged = errors.New("damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type writer struct{ b []byte }

func newWriter() *writer { return &writer{[]byte{version, readable}} }

func (w *writer) number(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) flag(f bool) {
	if f {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *writer) task(id TaskID) {
	w.number(uint64(uint32(id.Sub)))
	w.number(uint64(uint32(id.Partition)))
}

func (w *writer) tasks(ids []TaskID) {
	w.number(uint64(len(ids)))
	for _, id := range ids {
		w.task(id)
	}
}

func (w *writer) finish() []byte {
	return binary.BigEndian.AppendUint32(w.b, crc32.Checksum(w.b, castagnoli))
}

// reader remembers its first error, and returns zeros after it.
type reader struct {
	b   []byte
	err error
}

func newReader(b []byte) *reader {
	r := &reader{}
	switch {
	case len(b) < 6 || crc32.Checksum(b[:len(b)-4], castagnoli) != binary.BigEndian.Uint32(b[len(b)-4:]):
		r.err = errDamaged
	case b[1] > version:
		r.err = fmt.Errorf("format %d: %w (it knows formats up to %d)", b[0], ErrNewer, version)
	default:
		r.b = b[2 : len(b)-4]
	}
	return r
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errDamaged
	}
	r.b = nil
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count of things that take at least so many bytes each.
func (r *reader) count(each int) int {
	n := r.number()
	if n > uint64(len(r.b)/each) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count(1)
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) flag() bool { return r.number() != 0 }

func (r *reader) int32() int32 {
	n := r.number()
	if n > 1<<31-1 {
		r.fail()
		return 0
	}
	return int32(n)
}

func (r *reader) task() TaskID { return TaskID{Sub: r.int32(), Partition: r.int32()} }

func (r *reader) tasks() []TaskID {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	out := make([]TaskID, n)
	for i := range out {
		out[i] = r.task()
	}
	return out
}

func (w *writer) has(h Host) {
	for _, ids := range [][]TaskID{h.Active, h.Pending, h.Standbys} {
		w.tasks(ids)
	}
}

func (r *reader) has(h *Host) { h.Active, h.Pending, h.Standbys = r.tasks(), r.tasks(), r.tasks() }

// encode makes the user data of a join. join differs each time: a broker answers a follower
// that joins as before without a rebalance.
func (s Subscription) encode(join uint64) []byte {
	w := newWriter()
	w.number(join)
	w.text(s.Process)
	w.text(s.Endpoint)
	w.number(uint64(max(s.Workers, 1)))
	w.flag(s.Shutdown)
	w.tasks(s.Standbys)
	w.number(uint64(len(s.Offsets)))
	for _, id := range sortedIDs(s.Offsets) {
		w.task(id)
		w.number(uint64(max(s.Offsets[id], 0)))
	}
	w.number(uint64(len(s.Static)))
	for _, h := range s.Static {
		w.text(h.Member)
		w.text(h.Instance)
		w.has(h)
	}
	return w.finish()
}

func decodeSubscription(b []byte) (Subscription, error) {
	r := newReader(b)
	r.number()
	s := Subscription{Process: r.text(), Endpoint: r.text(), Workers: int(r.int32()), Shutdown: r.flag(), Standbys: r.tasks()}
	n := r.count(3)
	if n > 0 {
		s.Offsets = make(map[TaskID]int64, n)
	}
	for range n {
		id := r.task()
		at := int64(r.number())
		if at < 0 {
			r.fail()
		}
		s.Offsets[id] = at
	}
	if len(r.b) > 0 { // the first versions did not say
		const leastStatic = 5
		for range r.count(leastStatic) {
			h := Host{Member: r.text(), Instance: r.text()}
			r.has(&h)
			s.Static = append(s.Static, h)
		}
	}
	if r.err != nil {
		return Subscription{}, r.err
	}
	return s, nil
}

func (a Assignment) encode() []byte {
	w := newWriter()
	w.flag(a.Shutdown)
	w.number(uint64(a.Probe.Milliseconds()))
	for _, ids := range [][]TaskID{a.Active, a.Pending, a.Standbys, a.Warmups} {
		w.tasks(ids)
	}
	w.number(uint64(len(a.Hosts)))
	for _, h := range a.Hosts {
		for _, s := range []string{h.Member, h.Instance, h.Process, h.Endpoint} {
			w.text(s)
		}
		w.has(h)
	}
	return w.finish()
}

func decodeAssignment(b []byte) (Assignment, error) {
	r := newReader(b)
	a := Assignment{Shutdown: r.flag(), Probe: time.Duration(r.int32()) * time.Millisecond}
	a.Active, a.Pending, a.Standbys, a.Warmups = r.tasks(), r.tasks(), r.tasks(), r.tasks()
	const leastHost = 7
	for range r.count(leastHost) {
		h := Host{Member: r.text(), Instance: r.text(), Process: r.text(), Endpoint: r.text()}
		r.has(&h)
		a.Hosts = append(a.Hosts, h)
	}
	if r.err != nil {
		return Assignment{}, r.err
	}
	return a, nil
}
