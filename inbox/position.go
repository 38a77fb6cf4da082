package inbox

import (
	"errors"
	"fmt"
	"hash/fnv"
)

// ErrMissed tells that Kafka has no longer, or no more, what the database says
// was to be read next. The consumer goes on; messages may have been missed.
var ErrMissed = errors.New("inbox: records are gone from Kafka")

// bounds are the first offset a partition has and the one after its last.
type bounds struct{ start, end int64 }

// begin is where the lanes of a claim go on, given what the log has. lost
// wraps ErrMissed where it has not what they stand at.
func begin(next []int64, log bounds, at StartAt) (lanes []int64, lost error) {
	lanes = make([]int64, len(next))
	for i, n := range next {
		switch {
		case n < 0 && at == Latest:
			n = log.end
		case n < 0:
			n = log.start
		case n < log.start:
			lost = fmt.Errorf("%w: offsets %d to %d were deleted (retention) before they were read", ErrMissed, n, log.start-1)
			n = log.start
		case n > log.end:
			lost = fmt.Errorf("%w: the log ends at offset %d, but it had been read to %d: Kafka lost data", ErrMissed, log.end, n)
			n = log.end
		}
		lanes[i] = n
	}
	return lanes, lost
}

// laneOf is stable for ever: the lanes' offsets in the database depend on it.
// It is not Kafka's own hash of the key: all keys of a partition agree in that
// one.
func laneOf(key []byte, offset int64, lanes int) int {
	if lanes == 1 {
		return 0
	}
	if len(key) == 0 {
		return int(uint64(offset) % uint64(lanes))
	}
	h := fnv.New64a()
	h.Write(key)
	sum := h.Sum64()
	return int((sum ^ sum>>32) % uint64(lanes))
}
