package log

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
)

// Compaction is what one run did: it looked at records up to the offset To.
type Compaction struct {
	To            int64
	Before, After int64 // bytes of the segments it replaced, and of those in their place
}

// Dirty returns the bytes of segments that could be compacted and were not yet, and the
// bytes of all that could be. Their quotient is Kafka's dirty ratio.
func (l *Log) Dirty() (dirty, all int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.compactable(l.millis()) {
		all += s.size
		if s.next > l.cleaned {
			dirty += s.size
		}
	}
	return dirty, all
}

// TombstonesDue says that Compact would remove tombstones or markers, though there be
// nothing new, because they have been seen DeleteRetention ago.
func (l *Log) TombstonesDue() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.tombstonesDue(l.millis())
}

func (l *Log) tombstonesDue(now int64) bool { return l.horizon > 0 && now >= l.horizon }

// compactable returns the segments that may be compacted: not the last one, whole below
// the last stable offset, and older than the lag.
func (l *Log) compactable(now int64) []*segment {
	n := 0
	for n+1 < len(l.segments) {
		s := l.segments[n]
		if l.segments[n+1].base > min(l.stable, l.highWatermark) || now-s.time() < l.config.MinCompactionLag.Milliseconds() {
			break
		}
		n++
	}
	return l.segments[:n]
}

// Compact keeps the last record of each key, of records below the last stable offset in
// older segments. New files are written, synced and put in place before the old ones
// go; appends and reads go on. memory bounds the keys' map, in bytes: where that is
// full, a next run goes on from there. It removes data of aborted transactions, then
// their markers and tombstones DeleteRetention after a run saw them first. A run that
// fails leaves the log as it was, unless the log says that it has failed.
func (l *Log) Compact(memory int) (Compaction, error) {
	l.compacting.Lock()
	defer l.compacting.Unlock()
	c := l.newCompactor(memory)
	defer c.release()
	if err := c.mapKeys(); err != nil {
		return Compaction{}, fmt.Errorf("compact %s: %w", l.dir, err)
	}
	if c.to <= c.from && !c.again {
		return Compaction{To: c.to}, nil
	}
	done := Compaction{To: c.to}
	for _, group := range c.groups() {
		before, after, err := c.rewrite(group)
		if errors.Is(err, errOvertaken) {
			return Compaction{To: c.from}, nil // the next run does it all
		}
		if err != nil {
			return done, fmt.Errorf("compact %s: %w", l.dir, err)
		}
		done.Before, done.After = done.Before+before, done.After+after
	}
	l.mu.Lock()
	l.cleaned, l.horizon = max(l.cleaned, c.to), c.next
	l.producers.Forget(c.to)
	l.mu.Unlock()
	return done, l.Checkpoint()
}

var errOvertaken = errors.New("segments were removed meanwhile")

// compactor is one run.
type compactor struct {
	*Log
	cfg      Config
	now      int64
	from, to int64 // what is mapped
	segments []*segment
	ends     []int64
	keys     *keyMap
	aborted  map[int64][]producer.Aborted
	lasts    map[int64]int64
	hasData  map[int64]bool // producers with data kept since their last marker
	again    bool           // tombstones may go
	next     int64          // when the first ones of those that stay may
}

func (l *Log) newCompactor(memory int) *compactor {
	l.mu.RLock()
	defer l.mu.RUnlock()
	c := &compactor{Log: l, cfg: l.config, now: l.millis(), from: l.cleaned, to: l.cleaned, keys: newKeyMap(memory),
		aborted: map[int64][]producer.Aborted{}, lasts: l.producers.Lasts(), hasData: map[int64]bool{}}
	for i, s := range l.compactable(c.now) {
		s.acquire()
		c.segments = append(c.segments, s)
		c.ends = append(c.ends, l.segments[i+1].base)
	}
	c.again = l.tombstonesDue(c.now)
	for _, a := range l.producers.Between(0, l.next) {
		c.aborted[a.ProducerID] = append(c.aborted[a.ProducerID], a)
	}
	return c
}

func (c *compactor) release() {
	for _, s := range c.segments {
		s.release()
	}
}

func (c *compactor) isAborted(h batch.Header) bool {
	return h.Transactional() && !h.Control() && slices.ContainsFunc(c.aborted[h.ProducerID], func(a producer.Aborted) bool {
		return a.First <= h.BaseOffset && h.BaseOffset < a.Last
	})
}

// mapKeys reads what was not compacted yet, as far as the keys fit.
func (c *compactor) mapKeys() error {
	for i, s := range c.segments {
		if c.ends[i] <= c.from {
			continue
		}
		full, err := c.mapSegment(s)
		if err != nil {
			return err
		}
		if full {
			return nil
		}
		c.to = c.ends[i]
	}
	return nil
}

func (c *compactor) mapSegment(s *segment) (full bool, err error) {
	err = each(s, func(h batch.Header, b []byte) error {
		if h.NextOffset() <= c.from || h.Control() || c.isAborted(h) {
			return nil
		}
		it, err := batch.Records(b, maxDecompressed)
		if err != nil {
			return err
		}
		for r, ok := it.Next(); ok; r, ok = it.Next() {
			if r.Key != nil && r.Offset >= c.from && !c.keys.put(r.Key, r.Offset) {
				full, c.to = true, max(c.to, r.Offset)
				return io.EOF
			}
		}
		return it.Err()
	})
	return full, err
}

// each calls f for the batches of a segment that is not written to any more.
func each(s *segment, f func(h batch.Header, b []byte) error) error {
	for scan := newScanner(s.file, 0, s.size, true); ; {
		at := scan.pos
		h, b, err := scan.next()
		if err == nil {
			err = f(h, b)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s at %d: %w", s.path(segmentSuffix), at, err)
		}
	}
}

// groups are segments that follow one another and may become one.
func (c *compactor) groups() [][]int {
	var groups [][]int
	size := int64(0)
	for i, s := range c.segments {
		if s.base >= c.to {
			break
		}
		n := len(groups)
		fits := n > 0 && size+s.size <= c.cfg.SegmentBytes && c.ends[i]-c.segments[groups[n-1][0]].base < 1<<31
		if !fits {
			groups, size = append(groups, nil), 0
			n++
		}
		groups[n-1], size = append(groups[n-1], i), size+s.size
	}
	return groups
}

// rewrite puts one new segment in the place of a group.
func (c *compactor) rewrite(group []int) (before, after int64, err error) {
	first, last := c.segments[group[0]], c.segments[group[len(group)-1]]
	renewed := &segment{
		segmentName: segmentName{base: first.base, end: c.ends[group[len(group)-1]]},
		fs:          c.fs, dir: c.dir, next: last.next, maxTime: -1, created: first.created, appended: last.appended, idx: newIndex(),
	}
	for _, i := range group {
		renewed.gen = max(renewed.gen, c.segments[i].gen+1)
		before += c.segments[i].size
	}
	if renewed.file, err = c.fs.Create(renewed.path(newSuffix)); err != nil {
		return 0, 0, err
	}
	changed, err := c.fill(renewed, group)
	if err == nil && (changed || len(group) > 1) {
		if err = renewed.file.Sync(); err == nil {
			return before, renewed.size, c.swap(renewed, group)
		}
	}
	err = errors.Join(err, renewed.file.Close(), c.fs.Remove(renewed.path(newSuffix)))
	return before, before, err
}

// fill writes what is kept of a group.
func (c *compactor) fill(to *segment, group []int) (changed bool, err error) {
	w := &writer{s: to}
	for _, i := range group {
		err := each(c.segments[i], func(h batch.Header, b []byte) error {
			kept, err := c.keep(h, b)
			if err != nil {
				return err
			}
			changed = changed || len(kept) != len(b) || len(b) > 0 && &kept[0] != &b[0]
			if len(kept) == 0 {
				return nil
			}
			return c.put(w, kept)
		})
		if err != nil {
			return false, err
		}
	}
	return changed, w.flush()
}

// put writes a batch that is kept, and notes when tombstones in it may go.
func (c *compactor) put(w *writer, kept []byte) error {
	h, err := batch.Parse(kept)
	if err != nil {
		return err
	}
	if at := h.DeleteHorizon(); h.HasDeleteHorizon() && at > c.now && (c.next == 0 || at < c.next) {
		c.next = at
	}
	return w.add(kept, h)
}

// writer collects batches into writes of scanBuffer bytes.
type writer struct {
	s   *segment
	buf []byte
	at  int64
}

func (w *writer) add(b []byte, h batch.Header) error {
	w.s.idx.add(w.s.base, h)
	w.s.size += int64(len(b))
	w.s.maxTime = max(w.s.maxTime, h.MaxTimestamp)
	if w.buf = append(w.buf, b...); len(w.buf) < scanBuffer {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	n, err := w.s.file.WriteAt(w.buf, w.at)
	w.at, w.buf = w.at+int64(n), w.buf[:0]
	return err
}

// swap makes the new segment that of the log. The old files go when nobody reads them.
// An error after the rename fails the log: which files it is in, nobody knows.
func (c *compactor) swap(renewed *segment, group []int) error {
	c.maintenance.Lock()
	defer c.maintenance.Unlock()
	c.mu.RLock()
	at := slices.Index(c.Log.segments, c.segments[group[0]])
	failed := c.failed
	c.mu.RUnlock()
	if at < 0 || failed != nil { // retention was faster
		if failed == nil {
			failed = errOvertaken
		}
		return errors.Join(failed, renewed.file.Close(), c.fs.Remove(renewed.path(newSuffix)))
	}
	if err := renewed.file.Close(); err != nil {
		return err
	}
	if err := c.fs.Rename(renewed.path(newSuffix), renewed.path(segmentSuffix)); err != nil {
		return c.Fail(err)
	}
	err := c.fs.SyncDir(c.dir)
	if err == nil {
		renewed.file, err = c.fs.Open(renewed.path(segmentSuffix))
	}
	if err != nil {
		return c.Fail(err)
	}
	renewed.synced.Store(renewed.size)
	renewed.saveIndex(renewed.size)
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(c.failed, ErrClosed) { // meanwhile, and nobody would close the new one
		return errors.Join(c.failed, renewed.file.Close())
	}
	c.Log.segments = slices.Concat(c.Log.segments[:at], []*segment{renewed}, c.Log.segments[at+len(group):])
	for _, i := range group {
		c.segments[i].drop()
	}
	return nil
}
