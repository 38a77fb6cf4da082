package projection

import (
	"context"
	"time"
)

// Offsets are kept this long behind the newest of their range, as in Pekko; what a
// cursor has not passed is kept longer.
const (
	keepOffsets  = 5 * time.Minute
	trimInterval = 30 * time.Second
)

// mayTrim notes how far offsets are not needed any more; while the reader
// backtracks all are.
func (t *tenure) mayTrim(backtracking bool) {
	t.trimMu.Lock()
	defer t.trimMu.Unlock()
	t.trimBefore = time.Time{}
	if newest := t.screen.memory.newest; !backtracking && !newest.IsZero() {
		t.trimBefore = newest.Add(-keepOffsets)
	}
}

// trim deletes old offsets now and then.
func (t *tenure) trim(ctx context.Context) {
	var done time.Time
	for {
		if sleep(ctx, trimInterval, nil); ctx.Err() != nil {
			return
		}
		t.trimMu.Lock()
		before := t.trimBefore
		t.trimMu.Unlock()
		if !before.After(done) {
			continue
		}
		if _, err := t.store.TrimOffsets(ctx, t.claim, before); err == nil {
			done = before
		} else if ctx.Err() == nil {
			t.log.Warn("old offsets could not be deleted; it is tried again", "slices", t.claim.Slices.String(), "error", err)
		}
	}
}
