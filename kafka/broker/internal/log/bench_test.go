package log_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

func sized(b *testing.B, n int) (*log.Log, string, []byte, batch.Header) {
	b.Helper()
	dir := testenv.MemoryDir(b) + "/topic-0"
	l, err := log.Open(vfs.OS, dir, log.Config{}, time.Now)
	must(b, err)
	data := batch.Build(batch.Header{ProducerID: -1}, batch.Record{Value: make([]byte, n)})
	h, err := batch.Parse(data)
	must(b, err)
	return l, dir, data, h
}

func BenchmarkAppend(b *testing.B) {
	l, _, data, h := sized(b, 16<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := l.Append(data, h, 0, nil)
		must(b, err)
		if l.Offsets().Next%10_000 == 0 { // the folder is in memory
			l.SetHighWatermark(1 << 60)
			_, err := l.DeleteRecords(-1)
			must(b, err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	l, _, data, h := sized(b, 1000)
	for range 20_000 {
		_, err := l.Append(data, h, 0, nil)
		must(b, err)
	}
	l.SetHighWatermark(1 << 60)
	buf, offset := make([]byte, 2<<20), int64(0)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		_, err := l.Read(offset%15_000, 1<<20, false, buf)
		must(b, err)
		offset += 1000
	}
}

// BenchmarkOpenAfterKill opens a log of which nothing is in a checkpoint.
func BenchmarkOpenAfterKill(b *testing.B) {
	l, dir, data, h := sized(b, 16<<10)
	for range 8000 {
		_, err := l.Append(data, h, 0, nil)
		must(b, err)
	}
	checkpoint, err := vfs.ReadFile(vfs.OS, dir+"/checkpoint", 1<<20)
	must(b, err)
	b.SetBytes(l.Size())
	for b.Loop() {
		must(b, vfs.WriteFile(vfs.OS, dir, "checkpoint", checkpoint))
		_, err := log.Open(vfs.OS, dir, log.Config{}, time.Now)
		must(b, err)
	}
}

// BenchmarkOpenClosed opens a log of 128 MiB that was closed.
func BenchmarkOpenClosed(b *testing.B) {
	l, dir, data, h := sized(b, 16<<10)
	for range 8000 {
		_, err := l.Append(data, h, 0, nil)
		must(b, err)
	}
	must(b, l.Close())
	for b.Loop() {
		_, err := log.Open(vfs.OS, dir, log.Config{}, time.Now)
		must(b, err)
	}
}
