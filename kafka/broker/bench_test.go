package broker_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkProduce is client, guard and broker together, on the same machine.
func BenchmarkProduce(b *testing.B) {
	for _, size := range []int{100, 1024} {
		for name, codec := range map[string]kgo.CompressionCodec{"plain": kgo.NoCompression(), "snappy": kgo.SnappyCompression()} {
			b.Run(fmt.Sprintf("%s/%dB", name, size), func(b *testing.B) { benchmarkProduce(b, size, codec) })
		}
	}
}

func benchmarkProduce(b *testing.B, size int, codec kgo.CompressionCodec) {
	cluster := kafkatest.Start(b)
	cluster.Topics(b, "t")
	client := cluster.Client(b, kgo.DefaultProduceTopic("t"), kgo.ProducerBatchCompression(codec), kgo.MaxBufferedRecords(100_000))
	value := make([]byte, size)
	for i := range value {
		value[i] = "abcdefghijklmnop"[rand.IntN(16)]
	}
	b.SetBytes(int64(size))
	var sent sync.WaitGroup
	b.ResetTimer()
	for range b.N {
		sent.Add(1)
		client.Produce(b.Context(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
			sent.Done()
		})
	}
	sent.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkStart is a broker from nothing to the first answer.
func BenchmarkStart(b *testing.B) {
	for range b.N {
		cluster := kafkatest.Start(b)
		if err := cluster.Client(b).Ping(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
