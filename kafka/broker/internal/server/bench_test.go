package server_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// onDisk has a server keep its data in a folder of the test.
func onDisk(b *testing.B, mode commit.Mode) func(*options) {
	dir := b.TempDir()
	return func(o *options) { o.node.FS, o.node.Dir, o.node.Durability = vfs.OS, dir+"/d", mode }
}

func framed(req kmsg.Request) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 4), uint16(req.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(req.GetVersion()))
	b = append(b, 0, 0, 0, 1, 0xff, 0xff, 0)
	b = req.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// batchOf is a batch of n records of size bytes.
func batchOf(n, size int) []byte {
	rs := make([]batch.Record, n)
	for i := range rs {
		rs[i] = batch.Record{Timestamp: time.Now().UnixMilli(), Value: make([]byte, size)}
	}
	return batch.Build(unsequenced, rs...)
}

func dialBench(b *testing.B, s *served) net.Conn {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}

// skipAnswer reads an answer into memory that is used again.
func skipAnswer(conn net.Conn, buffer []byte) (int, error) {
	if _, err := io.ReadFull(conn, buffer[:4]); err != nil {
		return 0, err
	}
	n := int(binary.BigEndian.Uint32(buffer))
	for left := n; left > 0; {
		got, err := conn.Read(buffer[:min(left, len(buffer))])
		if err != nil {
			return 0, err
		}
		left -= got
	}
	return n, nil
}

// BenchmarkProduce is one connection that pipelines batches of 160 records of 100 bytes.
func BenchmarkProduce(b *testing.B) {
	for _, mode := range []commit.Mode{commit.Memory, commit.OS, commit.Fsync} {
		b.Run(mode.String(), func(b *testing.B) {
			options := func(*options) {}
			if mode != commit.Memory {
				options = onDisk(b, mode)
			}
			s := serve(b, options)
			s.create("t", 16, map[string]string{"retention.bytes": "100000000", "segment.bytes": "100000000"})
			one := batchOf(160, 100)
			var frames [16][]byte
			for i := range frames {
				req := produceTo(9, "t", one)
				req.Topics[0].Partitions[0].Partition = int32(i)
				frames[i] = framed(req)
			}
			conn := dialBench(b, s)
			b.SetBytes(int64(len(one)))
			b.ReportAllocs()
			var all sync.WaitGroup
			all.Go(func() {
				buffer := make([]byte, 4096)
				for range b.N {
					if _, err := skipAnswer(conn, buffer); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ResetTimer()
			for i := range b.N {
				conn.Write(frames[i%16])
			}
			all.Wait()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/160, "ns/record")
		})
	}
}

// BenchmarkSynchronous is 64 producers, each with one record of 100 bytes at a time, over
// 16 partitions.
func BenchmarkSynchronous(b *testing.B) {
	for _, mode := range []commit.Mode{commit.Memory, commit.OS, commit.Fsync} {
		b.Run(mode.String(), func(b *testing.B) {
			options := func(*options) {}
			if mode != commit.Memory {
				options = onDisk(b, mode)
			}
			s := serve(b, options)
			s.create("t", 16, nil)
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			b.ReportAllocs()
			for i := range 64 {
				conn := dialBench(b, s)
				req := produceTo(9, "t", batchOf(1, 100))
				req.Topics[0].Partitions[0].Partition = int32(i % 16)
				frame := framed(req)
				all.Go(func() {
					buffer := make([]byte, 4096)
					for left.Add(-1) >= 0 {
						conn.Write(frame)
						if _, err := skipAnswer(conn, buffer); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkFetch is one connection that reads what is there, at most 1 MiB at a time.
func BenchmarkFetch(b *testing.B) {
	s := serve(b, onDisk(b, commit.OS))
	topic := s.create("t", 1, nil)
	conn := dialBench(b, s)
	buffer := make([]byte, 256<<10)
	produce := framed(produceTo(9, "t", batchOf(160, 100)))
	for range 4000 {
		conn.Write(produce)
		if _, err := skipAnswer(conn, buffer); err != nil {
			b.Fatal(err)
		}
	}
	var frames [60][]byte
	for i := range frames {
		frames[i] = framed(fetchOf(12, topic, int64(i)*160*64))
	}
	bytes := 0
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		conn.Write(frames[i%len(frames)])
		n, err := skipAnswer(conn, buffer)
		if err != nil {
			b.Fatal(err)
		}
		bytes += n
	}
	b.SetBytes(int64(bytes / b.N))
}

// BenchmarkIdleFetch is a fetch that finds nothing and does not wait.
func BenchmarkIdleFetch(b *testing.B) {
	s := serve(b)
	topic := s.create("t", 4, nil)
	conn := dialBench(b, s)
	frame := framed(fetchOf(12, topic, 0, 0, 0, 0))
	buffer := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		conn.Write(frame)
		if _, err := skipAnswer(conn, buffer); err != nil {
			b.Fatal(err)
		}
	}
}
