package outbox

import "time"

// gap is a short rest after a commit. Kafka writes a transaction's markers after
// it has confirmed the commit; a record of the next transaction that comes
// before that is held up for add.partitions.to.txn.retry.backoff.ms, 20 ms.
// Measured on Kafka 4.3: without a rest small transactions took 25 ms, with 2 ms
// of it 3.5 ms altogether. The rest grows when records are held up, and
// shrinks as long as they are not.
type gap struct {
	rest  time.Duration
	ended time.Time
}

const (
	heldUp  = 18 * time.Millisecond
	maxRest = 5 * time.Millisecond
	// smallBatch is one that takes a few milliseconds by itself.
	smallBatch = 500
)

// learn takes how long the records of a transaction took, and when it began.
func (g *gap) learn(rows int, began time.Time, took time.Duration) {
	switch {
	case rows > smallBatch || g.ended.IsZero() || began.Sub(g.ended) > 5*heldUp:
	case took >= heldUp:
		g.rest = min(g.rest*3/2+time.Millisecond/2, maxRest)
	default:
		g.rest -= g.rest / 128
	}
}

// left is how long to rest before the next transaction.
func (g *gap) left(now time.Time) time.Duration {
	return max(0, g.rest-now.Sub(g.ended))
}
