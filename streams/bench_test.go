package streams

import (
	"encoding/binary"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
	"github.com/pabal-dev/pabal/streams/serde"
)

// BenchmarkCount is what counting takes without Kafka: source, count with its store, and sink.
func BenchmarkCount(b *testing.B) {
	benchmark(b, func(t *Builder) {
		Count(From(t, "in", serde.String(), serde.Bytes()).GroupByKey()).ToStream().To("out")
	})
}

// BenchmarkStateless is what three operators without a store take.
func BenchmarkStateless(b *testing.B) {
	benchmark(b, func(t *Builder) {
		s := From(t, "in", serde.Bytes(), serde.Bytes()).Filter(func(_, v []byte) bool { return len(v) > 0 })
		MapValues(s, func(v []byte) int64 { return int64(binary.BigEndian.Uint64(v)) }, serde.Int64()).Peek(func(Record[[]byte, int64]) {}).To("out")
	})
}

// BenchmarkJoin joins a stream with a table.
func BenchmarkJoin(b *testing.B) {
	benchmark(b, func(t *Builder) {
		s := From(t, "in", serde.String(), serde.Int64())
		table := Count(s.GroupByKey())
		JoinTable(s, table, func(v, n int64) int64 { return v + n }, serde.Int64()).To("out")
	})
}

func benchmark(b *testing.B, build func(*Builder)) {
	const batch, keys, commitEvery = 500, 10_000, 20_000
	builder := NewBuilder()
	build(builder)
	topology, err := builder.Build()
	if err != nil {
		b.Fatal(err)
	}
	db := local.OpenMemory()
	produced := 0
	ts, err := task.New(task.Config{
		Sub: topology.Plan().Subs[0], DB: db, Names: plan.Names{Application: "app"},
		Producer: func(*kgo.Record) { produced++ }, Partitions: func(string) (int32, error) { return 1, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	records := make([]kgo.Record, batch)
	recs := make([]*kgo.Record, batch)
	commits := db.NewBatch()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		for i := range records {
			key := "key-" + strconv.Itoa((n+i*7919)%keys)
			recs[i] = &records[i]
			records[i] = kgo.Record{Topic: "in", Key: []byte(key), Value: make([]byte, 8), Timestamp: time.UnixMilli(int64(n + i)), Offset: int64(n + i)}
		}
		if err := ts.Add("in", 0, recs); err != nil {
			b.Fatal(err)
		}
		for {
			done, err := ts.Process(1000)
			if err != nil {
				b.Fatal(err)
			}
			if done == 0 {
				break
			}
		}
		if n%commitEvery == 0 {
			if err := ts.Prepare(); err != nil {
				b.Fatal(err)
			}
			if err := ts.Apply(commits); err != nil {
				b.Fatal(err)
			}
			if err := commits.Commit(); err != nil {
				b.Fatal(err)
			}
			ts.Committed()
		}
	}
	if produced == 0 {
		b.Fatal("nothing was produced")
	}
}
