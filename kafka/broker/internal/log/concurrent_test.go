package log_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// TestAllAtOnce reads, appends, compacts and removes at the same time, with files that
// are really closed: readers see whole batches in order, whatever is taken from them.
func TestAllAtOnce(t *testing.T) {
	for name, config := range map[string]log.Config{
		"deleted":   {SegmentBytes: 2000, RetentionBytes: 10_000, RetentionTime: -1},
		"compacted": {SegmentBytes: 2000, Compact: true, DeleteRetention: -1},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := log.Open(vfs.OS, testenv.MemoryDir(t)+"/topic-0", config, time.Now)
			must(t, err)
			var done atomic.Bool
			var all sync.WaitGroup
			for range 2 {
				all.Go(func() { follow(t, l, &done) })
			}
			all.Go(func() {
				for !done.Load() {
					if err := errors.Join(l.Maintain(), second(l.Compact(1<<20))); err != nil && config.Compact {
						t.Error(err)
						return
					}
				}
			})
			for i := range testenv.Sized(500, 20_000) {
				b := batch.Build(batch.Header{ProducerID: -1}, batch.Record{Key: fmt.Append(nil, i%50), Value: []byte("value")})
				h, err := batch.Parse(b)
				must(t, err)
				at, err := l.Append(b, h, 0, nil)
				must(t, err)
				l.SetHighWatermark(at.Last + 1)
			}
			done.Store(true)
			all.Wait()
			must(t, l.Close())
		})
	}
}

func second[T any](_ T, err error) error { return err }

// follow reads to the end again and again.
func follow(t *testing.T, l *log.Log, done *atomic.Bool) {
	buf := make([]byte, 4096)
	for offset := int64(0); !done.Load(); {
		got, err := l.Read(offset, 1000, false, buf)
		if errors.Is(err, log.ErrOffsetOutOfRange) {
			offset = got.Start
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		for data := got.Data; len(data) > 0; {
			h, err := batch.Verify(data)
			if err != nil || h.LastOffset() < offset {
				t.Errorf("read at %d: %+v, %v", offset, h, err)
				return
			}
			offset = h.NextOffset()
			data = data[h.Size:]
		}
		if offset >= got.HighWatermark {
			offset = 0
		}
	}
}
