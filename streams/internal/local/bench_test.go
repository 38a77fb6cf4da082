//go:build unix

package local

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// benchKeys of 16 bytes, with values of 100.
var benchKeys = keysFromEnv()

func keysFromEnv() int {
	if n, err := strconv.Atoi(os.Getenv("PABAL_BENCH_KEYS")); err == nil {
		return n
	}
	return 2_000_000
}

// processTime is the CPU time used so far, by background work too.
func processTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchKey(dst []byte, n uint64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, n*0x9e3779b97f4a7c15) // scattered
	return binary.BigEndian.AppendUint64(dst, n)
}

func benchValue(dst []byte, n uint64) []byte {
	dst = binary.BigEndian.AppendUint64(dst[:0], n)
	for len(dst) < 100 {
		dst = fmt.Append(dst, "field", n, ";")
	}
	return dst[:100]
}

func benchOpen(b *testing.B, megabytes int64) (*DB, Space) {
	db, err := Open(Options{Dir: b.TempDir(), MemoryBytes: megabytes << 20, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	s, err := db.Space(TaskID{1, 1}, "bench", true)
	if err != nil {
		b.Fatal(err)
	}
	return db, s
}

func benchLoad(b *testing.B, db *DB, s Space, keys int) {
	var key, value []byte
	batch := db.NewBatch()
	for i := range keys {
		key, value = benchKey(key[:0], uint64(i)), benchValue(value, uint64(i))
		if batch.Set(s, key, value); i%5000 == 4999 || i == keys-1 {
			batch.SetOffset(s, int64(i))
			if err := batch.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkStore loads 2M keys, once, and then reads and changes them. Run it with
// -benchtime 1x.
func BenchmarkStore(b *testing.B) {
	for _, megabytes := range []int64{64, 256} {
		b.Run(fmt.Sprintf("%dMB", megabytes), func(b *testing.B) {
			db, s := benchOpen(b, megabytes)
			rate := func(name string, n int, f func(n int)) {
				began, cpu := time.Now(), processTime()
				f(n)
				b.ReportMetric(float64(n)/time.Since(began).Seconds()/1000, name+"_k/s")
				b.ReportMetric(float64((processTime()-cpu).Nanoseconds())/float64(n)/1000, name+"_us_cpu")
			}
			rate("load", benchKeys, func(n int) {
				benchLoad(b, db, s, n)
				if err := db.Flush(); err != nil {
					b.Fatal(err)
				}
			})
			random := rand.New(rand.NewPCG(1, 2))
			rate("get_cold", 200_000, func(n int) { benchGet(b, s, n, func() uint64 { return random.Uint64N(uint64(benchKeys)) }) })
			rate("get_hot", 400_000, func(n int) { benchGet(b, s, n, func() uint64 { return random.Uint64N(20_000) }) })
			rate("get_missing", 400_000, func(n int) {
				var key, value []byte
				for range n {
					key = benchKey(key[:0], uint64(benchKeys)+random.Uint64N(uint64(benchKeys)))
					if _, ok, err := s.Get(key, value[:0]); ok || err != nil {
						b.Fatal("found", err)
					}
				}
			})
			rate("update", 200_000, func(n int) { benchUpdate(b, db, s, n, random) })
			rate("scan", benchKeys, func(n int) {
				seen := 0
				for _, err := range s.Scan(nil, nil, false) {
					if seen++; err != nil {
						b.Fatal(err)
					}
				}
				if seen != n {
					b.Fatal(seen)
				}
			})
			b.ReportMetric(float64(s.Size())/1e6, "disk_MB")
			b.ReportMetric(float64(db.Memory())/1e6, "memory_MB")
		})
	}
}

func benchGet(b *testing.B, s Space, n int, pick func() uint64) {
	var key, value []byte
	for range n {
		key = benchKey(key[:0], pick())
		var ok bool
		var err error
		if value, ok, err = s.Get(key, value[:0]); !ok || err != nil {
			b.Fatal("not found", err)
		}
	}
}

func benchUpdate(b *testing.B, db *DB, s Space, n int, random *rand.Rand) {
	var key, value []byte
	batch := db.NewBatch()
	for i := range n {
		key = benchKey(key[:0], random.Uint64N(uint64(benchKeys)))
		var err error
		if value, _, err = s.Get(key, value[:0]); err != nil {
			b.Fatal(err)
		}
		value[99]++
		if batch.Set(s, key, value); i%5000 == 4999 {
			if err := batch.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
