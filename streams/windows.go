package streams

import (
	"fmt"
	"time"
)

// Windows are those of CountWindows, ReduceWindows and AggregateWindows: Tumbling,
// Hopping or Sliding.
type Windows interface {
	// Size of a window.
	Size() time.Duration
	// check says what is wrong with the definition.
	check() error
	// graceMs is for how long after its end a window takes records.
	graceMs() int64
	// retentionMs is for how long the store needs a window, counted from its start.
	retentionMs() int64
}

// TimeWindows are windows of one size, aligned to 1970: Start <= t < End.
type TimeWindows struct {
	size, advance, grace time.Duration
}

// Tumbling windows follow one another without gap or overlap. size is at least 1 ms.
func Tumbling(size time.Duration) TimeWindows { return TimeWindows{size: size, advance: size} }

// Hopping windows begin every advance, which is at most size: a record is in each of those
// that overlap at its time.
func Hopping(size, advance time.Duration) TimeWindows {
	return TimeWindows{size: size, advance: advance}
}

// Grace is for how long after the end of a window, in stream time, records that are late
// still count. The default is 0.
func (w TimeWindows) Grace(d time.Duration) TimeWindows { w.grace = d; return w }

// Size of a window.
func (w TimeWindows) Size() time.Duration { return w.size }

func (w TimeWindows) graceMs() int64     { return w.grace.Milliseconds() }
func (w TimeWindows) retentionMs() int64 { return w.size.Milliseconds() + w.grace.Milliseconds() }

func (w TimeWindows) check() error {
	switch {
	case w.size < time.Millisecond:
		return fmt.Errorf("windows of %s: the size is at least 1ms", w.size)
	case w.advance < time.Millisecond || w.advance > w.size:
		return fmt.Errorf("windows of %s that advance by %s: the advance is at least 1ms and at most the size", w.size, w.advance)
	case w.grace < 0:
		return fmt.Errorf("windows with a grace of %s: it is not negative", w.grace)
	}
	return nil
}

// firstStart is the start of the earliest window that t falls in; the others begin an
// advance apart, up to t.
func (w TimeWindows) firstStart(t int64) int64 {
	advance := w.advance.Milliseconds()
	return max(0, t-w.size.Milliseconds()+advance) / advance * advance
}

// SlidingWindows are the windows in which records lie at most a difference apart: for each
// record one that ends at its time and one that begins right after it, if there are records
// in it. Start <= t <= End.
type SlidingWindows struct {
	difference, grace time.Duration
}

// Sliding windows have records at most maxDifference apart.
func Sliding(maxDifference time.Duration) SlidingWindows {
	return SlidingWindows{difference: maxDifference}
}

// Grace is for how long after the end of a window, in stream time, records that are late
// still count. The default is 0.
func (w SlidingWindows) Grace(d time.Duration) SlidingWindows { w.grace = d; return w }

// Size of a window: the difference.
func (w SlidingWindows) Size() time.Duration { return w.difference }

func (w SlidingWindows) graceMs() int64 { return w.grace.Milliseconds() }
func (w SlidingWindows) retentionMs() int64 {
	return 2*w.difference.Milliseconds() + w.grace.Milliseconds()
}

func (w SlidingWindows) check() error {
	switch {
	case w.difference < 0:
		return fmt.Errorf("sliding windows of %s: the difference is not negative", w.difference)
	case w.grace < 0:
		return fmt.Errorf("sliding windows with a grace of %s: it is not negative", w.grace)
	}
	return nil
}

// SessionWindows are spans of activity: a session ends when its key has no record for
// longer than the gap. Start and End are the times of its first and last record.
type SessionWindows struct {
	gap, grace time.Duration
}

// Sessions whose records are at most gap apart, at least 1 ms.
func Sessions(gap time.Duration) SessionWindows { return SessionWindows{gap: gap} }

// Grace is for how long after a session has ended, in stream time, records that are late
// still count. The default is 0.
func (w SessionWindows) Grace(d time.Duration) SessionWindows { w.grace = d; return w }

// Gap is the longest time between two records of a session.
func (w SessionWindows) Gap() time.Duration { return w.gap }

// retentionMs is for how long the store needs a session, counted from its end; then it is
// closed too.
func (w SessionWindows) retentionMs() int64 { return w.gap.Milliseconds() + w.grace.Milliseconds() }

func (w SessionWindows) check() error {
	switch {
	case w.gap < time.Millisecond:
		return fmt.Errorf("sessions with a gap of %s: it is at least 1ms", w.gap)
	case w.grace < 0:
		return fmt.Errorf("sessions with a grace of %s: it is not negative", w.grace)
	}
	return nil
}

// JoinWindows say which records of two streams meet: those of the right whose time is
// from Before before to After after that of the left, both included.
type JoinWindows struct {
	before, after, grace time.Duration
}

// JoinWithin joins records whose times are at most d apart.
func JoinWithin(d time.Duration) JoinWindows { return JoinWindows{before: d, after: d} }

// Before is by how much the right record may be earlier than the left one; negative: by how
// much it must be later.
func (w JoinWindows) Before(d time.Duration) JoinWindows { w.before = d; return w }

// After is by how much the right record may be later than the left one; negative: by how
// much it must be earlier.
func (w JoinWindows) After(d time.Duration) JoinWindows { w.after = d; return w }

// Grace is for how long after the window's end, in stream time, records that are late are
// still joined, and unmatched ones of left and outer joins wait. The default is 0.
func (w JoinWindows) Grace(d time.Duration) JoinWindows { w.grace = d; return w }

// sizeMs is the span that before and after cover.
func (w JoinWindows) sizeMs() int64 { return w.before.Milliseconds() + w.after.Milliseconds() }

// retentionMs is for how long the stores of both sides need a record.
func (w JoinWindows) retentionMs() int64 { return w.sizeMs() + w.grace.Milliseconds() }

func (w JoinWindows) check() error {
	switch {
	case w.before+w.after < 0:
		return fmt.Errorf("join windows from %s before to %s after: together they are not negative", w.before, w.after)
	case w.grace < 0:
		return fmt.Errorf("join windows with a grace of %s: it is not negative", w.grace)
	}
	return nil
}
