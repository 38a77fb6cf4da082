package outbox

import (
	"context"
	"fmt"
	"slices"
)

// ahead is the next batch, read while the one before it is being published. It
// counts for nothing when anything but a plain success came of that.
type ahead struct {
	changes int    // of the term, when it was begun
	behind  ranges // the batch before it, and all that was on its way
	done    chan struct{}
	cancel  context.CancelFunc
	rows    []Row
	err     error
}

// readAhead begins to read what comes behind a batch, where that was a full
// one and no row is set aside.
func (t *term) readAhead(ctx context.Context, batch []Row) {
	if t.next != nil || len(t.aside.rows) > 0 || !t.isFull(batch) {
		return
	}
	except := t.exclusion()
	ids := make([]int64, len(batch))
	for i, r := range batch {
		ids[i] = r.ID
	}
	except.IDs = union(except.IDs, rangesOf(ids))
	ctx, cancel := context.WithCancel(ctx)
	next := &ahead{changes: t.changes, behind: except.IDs, done: make(chan struct{}), cancel: cancel}
	mark, limit := t.water.mark, t.pace.rows
	go func() {
		defer close(next.done)
		next.rows, next.err = t.store.Pending(ctx, mark, except, limit, t.cfg.BatchBytes)
	}()
	t.next = next
}

// isFull says whether there is likely more where the batch came from.
func (t *term) isFull(batch []Row) bool {
	bytes := int64(0)
	for _, r := range batch {
		bytes += int64(len(r.Payload))
	}
	return len(batch) >= t.pace.rows || bytes >= t.cfg.BatchBytes*3/4
}

// pending returns the next fresh rows, read ahead where that is still good.
func (t *term) pending(ctx context.Context) (rows []Row, err error) {
	if next := t.next; next != nil {
		t.next = nil
		<-next.done
		next.cancel()
		if next.changes == t.changes && len(t.aside.rows) == 0 {
			rows, err = without(next.rows, next.behind), next.err
		}
	}
	if len(rows) == 0 && err == nil {
		rows, err = t.store.Pending(ctx, t.water.mark, t.exclusion(), t.pace.rows, t.cfg.BatchBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("reading pending rows: %w", err)
	}
	return without(rows, t.onTheWay()), nil
}

// without leaves out rows on their way, should the store have returned them.
func without(rows []Row, onTheWay ranges) []Row {
	return slices.DeleteFunc(rows, func(r Row) bool { return onTheWay.contains(r.ID) })
}

// dropAhead ends a read under way.
func (t *term) dropAhead() {
	if t.next != nil {
		t.next.cancel()
		<-t.next.done
		t.next = nil
	}
}
