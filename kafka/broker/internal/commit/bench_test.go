package commit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// slowDisk is a file system in memory whose syncs take 2 ms, as a disk's may.
type slowDisk struct{ vfs.FS }

type slowFile struct{ vfs.File }

var syncs, syncing atomic.Int64 // their number, and the nanoseconds they took

func (f slowFile) Sync() error {
	began := time.Now()
	time.Sleep(2 * time.Millisecond)
	syncs.Add(1)
	syncing.Add(int64(time.Since(began)))
	return f.File.Sync()
}

func (d slowDisk) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return slowFile{f}, err
}

func (d slowDisk) Open(name string) (vfs.File, error) {
	f, err := d.FS.Open(name)
	return slowFile{f}, err
}

// BenchmarkAcknowledged is 64 synchronous producers over 16 partitions; each operation
// is one acknowledged append.
func BenchmarkAcknowledged(b *testing.B) {
	br, err := open(slowDisk{vfs.NewMemory()}, commit.Options{}, 16, 1<<30)
	if err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	syncs.Store(0)
	syncing.Store(0)
	var all sync.WaitGroup
	for id := range int64(64) {
		all.Go(func() {
			for s := int32(0); left.Add(-1) >= 0; s++ {
				if _, err := br.send(int(id%16), one(id, s)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
	b.ReportMetric(float64(b.N)/float64(syncs.Load()), "acks/sync")
	b.ReportMetric(float64(syncing.Load())/float64(syncs.Load())/1e6, "ms/sync")
}
