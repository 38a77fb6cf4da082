package sqlite

import (
	"context"
	_ "embed" // for the SQL
	"time"
)

//go:embed sql/event_heads.sql
var eventHeads string

//go:embed sql/state_heads.sql
var stateHeads string

// head is where an entity stands: its last sequence number or revision, and
// that one's time in microseconds. It is zero before the first.
type head struct{ seqNr, time int64 }

// heads are by persistence id.
type heads map[string]head

// heads looks up where entities stand.
func (tx *Tx) heads(ctx context.Context, query string, persistenceIDs []string) (heads, error) {
	wanted, err := list(persistenceIDs)
	if err != nil {
		return nil, err
	}
	found := make(heads, len(persistenceIDs))
	rows, err := tx.query(ctx, query, []any{wanted})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var place int
		var h head
		if err := rows.Scan(&place, &h.seqNr, &h.time); err != nil {
			return nil, err
		}
		found[persistenceIDs[place]] = h
	}
	return found, rows.Err()
}

// next is where it stands n events later. Time never goes back.
func (h head) next(n int) head {
	return head{h.seqNr + int64(n), max(time.Now().UnixMicro(), h.time+1)}
}
