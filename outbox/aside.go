package outbox

import "time"

// aside are the rows set aside (refused or replayed), without their payload,
// in id order.
type aside struct {
	rows []Row
	// full: there may be more, whose keys nobody knows. Until there are fewer,
	// no fresh row is read: it could overtake one of them.
	full bool
}

// due are the ids to publish and those to dead-letter now. A row waits behind
// an earlier one of its key that is not due, and while its topic is held.
func (a aside) due(now time.Time, maxAttempts int, held func(topic string) bool) (publish, dead []int64) {
	waiting := map[TopicKey]bool{}
	for _, r := range a.rows {
		switch {
		case r.Key != "" && waiting[r.place()]:
			continue
		case r.waits(now) || r.Attempts < maxAttempts && held(r.Topic):
		case r.Attempts >= maxAttempts:
			dead = append(dead, r.ID)
		default:
			publish = append(publish, r.ID)
			continue
		}
		waiting[r.place()] = true
	}
	return publish, dead
}

// keys are those that fresh rows wait behind.
func (a aside) keys() []TopicKey {
	var out []TopicKey
	seen := map[TopicKey]bool{}
	for _, r := range a.rows {
		if r.Key != "" && !seen[r.place()] {
			seen[r.place()] = true
			out = append(out, r.place())
		}
	}
	return out
}

// nextDue is the earliest due time after now, zero without one.
func (a aside) nextDue(now time.Time) time.Time {
	var next time.Time
	for _, r := range a.rows {
		if r.waits(now) && (next.IsZero() || r.NextAttempt.Before(next)) {
			next = r.NextAttempt
		}
	}
	return next
}

// without leaves out rows that are on their way.
func (a aside) without(ids ranges) aside {
	kept := make([]Row, 0, len(a.rows))
	for _, r := range a.rows {
		if !ids.contains(r.ID) {
			kept = append(kept, r)
		}
	}
	a.rows = kept
	return a
}

// waits says whether a row is not due. A replayed one is due at once, whatever
// the clocks of database and relay say.
func (r Row) waits(now time.Time) bool { return r.Attempts > 0 && r.NextAttempt.After(now) }
