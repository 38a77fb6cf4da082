package log_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

const folder = "/data/topic-0"

// rec is a record as the world knows it.
type rec struct {
	key, value string // value is empty for a tombstone
	pid        int64  // of its transaction, or -1
	aborted    bool
	open       bool
	unsure     bool // the end of its transaction failed, which may have happened or not
}

// sent is a producer's last batch.
type sent struct {
	data []byte
	at   log.Appended
}

// client is one producer.
type client struct {
	sequence int32
	first    int64 // of its open transaction, or -1
	last     *sent
}

// world writes to a log and knows what must be in it.
type world struct {
	rnd     *rand.Rand
	fs      vfs.FS
	log     *log.Log
	config  log.Config
	now     time.Time
	records map[int64]rec
	next    int64
	clients map[int64]*client
	value   int

	mu *sync.Mutex // guards what was acknowledged, which the hook of a file system reads
	acknowledged

	journaled bool // acknowledged by a journal, not by checkpoints
	journal   *commit.Journal
}

// acknowledged is what a power cut must not take.
type acknowledged struct {
	durable, durableStart int64
	durableSent           map[int64]sent
}

// promised returns a copy of what was acknowledged.
func (w *world) promised() acknowledged {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.acknowledged
	a.durableSent = maps.Clone(a.durableSent)
	return a
}

// given is the world with what had been acknowledged at some moment.
func (w *world) given(a acknowledged) *world {
	then := *w
	then.acknowledged = a
	return &then
}

var journalKey = commit.Key{Partition: 1}

// journalOptions are small, so that files are used again.
var journalOptions = commit.Options{FileBytes: 3000}

func (w *world) openJournal(fs vfs.FS, l *log.Log) (*commit.Journal, error) {
	j, _, err := commit.Open(fs, "/data/journal", journalOptions, func(commit.Key) *log.Log { return l })
	return j, err
}

// written appends to the log, or through the journal.
func (w *world) written(data []byte, h batch.Header) (log.Appended, error) {
	if !w.journaled {
		return w.log.Append(data, h, 1, nil)
	}
	return wait(func(done func(log.Appended, error)) { w.journal.Append(journalKey, w.log, data, h, 1, done) })
}

func (w *world) ended(m batch.Marker) (log.Appended, error) {
	if !w.journaled {
		return w.log.AppendMarker(m, 1, nil)
	}
	return wait(func(done func(log.Appended, error)) { w.journal.AppendMarker(journalKey, w.log, m, 1, done) })
}

func wait(start func(func(log.Appended, error))) (at log.Appended, err error) {
	done := make(chan struct{})
	start(func(a log.Appended, e error) { at, err = a, e; close(done) })
	<-done
	return at, err
}

func (w *world) close() error {
	var err error
	if w.journal != nil {
		err = w.journal.Close()
	}
	return errors.Join(err, w.log.Close())
}

// raised notes a log start that was promised.
func (w *world) raised(start int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.durableStart = max(w.durableStart, start)
}

func newWorld(rnd *rand.Rand, fs vfs.FS, config log.Config) *world {
	return &world{rnd: rnd, fs: fs, config: config, now: time.UnixMilli(1_000_000), records: map[int64]rec{},
		clients: map[int64]*client{}, mu: new(sync.Mutex), acknowledged: acknowledged{durableSent: map[int64]sent{}}}
}

func (w *world) open() (err error) {
	w.log, err = log.Open(w.fs, folder, w.config, func() time.Time { return w.now })
	if err == nil && w.journaled {
		w.journal, err = w.openJournal(w.fs, w.log)
	}
	return err
}

func (w *world) client(id int64) *client {
	if w.clients[id] == nil {
		w.clients[id] = &client{first: -1}
	}
	return w.clients[id]
}

// append sends a batch of a producer; those with odd ids use transactions.
func (w *world) append(id int64) error {
	c := w.client(id)
	var rs []batch.Record
	var model []rec
	for range 1 + w.rnd.IntN(3) {
		w.value++
		r := rec{key: fmt.Sprint("k", w.rnd.IntN(12)), value: fmt.Sprint("v", w.value), pid: -1}
		one := batch.Record{Timestamp: w.now.UnixMilli(), Key: []byte(r.key), Value: []byte(r.value)}
		if w.rnd.IntN(6) == 0 {
			r.value, one.Value = "", nil
		}
		rs, model = append(rs, one), append(model, r)
	}
	h := batch.Header{ProducerID: id, BaseSequence: c.sequence}
	if id%2 == 1 {
		h.Attributes = 0x10
		for i := range model {
			model[i].pid, model[i].open = id, true
		}
	}
	data := batch.Build(h, rs...)
	h, err := batch.Verify(data)
	if err != nil {
		return err
	}
	at, err := w.written(data, h)
	if err != nil {
		return err
	}
	if at.Duplicate || at.Base < w.next {
		return fmt.Errorf("new batch: %+v, the log had offsets up to %d", at, w.next)
	}
	for i, r := range model {
		w.records[at.Base+int64(i)] = r
	}
	if id%2 == 1 && c.first < 0 {
		c.first = at.Base
	}
	c.sequence += int32(len(rs))
	c.last = &sent{data, at}
	w.next = at.Last + 1
	if w.journaled {
		w.acknowledge()
	}
	return nil
}

// end ends a producer's transaction.
func (w *world) end(id int64) error {
	c := w.client(id)
	if c.first < 0 {
		return nil
	}
	commit := w.rnd.IntN(2) == 0
	at, err := w.ended(batch.Marker{ProducerID: id, Commit: commit})
	if err != nil {
		for o, r := range w.records {
			if r.pid == id && r.open {
				r.unsure = true
				w.records[o] = r
			}
		}
		return err
	}
	for o, r := range w.records {
		if r.pid == id && r.open {
			r.open, r.aborted = false, !commit
			w.records[o] = r
		}
	}
	c.first, w.next = -1, at.Last+1
	if w.journaled {
		w.acknowledge()
	}
	return nil
}

// checkpoint makes all that was appended durable.
func (w *world) checkpoint() error {
	if err := w.log.Checkpoint(); err != nil {
		return err
	}
	w.acknowledge()
	return nil
}

func (w *world) acknowledge() {
	w.log.SetHighWatermark(w.next)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.durable = w.next
	for id, c := range w.clients {
		if c.last != nil {
			w.durableSent[id] = *c.last
		}
	}
}

// step does something at random.
func (w *world) step() error {
	w.now = w.now.Add(time.Duration(w.rnd.IntN(50)) * time.Millisecond)
	switch n := w.rnd.IntN(30); {
	case n < 18:
		return w.append(w.rnd.Int64N(4))
	case n < 22:
		return w.end(1 + 2*w.rnd.Int64N(2))
	case n < 24:
		return w.checkpoint()
	case n < 26:
		if err := w.log.Maintain(); err != nil {
			return err
		}
		w.raised(w.log.Offsets().Start)
		return nil
	case n < 27 && !w.config.Compact:
		start, err := w.log.DeleteRecords(w.log.Offsets().HighWatermark / 2)
		w.raised(start)
		return err
	case n < 29 && w.config.Compact:
		_, err := w.log.Compact(w.rnd.IntN(3000))
		return err
	}
	return nil
}

// reopened checks what a file system left by a crash opens to.
func (w *world) reopened(fs vfs.FS) (*log.Log, error) {
	l, err := log.Open(fs, folder, w.config, func() time.Time { return w.now })
	if err != nil || !w.journaled {
		return l, errors.Join(err, w.checked(l))
	}
	j, err := w.openJournal(fs, l)
	if err != nil {
		return nil, err
	}
	return l, errors.Join(w.check(l), j.Close())
}

func (w *world) checked(l *log.Log) error {
	if l == nil {
		return nil
	}
	return w.check(l)
}

func (w *world) check(l *log.Log) error {
	o := l.Offsets()
	if o.Start < w.durableStart || o.Next < w.durable || o.HighWatermark < w.durable {
		return fmt.Errorf("acknowledged were %d to %d, and the log has %+v", w.durableStart, w.durable, o)
	}
	if q := l.Report().Quarantined; len(q) > 0 {
		for _, d := range q {
			if d.Offset < w.durable && !w.journaled {
				return fmt.Errorf("quarantined: %v, acknowledged up to %d", d, w.durable)
			}
		}
	}
	found, err := readAll(l, false)
	if err != nil {
		return err
	}
	if err := w.checkRecords(o, found); err != nil {
		return err
	}
	committed, err := readAll(l, true)
	if err != nil {
		return err
	}
	for offset, r := range committed {
		if known, ok := w.records[offset]; ok && offset < w.durable && !known.unsure && (known.aborted || known.open && offset < o.Stable) {
			return fmt.Errorf("read_committed sees %v at %d, which is %+v; %+v", r, offset, known, o)
		}
	}
	for offset, r := range w.records {
		if _, there := committed[offset]; !w.config.Compact && !there && offset >= o.Start && offset < o.Stable && offset < w.durable && !r.aborted && !r.unsure {
			return fmt.Errorf("read_committed does not see %+v at %d; %+v", r, offset, o)
		}
	}
	return w.checkRetries(l)
}

func (w *world) checkRecords(o log.Offsets, found map[int64]rec) error {
	for offset, r := range found {
		if known, ok := w.records[offset]; ok && (known.key != r.key || known.value != r.value) {
			return fmt.Errorf("offset %d has %+v, and %+v was written", offset, r, known)
		}
		if _, ok := w.records[offset]; !ok && offset < w.next {
			return fmt.Errorf("offset %d has %+v, and nothing was written", offset, r)
		}
	}
	latest := map[string]int64{}
	for offset, r := range found {
		latest[r.key] = max(latest[r.key], offset)
	}
	for offset, r := range w.records {
		if offset < o.Start || offset >= w.durable {
			continue
		}
		if _, there := found[offset]; there {
			continue
		}
		if !w.config.Compact {
			return fmt.Errorf("%+v at %d was acknowledged and is lost; %+v", r, offset, o)
		}
		if !r.aborted && !r.unsure && r.value != "" && !w.superseded(offset, r) {
			return fmt.Errorf("%+v at %d is a key's last one and is lost; the latest is at %d; %+v", r, offset, latest[r.key], o)
		}
	}
	return nil
}

// superseded says whether a later record of the key counts.
func (w *world) superseded(offset int64, r rec) bool {
	for later, other := range w.records {
		if later > offset && other.key == r.key && !other.aborted && (!other.open || other.unsure) && later < w.durable {
			return true
		}
	}
	return false
}

// checkRetries sends each producer's last acknowledged batch again.
func (w *world) checkRetries(l *log.Log) error {
	next := l.Offsets().Next
	for id, s := range w.durableSent {
		h, err := batch.Parse(s.data)
		if err != nil {
			return err
		}
		at, err := l.Append(append([]byte(nil), s.data...), h, 1, nil)
		switch {
		case errors.Is(err, producer.ErrOutOfOrderSequence), errors.Is(err, producer.ErrInvalidEpoch):
		case err != nil:
			return err
		case !at.Duplicate || at.Base != s.at.Base:
			return fmt.Errorf("a retry of producer %d was appended: %+v, first at %+v", id, at, s.at)
		}
	}
	if now := l.Offsets().Next; now != next {
		return fmt.Errorf("retries moved the end from %d to %d", next, now)
	}
	return nil
}

// readAll returns the records that a consumer sees.
func readAll(l *log.Log, committed bool) (map[int64]rec, error) {
	found := map[int64]rec{}
	o := l.Offsets()
	for offset := o.Start; ; {
		got, err := l.Read(offset, 300, committed, nil)
		if err != nil {
			return nil, err
		}
		if len(got.Data) == 0 {
			return found, nil
		}
		for data := got.Data; len(data) > 0; {
			h, err := batch.Verify(data)
			if err != nil {
				return nil, fmt.Errorf("read at %d: %w", offset, err)
			}
			if h.LastOffset() < offset {
				return nil, fmt.Errorf("read at %d returned offsets %d to %d", offset, h.BaseOffset, h.LastOffset())
			}
			if !h.Control() && !(committed && hides(got.Aborted, h)) {
				if err := addRecords(found, data, o.Start); err != nil {
					return nil, err
				}
			}
			offset = h.NextOffset()
			data = data[h.Size:]
		}
	}
}

func hides(aborted []producer.Aborted, h batch.Header) bool {
	for _, a := range aborted {
		if h.Transactional() && a.ProducerID == h.ProducerID && a.First <= h.BaseOffset && h.BaseOffset < a.Last {
			return true
		}
	}
	return false
}

func addRecords(found map[int64]rec, data []byte, start int64) error {
	it, err := batch.Records(data, 1<<20)
	if err != nil {
		return err
	}
	for r, ok := it.Next(); ok; r, ok = it.Next() {
		if _, twice := found[r.Offset]; twice {
			return fmt.Errorf("offset %d is there twice", r.Offset)
		}
		if r.Offset >= start {
			found[r.Offset] = rec{key: string(r.Key), value: string(r.Value)}
		}
	}
	return it.Err()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
