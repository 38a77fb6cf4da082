package journal

import "errors"

// SnapshotPolicy says when an entity's state is stored as a snapshot: when any
// of the conditions that are set holds. The zero policy takes none.
type SnapshotPolicy struct {
	// Every that many events since the last snapshot.
	Every int64
	// Bytes of payload of the events since the last snapshot.
	Bytes int64
	// When is asked after every event; it must not change what it gets.
	When func(Progress) bool
}

// Progress is where an entity stands after an event.
type Progress struct {
	// SeqNr of the event.
	SeqNr int64
	// Events and Bytes since the last snapshot, with this one.
	Events, Bytes int64
	// State after the event, and the event, decoded.
	State, Event any
}

// Due says whether a snapshot is to be taken now. Where one write has several
// events, ask after each, and take it after the last.
func (p SnapshotPolicy) Due(at Progress) bool {
	return p.Every > 0 && at.Events >= p.Every ||
		p.Bytes > 0 && at.Bytes >= p.Bytes ||
		p.When != nil && p.When(at)
}

// Validate reports a negative number.
func (p SnapshotPolicy) Validate() error {
	if p.Every < 0 || p.Bytes < 0 {
		return errors.New("journal: snapshot policy: Every and Bytes must not be negative")
	}
	return nil
}
