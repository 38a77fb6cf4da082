package log

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// recovery opens segments. Those that the checkpoint knows to be on the disk are not
// read; the others are.
type recovery struct {
	*Log
	checkpoint *checkpoint // nil: nothing is known
	changed    bool
}

// segmentsOf opens the segments in order.
func (r *recovery) segmentsOf(names []segmentName) error {
	r.missing(names)
	torn := false
	for i, n := range names {
		s := &segment{segmentName: n, fs: r.fs, dir: r.dir, next: n.base, maxTime: -1, created: r.millis(), appended: r.millis()}
		if torn {
			if err := r.afterTorn(s); err != nil {
				return err
			}
			continue
		}
		var err error
		if s.file, err = r.fs.Open(s.path(segmentSuffix)); err != nil {
			return err
		}
		r.segments = append(r.segments, s)
		last := i == len(names)-1
		end := int64(-1)
		if !last {
			end = names[i+1].base
		}
		if torn, err = r.segment(s, last, end); err != nil {
			return fmt.Errorf("%s: %w", s.path(segmentSuffix), err)
		}
		torn = torn || !last && r.gap(s, names[i+1])
	}
	return nil
}

// gap says whether offsets are missing before a segment that the checkpoint does not
// know. The power went before that was synced, and some of it came to the disk: the log
// ends where the gap begins. A gap that the checkpoint knows is one of the log.
func (r *recovery) gap(s *segment, next segmentName) bool {
	if known, _ := r.known(next); r.checkpoint == nil || known != nil || next.gen > 0 {
		return false
	}
	return next.base != s.next && next.base != s.end
}

// missing reports files that the checkpoint has and the folder has not.
func (r *recovery) missing(names []segmentName) {
	if r.checkpoint == nil {
		return
	}
	for _, s := range r.checkpoint.segments {
		there := slices.ContainsFunc(names, func(n segmentName) bool { return n == s.segmentName || n.covers(s.segmentName) })
		if !there && s.size > 0 && s.next > r.start {
			file := r.dir + "/" + s.String() + segmentSuffix
			r.report.Quarantined = append(r.report.Quarantined, Damage{File: file, Offset: s.base, Reason: "the file is missing"})
		}
	}
}

// segment reads what the checkpoint does not vouch for. torn says that a tail was cut.
func (r *recovery) segment(s *segment, last bool, end int64) (torn bool, err error) {
	size, err := s.file.Size()
	if err != nil {
		return false, err
	}
	known, isTail := r.known(s.segmentName)
	if known != nil && size >= known.size {
		s.size, s.next, s.maxTime, s.created, s.appended = known.size, known.next, known.maxTime, known.created, known.appended
		s.synced.Store(s.size)
		if !isTail {
			return false, nil
		}
		if err := r.tailIndex(s); err != nil {
			return false, err
		}
		return r.tail(s, size, last)
	}
	if known != nil {
		r.report.Quarantined = append(r.report.Quarantined, Damage{
			File: s.path(segmentSuffix), At: size, Offset: s.base, Reason: fmt.Sprintf("its end is missing: %d bytes were there", known.size),
		})
	}
	s.idx = newIndex()
	afterCheckpoint := r.checkpoint != nil && s.gen == 0 && s.base >= r.checkpoint.segments[len(r.checkpoint.segments)-1].base
	if last || afterCheckpoint && known == nil {
		return r.tail(s, size, last)
	}
	return false, r.middle(s, size, end)
}

func (r *recovery) known(n segmentName) (state *segmentState, isTail bool) {
	if r.checkpoint == nil {
		return nil, false
	}
	all := r.checkpoint.segments
	for i := range all {
		if all[i].segmentName == n {
			return &all[i], i == len(all)-1
		}
	}
	return nil, false
}

// tailIndex loads the index of the part that the checkpoint vouches for.
func (r *recovery) tailIndex(s *segment) error {
	x, err := readIndex(r.fs, s.path(indexSuffix))
	if err != nil {
		x = newIndex()
	}
	s.idx, err = s.rebuild(x.cut(s.size), s.size)
	if errors.Is(err, errBad) { // a damaged header in synced data: an index without it
		s.idx, err = &index{upTo: s.size, maxTime: s.maxTime}, nil
	}
	return err
}

// tail reads batches after those that are known, up to the first one that is none, and
// cuts there.
func (r *recovery) tail(s *segment, size int64, last bool) (torn bool, err error) {
	scan := newScanner(s.file, s.size, size, true)
	for {
		h, b, err := scan.next()
		if err == nil {
			err = s.follows(s.next, h)
		}
		if err == io.EOF {
			return false, nil
		}
		if errors.Is(err, errBad) {
			return true, r.cut(s, size, err)
		}
		if err != nil {
			return false, err
		}
		// Written again, because of a sync that failed before: the system may have it in
		// memory alone, and take it for written.
		if _, err := s.file.WriteAt(b, s.size); err != nil {
			return false, err
		}
		r.take(s, h, b)
	}
}

// take adds a batch that is in the file to the state.
func (r *recovery) take(s *segment, h batch.Header, b []byte) {
	s.added(h, r.millis())
	r.report.Scanned += int64(h.Size)
	r.epochs = withEpoch(r.epochs, h)
	if r.checkpoint == nil || h.BaseOffset >= r.checkpoint.next {
		r.produced(h, b)
	}
}

// produced tells the producers of a batch that is in the log.
func (l *Log) produced(h batch.Header, b []byte) {
	if !h.Control() {
		l.producers.Appended(h, l.millis())
		return
	}
	if m, ok, err := batch.ReadMarker(b); ok && err == nil {
		l.producers.Ended(m, h.BaseOffset, l.millis())
	}
}

// cut ends a segment after its good batches. What is cut off is kept where batches are
// in it.
func (r *recovery) cut(s *segment, size int64, reason error) error {
	r.changed = true
	d := Damage{File: s.path(segmentSuffix), At: s.size, Offset: s.next, Reason: reason.Error()}
	next, err := nextBatch(s.file, s.size+1, size, s.next)
	if err != nil {
		return err
	}
	if next < size {
		d.As = fmt.Sprintf("%s.%d%s", s.path(segmentSuffix), s.size, quarantineSuffix)
		if err := r.copyRanges(s, []span{{s.size, size}}, d.As); err != nil {
			return err
		}
		if err := r.fs.SyncDir(r.dir); err != nil {
			return err
		}
		r.report.Quarantined = append(r.report.Quarantined, d)
	} else {
		r.report.Truncated = append(r.report.Truncated, d)
	}
	if err := s.file.Truncate(s.size); err != nil {
		return err
	}
	return s.file.Sync() // or the power takes it back when other batches are here
}

// afterTorn keeps a segment out of the log whose predecessor was cut.
func (r *recovery) afterTorn(s *segment) error {
	r.changed = true
	file := s.path(segmentSuffix)
	if data, err := vfs.ReadFile(r.fs, file, 0); err == nil && len(data) == 0 {
		return r.fs.Remove(file)
	}
	r.report.Quarantined = append(r.report.Quarantined, Damage{
		File: file, As: file + quarantineSuffix, Offset: s.base, Reason: "the segment before it was torn",
	})
	return r.fs.Rename(file, file+quarantineSuffix)
}

// span is a part of a file.
type span struct{ from, to int64 }

// middle reads a whole segment that others follow. Damaged parts leave a gap of offsets:
// the good batches go to a new file, and the damaged one is kept under another name.
func (r *recovery) middle(s *segment, size, end int64) error {
	var good []span
	var damage error
	at := Damage{File: s.path(segmentSuffix), As: s.path(segmentSuffix) + quarantineSuffix}
	for pos := int64(0); pos < size; {
		scan := newScanner(s.file, pos, size, true)
		bad := r.run(s, scan, end, damage != nil)
		if scan.pos > pos {
			good = append(good, span{pos, scan.pos})
		}
		if bad == nil {
			break
		}
		if !errors.Is(bad, errBad) {
			return bad
		}
		if damage == nil {
			damage, at.At, at.Offset, at.Reason = bad, scan.pos, s.next, bad.Error()
		}
		var err error
		if pos, err = nextBatch(s.file, scan.pos+1, size, s.next); err != nil {
			return err
		}
	}
	if s.gen == 0 && damage == nil && s.next < end {
		at.Reason, at.At, at.Offset = "batches are missing at its end", size, s.next
		at.As = ""
		r.report.Quarantined = append(r.report.Quarantined, at)
	}
	if damage == nil {
		return nil
	}
	r.report.Quarantined = append(r.report.Quarantined, at)
	r.changed = true
	return r.replace(s, good, size, end, at.As)
}

// run takes batches until the end, where it returns nil, or the first bad one. The CRC
// does not cover offsets: only after a damaged part may the first batch skip some.
func (r *recovery) run(s *segment, scan *scanner, end int64, skips bool) error {
	for {
		before := scan.pos
		h, b, err := scan.next()
		if err == io.EOF {
			return nil
		}
		misplaced := h.BaseOffset < s.next || s.gen == 0 && !skips && h.BaseOffset > s.next || h.NextOffset() > end
		if err == nil && misplaced {
			scan.pos = before
			err = fmt.Errorf("%w: offset %d where %d follows", errBad, h.BaseOffset, s.next)
		}
		if err != nil {
			return err
		}
		r.take(s, h, b)
		skips = false
	}
}

// replace puts a file of the good parts in the place of a segment, and keeps the others.
func (r *recovery) replace(s *segment, good []span, size, end int64, quarantine string) error {
	old := s.segmentName
	renewed := &segment{segmentName: segmentName{base: s.base, end: end, gen: s.gen + 1}, fs: s.fs, dir: s.dir}
	if err := r.copyRanges(s, between(good, size), quarantine); err != nil {
		return err
	}
	if err := r.copyRanges(s, good, renewed.path(newSuffix)); err != nil {
		return err
	}
	if err := r.fs.SyncDir(r.dir); err != nil { // what is kept is there before what it was in goes
		return err
	}
	if err := r.fs.Rename(renewed.path(newSuffix), renewed.path(segmentSuffix)); err != nil {
		return err
	}
	if err := r.fs.SyncDir(r.dir); err != nil {
		return err
	}
	f, err := r.fs.Open(renewed.path(segmentSuffix))
	if err != nil {
		return err
	}
	_ = s.file.Close()
	s.file, s.segmentName = f, renewed.segmentName
	return r.fs.Remove(s.dir + "/" + old.String() + segmentSuffix)
}

// between are the parts of a file that are in none of those.
func between(parts []span, size int64) (others []span) {
	at := int64(0)
	for _, p := range parts {
		if p.from > at {
			others = append(others, span{at, p.from})
		}
		at = p.to
	}
	if at < size {
		others = append(others, span{at, size})
	}
	return others
}

// copyRanges writes parts of a segment to a file, synced.
func (r *recovery) copyRanges(s *segment, parts []span, name string) error {
	f, err := r.fs.Create(name)
	if err != nil {
		return err
	}
	buf, at := make([]byte, scanBuffer), int64(0)
	for _, p := range parts {
		for p.from < p.to && err == nil {
			n := min(int64(len(buf)), p.to-p.from)
			if _, err = s.file.ReadAt(buf[:n], p.from); err == nil || err == io.EOF {
				_, err = f.WriteAt(buf[:n], at)
			}
			at, p.from = at+n, p.from+n
		}
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// nextBatch returns the position of the first whole batch at or after from with at
// least that offset, or end.
func nextBatch(f io.ReaderAt, from, end, offset int64) (int64, error) {
	window := make([]byte, scanBuffer)
	for ; end-from >= batch.HeaderSize; from += int64(len(window)) - batch.HeaderSize + 1 {
		window = window[:min(int64(cap(window)), end-from)]
		if n, err := f.ReadAt(window, from); n < len(window) {
			return 0, noEOF(err)
		}
		for i := 0; i+batch.HeaderSize <= len(window); i++ {
			h, err := batch.Parse(window[i:])
			if err != nil || h.BaseOffset < offset || h.BaseOffset-offset > 1<<32 || h.Size > maxBatch || int64(h.Size) > end-from-int64(i) {
				continue
			}
			b := make([]byte, h.Size)
			if n, err := f.ReadAt(b, from+int64(i)); n < len(b) {
				return 0, noEOF(err)
			}
			if _, err := batch.Verify(b); err == nil {
				return from + int64(i), nil
			}
		}
	}
	return end, nil
}
