package cdc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kgo"
)

// rowsPerInsert are in one transaction, where latency is measured.
const rowsPerInsert = 10

// latency from the answer to a commit until a consumer of the in-process broker has the change, in
// milliseconds; rss is the most memory of the worker in the end, in MB.
func (s *stage) latency(ctx context.Context, db *postgresDB, during time.Duration, perSecond int) (p50, p99, rss float64, err error) {
	if err := db.begin(ctx); err != nil {
		return 0, 0, 0, err
	}
	w := s.sides[inProcess]
	c, err := prepare(ctx, w, db)
	if err != nil {
		return 0, 0, 0, err
	}
	if err := w.resume(ctx, c.name); err != nil {
		return 0, 0, 0, err
	}
	transactions := int(during.Seconds() * float64(perSecond) / rowsPerInsert)
	took, err := c.timeEach(ctx, db, transactions, time.Second*rowsPerInsert/time.Duration(perSecond))
	if err != nil {
		return 0, 0, 0, err
	}
	used, err := usageOf(w.pid)
	if err != nil {
		return 0, 0, 0, err
	}
	took = took[int(warmUp*float64(len(took))):]
	slices.Sort(took)
	ms := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	return ms(0.5), ms(0.99), used.rss, c.end(ctx)
}

// timeEach commits a transaction per interval and returns how long each change took, in their
// order.
func (c *connector) timeEach(ctx context.Context, db *postgresDB, transactions int, interval time.Duration) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(transactions)*interval+verifyTimeout, errors.New("the changes did not all come through"))
	defer cancel()
	pool, err := pgxpool.New(ctx, db.url+"&pool_max_conns=16")
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	committed := make([]chan time.Time, transactions)
	for i := range committed {
		committed[i] = make(chan time.Time, 1)
	}
	failed := make(chan error, transactions)
	var sending sync.WaitGroup
	defer sending.Wait()
	defer cancel()
	sending.Go(func() {
		start := time.Now()
		for i := range transactions {
			select {
			case <-time.After(time.Until(start.Add(time.Duration(i) * interval))):
			case <-ctx.Done():
				return
			}
			sending.Go(func() {
				if _, err := pool.Exec(ctx, "INSERT INTO orders SELECT * FROM new_orders($1, $2)", i*rowsPerInsert, (i+1)*rowsPerInsert-1); err != nil {
					failed <- err
					cancel()
					return
				}
				committed[i] <- time.Now()
			})
		}
	})
	took, err := c.receive(ctx, committed)
	if err != nil {
		select {
		case sent := <-failed:
			return nil, fmt.Errorf("insert: %w", sent)
		default:
		}
	}
	return took, err
}

// receive returns how long each change took, by its number.
func (c *connector) receive(ctx context.Context, committed []chan time.Time) ([]time.Duration, error) {
	client, err := c.orders.reader()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	took := make([]time.Duration, len(committed)*rowsPerInsert)
	answered := make([]time.Time, len(committed))
	for left := len(took); left > 0; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%d of %d changes are not there: %w", left, len(took), context.Cause(ctx))
		}
		now := time.Now()
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Attrs.IsControl() || err != nil {
				return
			}
			n, bad := number(r.Value)
			if bad != nil || n >= len(took) {
				err = fmt.Errorf("a strange value: %q", r.Value)
				return
			}
			if t := n / rowsPerInsert; answered[t].IsZero() {
				select {
				case answered[t] = <-committed[t]:
				case <-ctx.Done():
				}
			}
			took[n] = max(now.Sub(answered[n/rowsPerInsert]), 0) // it may be faster than the commit's answer
			left--
		})
		if err != nil {
			return nil, err
		}
	}
	return took, nil
}

// number is the id of the row in an envelope.
func number(envelope []byte) (int, error) {
	_, rest, _ := bytes.Cut(envelope, []byte(`"after":{"id":`))
	digits, _, _ := bytes.Cut(rest, []byte{','})
	return strconv.Atoi(string(digits))
}
