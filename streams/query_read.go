package streams

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// attempts at a partition that is changing hands.
const attempts = 3

// get reads something small of a partition with f, which is called again where the
// partition changed hands meanwhile.
func (q *query) get(ctx context.Context, p int32, f func(local.Reader) error) error {
	var failed error
	for range attempts {
		s, stale, err := q.here(p)
		if err == nil && (!stale || !q.routed) {
			if err = f(s.Space); err != nil {
				return err
			}
			if now, again, err := q.here(p); err == nil && now.Space == s.Space && again == stale {
				return nil
			}
			failed = fmt.Errorf("store %s, partition %d: %w: it is changing hands", q.store.Name, p, ErrNotReady)
			continue
		}
		if !q.routed {
			return err
		}
		var retry bool
		if retry, failed = q.askOthers(ctx, p, err, f); !retry {
			return failed
		}
	}
	return failed
}

// askOthers tries the instance that has the partition, then copies: those here, then those of
// others. retry says that things have changed.
func (q *query) askOthers(ctx context.Context, p int32, local error, f func(local.Reader) error) (retry bool, failed error) {
	place := q.place(p)
	failed = local
	if h := place.Active; h != nil && !h.Local {
		err := q.askOne(ctx, p, *h, f)
		if err == nil || !isAway(err) {
			return false, err
		}
		retry, failed = errors.Is(err, ErrNotReady), err
	}
	if !q.stale {
		return retry && ctx.Err() == nil, failed
	}
	if s, _, err := q.here(p); err == nil {
		return false, f(s.Space)
	}
	for _, h := range place.Standbys {
		if h.Local {
			continue
		}
		err := q.askOne(ctx, p, h, f)
		if err == nil || !isAway(err) {
			return false, err
		}
		failed = errors.Join(failed, err)
	}
	return false, failed
}

func (q *query) askOne(ctx context.Context, p int32, h Host, f func(local.Reader) error) error {
	if h.Endpoint == "" {
		return elsewhereError{q.store.Name, Place{Partition: p, Active: &h}}
	}
	r := &remoteReader{ctx: ctx, q: q, host: h, partition: p}
	if err := f(r); err != nil {
		if r.failed != nil {
			return r.failed
		}
		return err
	}
	return nil
}

// isAway says that another instance may know better.
func isAway(err error) bool {
	return errors.Is(err, ErrNotReady) || errors.Is(err, ErrElsewhere) || errors.Is(err, ErrUnreachable)
}

// open returns a moment of a partition, to be closed. What is elsewhere is read page by page:
// each is of one moment.
func (q *query) open(ctx context.Context, p int32) (local.Reader, func(), error) {
	var out local.Reader
	closer := func() {}
	err := q.get(ctx, p, func(r local.Reader) error {
		closer()
		closer = func() {}
		space, ok := r.(local.Space)
		if !ok {
			out = r
			_, _, err := r.Get([]byte{}, nil) // is it there?
			return err
		}
		snap, err := space.Snapshot()
		if err != nil {
			return fmt.Errorf("store %s: %w", q.store.Name, err)
		}
		out, closer = snap, func() { _ = snap.Close() }
		return nil
	})
	if err != nil {
		closer()
		return nil, nil, err
	}
	return out, closer, nil
}

// each yields what of yields for each of the partitions, one after another.
func each[S, E any](ctx context.Context, q *query, partitions []int32, as func(any) (S, bool), of func(S) iter.Seq2[E, error]) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		var none E
		for _, p := range partitions {
			if !eachOf(ctx, q, p, as, of, yield) {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(none, err)
				return
			}
		}
	}
}

func eachOf[S, E any](ctx context.Context, q *query, p int32, as func(any) (S, bool), of func(S) iter.Seq2[E, error], yield func(E, error) bool) bool {
	var none E
	r, closer, err := q.open(ctx, p)
	if err != nil {
		yield(none, err)
		return false
	}
	defer closer()
	s, err := viewOf(q, r, as)
	if err != nil {
		yield(none, err)
		return false
	}
	n := 0
	for e, err := range of(s) {
		if n++; n%256 == 0 && ctx.Err() != nil {
			yield(none, ctx.Err())
			return false
		}
		if !yield(e, err) {
			return false
		}
	}
	return true
}

// all are the partitions; an error before Start.
func (q *query) all() ([]int32, error) {
	n := q.partitions()
	if n == 0 {
		return nil, fmt.Errorf("store %s: %w: the App has not started", q.store.Name, ErrNotReady)
	}
	out := make([]int32, n)
	for p := range out {
		out[p] = int32(p)
	}
	return out, nil
}

// of a key: its partition alone.
func (q *query) of(key any) ([]int32, error) {
	data, err := q.store.KeyBytes(key)
	if err != nil {
		return nil, err
	}
	p, err := q.partitionOf(data)
	if err != nil {
		return nil, err
	}
	return []int32{p}, nil
}

// failing yields an error.
func failingQuery[E any](err error) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		var none E
		yield(none, err)
	}
}
