package log

import (
	"fmt"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

// Restore puts a batch, with its offsets, into a log that was just opened, from a journal
// that has what was acknowledged. A batch that is there already is left out, so that a
// journal may be replayed any number of times. It says whether the batch was missing.
func (l *Log) Restore(b []byte) (bool, error) {
	h, err := batch.Verify(b)
	if err != nil {
		return false, fmt.Errorf("restore: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return false, l.failed
	}
	if h.NextOffset() <= l.next {
		return false, nil
	}
	if h.BaseOffset < l.next {
		return false, fmt.Errorf("restore offsets %d to %d: %w: the log ends at %d, within them", h.BaseOffset, h.LastOffset(), batch.ErrCorrupt, l.next)
	}
	now := l.millis()
	if h.BaseOffset > l.next || l.full(l.active(), h, now) {
		l.next = h.BaseOffset
		if err := l.roll(h.BaseOffset); err != nil {
			return false, err
		}
	}
	if err := l.put(l.active(), b[:h.Size], h, now); err != nil {
		return false, err
	}
	l.produced(h, b)
	l.highWatermark = l.next
	l.restable()
	return true, nil
}
