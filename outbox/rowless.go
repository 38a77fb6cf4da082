package outbox

import (
	"context"
	"errors"
	"time"
)

// rowless has an outbox be one without rows for as long as there is a connector for that.
type rowless struct {
	wanted bool
	next   time.Time // it is not tried before
}

// rowlessHold is how long writers wait at most. Then as much time passes as makes that a tenth.
const rowlessHold = 500 * time.Millisecond

func (r *rowless) choose(ctx context.Context, store Store, now Capture) error {
	ways, ok := store.(WayStore)
	if !ok || !r.wanted || time.Now().Before(r.next) {
		return nil
	}
	way, err := ways.Way(ctx)
	if err != nil {
		return err
	}
	to := r.to(way, now)
	if to == way {
		return nil
	}
	began := time.Now()
	if err := ways.Switch(ctx, to, rowlessHold); err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrMoved) {
		return err
	}
	r.next = time.Now().Add(10 * time.Since(began))
	return nil
}

// to is the way that fits what is seen of the connector. A slot without a reader keeps messages; one that is
// gone, or another's, has none.
func (r *rowless) to(way Way, now Capture) Way {
	lost := !now.Slot || now.Wrong != ""
	if now.Reader != "" && !now.Hidden {
		lost = lost || !now.Published || !now.Messages
	}
	reads := !lost && now.Reader != "" && now.Published && now.Messages
	switch {
	case way == ByMessage && lost:
		return ByCapture
	case way == ByCapture && reads, way == Waiting && reads && len(now.IDs) == 0:
		return ByMessage
	}
	return way
}
