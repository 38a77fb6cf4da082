package entity_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// BenchmarkAsk has many entities carry out one command at a time each, on SQLite
// with a commit that is forced to disk.
func BenchmarkAsk(b *testing.B) {
	for _, entities := range []int{1, 256} {
		b.Run(fmt.Sprintf("entities=%d", entities), func(b *testing.B) {
			db, err := sqlite.Open(b.Context(), b.TempDir()+"/bench.db", sqlite.Config{Logger: quiet})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			d := sourcedCounters(b)
			d.Decide = func(_ entity.Context, state counter, c add) (entity.Decision[added, int64], error) {
				return entity.Decision[added, int64]{Events: []added{{c.By}}, Reply: state.Value + c.By}, nil
			}
			d.Snapshot.Every = 1000
			h, err := entity.NewEventSourced(d, db, entity.Config{Logger: quiet})
			if err == nil {
				err = h.Start(b.Context())
			}
			if err != nil {
				b.Fatal(err)
			}
			defer h.Stop(b.Context())
			var next atomic.Int64
			b.SetParallelism(entities)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				id := fmt.Sprint("e", next.Add(1)%int64(entities))
				for pb.Next() {
					if _, err := h.Ask(b.Context(), id, add{1}); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
		})
	}
}
