package batch_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/pabal-dev/pabal/batch"
)

// BenchmarkDo is the cost of an item behind a group commit: 256 callers, each with
// a key of its own.
func BenchmarkDo(b *testing.B) {
	type item struct{ key string }
	flush := func(_ context.Context, items []item) ([]batch.Result[int], error) {
		return make([]batch.Result[int], len(items)), nil
	}
	bulk := batch.New(batch.Config[item]{MaxItems: 500, Flushes: 4, OnePerKey: true, Key: func(i item) string { return i.key }}, flush)
	if err := bulk.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer bulk.Stop(context.Background())
	const callers = 256
	done := make(chan error)
	b.ReportAllocs()
	for c := range callers {
		go func() {
			i := item{"cart|" + strconv.Itoa(c)}
			for range b.N/callers + 1 {
				if _, err := bulk.Do(b.Context(), i); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
}
