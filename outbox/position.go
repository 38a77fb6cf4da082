package outbox

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
)

// A position tells, after a crash, which rows are in the log already. It is
// one record in the compacted topic PositionTopic, keyed by the outbox's UUID
// and written in the Kafka transaction of the rows; so it is in the log if and
// only if they are.
//
// Batches are numbered, one number per committed Kafka transaction, and settled
// (their rows removed or marked in the database) in that order. The database
// keeps the number of the last batch it settled (see receipt), so that for a
// pair that belongs together
//
//	position.Settled <= receipt.N <= position.last()
//
// holds, and nothing else does: a database restored from a backup, or a
// position topic that was lost, is told from a crash.
type position struct {
	Version int `json:"v"`
	// Settled is the last batch known to be settled when this was written.
	Settled int64 `json:"settled"`
	// Batches are those after Settled, ascending by one.
	Batches []batchMark `json:"batches,omitempty"`
}

// batchMark is what one Kafka transaction holds.
type batchMark struct {
	N int64 `json:"n"`
	// Published rows are in their topics.
	Published ranges `json:"published,omitempty"`
	// Dead rows are in the dead-letter topic and become FAILED, unless a
	// replay request after Replay has set them back.
	Dead   ranges `json:"dead,omitempty"`
	Replay int64  `json:"replay,omitempty"`
	// Digest of the events of those rows: a database restored from a backup
	// gives their ids to others.
	Digest uint64 `json:"digest,omitempty,string"`
}

// digest does not depend on the order of the rows.
func digest(rows []Row) (sum uint64) {
	for _, r := range rows {
		h := fnv.New64a()
		_, _ = h.Write([]byte(r.Event.ID))
		sum += h.Sum64()
	}
	return sum
}

// settles checks the rows that are STARTED under the batch's ids before they
// are settled. A settlement is one transaction: either all of them are still
// there, or none.
func (b batchMark) settles(rows []Row) error {
	kept := slices.DeleteFunc(rows, func(r Row) bool { return len(b.Dead) > 0 && r.Replay > b.Replay })
	if len(kept) > 0 && digest(kept) != b.Digest {
		return fmt.Errorf("%w: other messages have the ids of batch %d", ErrDatabaseRestored, b.N)
	}
	return nil
}

// receipt is the database's copy of the position: the last batch settled, and
// where the log has had the position, so that reading it back can begin there.
type receipt struct {
	Version   int   `json:"v"`
	N         int64 `json:"n"`
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

// positionVersion is of the two formats above.
const positionVersion = 1

func (p position) last() int64 {
	if n := len(p.Batches); n > 0 {
		return p.Batches[n-1].N
	}
	return p.Settled
}

func (p position) encode() []byte {
	p.Version = positionVersion
	return mustJSON(p)
}

func (r receipt) encode() []byte {
	r.Version = positionVersion
	return mustJSON(r)
}

// mustJSON encodes what holds only numbers and texts of numbers.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("outbox: position: " + err.Error())
	}
	return b
}

func decodePosition(b []byte) (position, error) {
	var p position
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("position record: %w", err)
	}
	if p.Version != positionVersion {
		return p, fmt.Errorf("position record has version %d, this program knows %d", p.Version, positionVersion)
	}
	for i, batch := range p.Batches {
		if batch.N != p.Settled+int64(i)+1 {
			return p, fmt.Errorf("position record: batch %d follows %d", batch.N, p.Settled+int64(i))
		}
	}
	return p, nil
}

// decodeReceipt takes nil for an outbox that never published.
func decodeReceipt(b []byte) (receipt, error) {
	var r receipt
	if b == nil {
		return r, nil
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("the outbox's copy of its position: %w", err)
	}
	if r.Version != positionVersion {
		return r, fmt.Errorf("the outbox's copy of its position has version %d, this program knows %d", r.Version, positionVersion)
	}
	return r, nil
}

// unsettled compares what the database knows with what the log says (found is
// false where the log has no position) and returns the batches still to be
// settled.
func unsettled(db receipt, log position, found bool) ([]batchMark, error) {
	switch {
	case !found && db.N == 0:
		return nil, nil
	case !found:
		return nil, fmt.Errorf("%w: the database has settled batch %d, the log has no position of this outbox", ErrPositionLost, db.N)
	case log.last() < db.N:
		return nil, fmt.Errorf("%w: the database has settled batch %d, the log knows batches up to %d", ErrPositionLost, db.N, log.last())
	case db.N < log.Settled:
		return nil, fmt.Errorf("%w: it has settled batch %d, the log knows that batch %d was", ErrDatabaseRestored, db.N, log.Settled)
	}
	return log.Batches[db.N-log.Settled:], nil
}
