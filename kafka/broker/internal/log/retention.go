package log

import (
	"fmt"
)

// DeleteRecords raises the log start to offset, or to the high watermark where offset is
// -1. Once it has returned the start never goes back. It returns the log start, and
// fails with ErrOffsetOutOfRange past the high watermark.
func (l *Log) DeleteRecords(offset int64) (int64, error) {
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
	l.mu.RLock()
	mark, start := l.highWatermark, l.start
	l.mu.RUnlock()
	if offset == -1 {
		offset = mark
	}
	if offset > mark || offset < 0 {
		return start, fmt.Errorf("%w: %d, the high watermark is %d", ErrOffsetOutOfRange, offset, mark)
	}
	if offset <= start {
		return start, nil
	}
	if err := l.raiseStart(offset); err != nil {
		return start, err
	}
	return offset, nil
}

// raiseStart notes the new start on the disk first, then removes whole segments below
// it. It needs the maintenance lock.
func (l *Log) raiseStart(start int64) error {
	if err := l.checkpoint(start); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n+1 < len(l.segments) && l.segments[n+1].base <= l.start {
		l.segments[n].drop()
		n++
	}
	l.segments = append([]*segment(nil), l.segments[n:]...)
	l.producers.Forget(l.start)
	for len(l.epochs) > 1 && l.epochs[1].Start <= l.start {
		l.epochs = append([]EpochStart(nil), l.epochs[1:]...)
	}
	return nil
}

// Maintain begins a new segment where the last one is too old, forgets idle producers,
// removes old segments as the settings say and, where more than checkpointBytes were
// appended since, makes a checkpoint. It is for a timer, every few seconds.
func (l *Log) Maintain() error { return l.maintain(true) }

// Tend is Maintain without the removal of old segments, for a timer of its own: Kafka
// looks for those every five minutes.
func (l *Log) Tend() error { return l.maintain(false) }

func (l *Log) maintain(expire bool) error {
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
	start, roll := l.due(expire)
	if roll {
		l.mu.Lock()
		err := l.failed
		if err == nil {
			err = l.roll(l.next)
		}
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
	if start >= 0 {
		before := l.Segments()
		err := l.raiseStart(start)
		l.count(before)
		return err
	}
	if roll || l.Unsaved() > checkpointBytes {
		return l.checkpoint(0)
	}
	return nil
}

// Expired is what retention has removed since the log was opened.
type Expired struct{ Segments, Bytes int64 }

// Expired returns it.
func (l *Log) Expired() Expired {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.expiredSince
}

// count adds those segments that are no more to what retention has removed.
func (l *Log) count(before []Segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range before {
		if s.Base < l.segments[0].base {
			l.expiredSince.Segments++
			l.expiredSince.Bytes += s.Bytes
		}
	}
}

// checkpointBytes is how much a log that was killed has to read at most, with what came
// after the last Maintain.
const checkpointBytes = 128 << 20

// due forgets idle producers and says where the log is to start, -1 as now, and whether
// a new segment is to be begun.
func (l *Log) due(expire bool) (start int64, roll bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.millis()
	l.producers.Expire(now - l.config.ProducerExpiry.Milliseconds())
	active := l.active()
	if active.size > 0 && now-active.created >= l.config.SegmentAge.Milliseconds() {
		roll = true
	}
	n := 0
	if expire && l.config.deletes() {
		n = l.expired(now)
	}
	switch {
	case n == 0:
		return -1, roll
	case n < len(l.segments):
		return l.segments[n].base, roll
	}
	return l.next, true
}

// expired returns how many segments, from the first on, retention removes. All of them
// are below the high watermark.
func (l *Log) expired(now int64) (n int) {
	size := int64(0)
	for _, s := range l.segments {
		size += s.size
	}
	for ; n < len(l.segments); n++ {
		s := l.segments[n]
		last := n == len(l.segments)-1
		old := l.config.RetentionTime >= 0 && now-s.time() > l.config.RetentionTime.Milliseconds()
		large := l.config.RetentionBytes >= 0 && size-s.size >= l.config.RetentionBytes && !last
		if !old && !large || s.next > l.highWatermark || last && s.size == 0 {
			return n
		}
		size -= s.size
	}
	return n
}

// time is how old a segment is to retention: its largest timestamp, though not later
// than it was written, so that a timestamp in the future does not keep it for ever.
func (s *segment) time() int64 {
	if s.maxTime < 0 {
		return s.appended
	}
	return min(s.maxTime, s.appended)
}
