package eventstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// load lets every entity append one event after the other; the first eighth of the
// time does not count. It returns how many were acknowledged in all, and the rate.
func (a appending) load(ctx context.Context, s store, entities int) (acknowledged int64, rate float64, err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	payload := fmt.Appendf(nil, "%q", bytes.Repeat([]byte("x"), a.bytes-2)) // JSON, which goes wants
	var count atomic.Int64
	stop := make(chan struct{})
	var all sync.WaitGroup
	for entity := range entities {
		all.Go(func() {
			for seqNr := int64(1); ; seqNr++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := s.append(ctx, entity, seqNr, payload); err != nil {
					fail(err)
					return
				}
				count.Add(1)
			}
		})
	}
	wait(ctx, a.duration/8)
	before, began := count.Load(), time.Now()
	wait(ctx, a.duration)
	timed, took := count.Load()-before, time.Since(began)
	close(stop)
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return 0, 0, errors.Join(err)
	}
	return count.Load(), float64(timed) / took.Seconds(), nil
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
