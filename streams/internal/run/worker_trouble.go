package run

import (
	"errors"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// isUncaught tells user code's errors from those that end a transaction, whose task goes on
// from what is committed.
func isUncaught(err error) bool {
	for _, stores := range []error{local.ErrFull, local.ErrCorrupt, local.ErrClosed} {
		if errors.Is(err, stores) {
			return false // they are restored, as soon as there is room
		}
	}
	var f *plan.Failure
	return errors.As(err, &f) || errors.Is(err, errUncaught)
}

// errUncaught marks what cannot be mended by trying again.
var errUncaught = errors.New("cannot go on")

// backoff grows while failures follow each other.
type backoff struct {
	wait time.Duration
	last time.Time
}

const (
	firstBackoff = 20 * time.Millisecond
	mostBackoff  = 5 * time.Second
)

func (b *backoff) next(now time.Time) time.Duration {
	if now.Sub(b.last) > 2*mostBackoff {
		b.wait = 0
	}
	b.last = now
	b.wait = min(max(2*b.wait, firstBackoff), mostBackoff)
	return b.wait
}
