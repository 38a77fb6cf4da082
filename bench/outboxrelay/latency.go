package outboxrelay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/twmb/franz-go/pkg/kgo"
)

// warmUp is how much of the messages sent one by one does not count.
const warmUp = 0.2

// latency sends messages in transactions of their own, and measures from the
// commit's answer to a consumer beside, in milliseconds.
func (s *stage) latency(ctx context.Context, during time.Duration, perSecond, bytes int) (p50, p99 float64, err error) {
	p, remove, err := s.newPlace(ctx, false)
	if err != nil {
		return 0, 0, err
	}
	defer remove()
	db, err := postgres.Open(ctx, p.Database, postgres.Config{Logger: quiet})
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	cmd, out, stop, err := start(ctx, pabal, task{Place: p})
	if err != nil {
		return 0, 0, err
	}
	defer func() { stop(); _ = cmd.Wait() }()
	if !out.Scan() {
		return 0, 0, errors.New("the relay did not start")
	}
	rows := int(during.Seconds() * float64(perSecond))
	events := make([]event.Event, rows)
	for i := range events {
		events[i] = newEvent(i, bytes)
	}
	took, err := timeEach(ctx, db, p, events, time.Second/time.Duration(perSecond))
	if err != nil {
		return 0, 0, err
	}
	took = took[int(warmUp*float64(rows)):]
	slices.Sort(took)
	ms := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	return ms(0.5), ms(0.99), nil
}

// timeEach sends one event per interval and returns how long each took.
func timeEach(ctx context.Context, db *postgres.DB, p place, events []event.Event, interval time.Duration) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(len(events))*interval+verifyTimeout, errors.New("the messages did not all come through"))
	defer cancel()
	committed := make([]chan time.Time, len(events))
	for i := range committed {
		committed[i] = make(chan time.Time, 1)
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	failed := make(chan error, len(events))
	sending.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for i, e := range events {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			sending.Go(func() {
				if err := db.Update(ctx, func(tx *postgres.Tx) error { return outbox.Enqueue(ctx, tx, e) }); err != nil {
					failed <- err
					cancel()
					return
				}
				committed[i] <- time.Now()
			})
		}
	})
	took, err := receive(ctx, p, committed)
	if err != nil {
		cancel()
		select {
		case sent := <-failed:
			err = fmt.Errorf("enqueue: %w", sent)
		default:
		}
	}
	return took, err
}

// receive returns how long each message took, by its number.
func receive(ctx context.Context, p place, committed []chan time.Time) ([]time.Duration, error) {
	client, err := reader(p)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	took := make([]time.Duration, len(committed))
	for left := len(took); left > 0; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		now := time.Now()
		fetches.EachRecord(func(r *kgo.Record) {
			n, bad := number(r.Value)
			if bad != nil || n >= len(took) {
				err = fmt.Errorf("a strange value: %q", r.Value)
				return
			}
			select {
			case at := <-committed[n]:
				took[n] = max(now.Sub(at), 0) // the message may be faster than the commit's answer
			case <-ctx.Done():
			}
			left--
		})
		if err != nil {
			return nil, err
		}
	}
	return took, nil
}
