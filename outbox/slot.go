package outbox

import (
	"context"
	"fmt"
)

// slotLookout asks the server how far it has let the connector go.
type slotLookout struct {
	store   CaptureStore
	cfg     SweeperConfig
	readers readers
	rowless rowless
}

func (l *slotLookout) look(ctx context.Context) (sight, error) {
	now, err := l.store.Capture(ctx, l.cfg.Slot, l.cfg.BatchRows)
	if err != nil {
		return sight{}, err
	}
	if err := l.rowless.choose(ctx, l.store, now); err != nil {
		return sight{}, err
	}
	s := sight{empty: len(now.IDs) == 0, trouble: trouble(now, l.cfg.Slot)}
	marked := l.readers.mark.IDs != nil
	s.published = l.readers.take(now)
	// A lease that is extended is also a change after the mark, so that the connector passes it though
	// nobody else writes.
	s.stir = !marked && l.readers.mark.IDs != nil
	s.again = marked && l.readers.mark.IDs == nil // for the next mark
	return s, nil
}

func (l *slotLookout) close() {}

// trouble is why nothing of the outbox is published, "" where it is.
func trouble(c Capture, slot string) string {
	switch {
	case !c.Slot:
		return fmt.Sprintf("there is no replication slot %q in this database, or the server has given it up (wal_status lost): create the connector, with that slot.name", slot)
	case c.Wrong != "":
		return fmt.Sprintf("the replication slot %q is not of a connector that publishes this outbox: %s", slot, c.Wrong)
	case c.Reader == "":
		return fmt.Sprintf("no connector reads through the replication slot %q", slot)
	case c.Hidden:
		return fmt.Sprintf("what is read through the replication slot %q cannot be seen: GRANT pg_read_all_stats to the service's user, or have it and the connector be one; track_activities must be on", slot)
	case !c.Published:
		return fmt.Sprintf("the connector that reads through the replication slot %q does not publish this outbox: its publication must have all inserts of pabal_outbox; where it is another connector's slot, name the right one", slot)
	}
	return ""
}
