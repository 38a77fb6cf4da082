package restore

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

const benchRecords = 1_000_000

// BenchmarkRestore fills four spaces from changelogs with 1M keys of 16 bytes and values of 100,
// of Apache Kafka where there is one. Run it with -benchtime 1x.
func BenchmarkRestore(b *testing.B) {
	e := newEnv(b, kafka.Config{Brokers: testenv.Kafka(b), Prefix: testenv.Prefix(b), Logger: quiet()})
	value := make([]byte, 100)
	for i := range benchRecords {
		key := binary.BigEndian.AppendUint64(make([]byte, 8, 16), uint64(i)*0x9e3779b97f4a7c15)
		r := &kgo.Record{Topic: e.topic, Partition: int32(i % 4), Key: key, Value: value}
		e.client.Produce(b.Context(), r, nil)
	}
	e.must(e.client.Flush(b.Context()))
	began := time.Now()
	for b.Loop() {
		var jobs []*Job
		for p := range int32(4) {
			jobs = append(jobs, e.add(e.specOf(p, Active)))
		}
		for _, j := range jobs {
			<-j.Done()
			e.must(j.Err())
			e.remove(j)
		}
	}
	b.ReportMetric(benchRecords/time.Since(began).Seconds()/1000, "k_records/s")
}
