package task_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// BenchmarkProcess is what the task itself takes for a record: queue, order, time.
func BenchmarkProcess(b *testing.B) {
	for _, topics := range []int{1, 2, 4} {
		b.Run(strconv.Itoa(topics)+"topics", func(b *testing.B) { benchmarkProcess(b, topics) })
	}
}

func benchmarkProcess(b *testing.B, topics int) {
	const batch = 500
	var n int64
	source := &plan.Node{Name: "source", Kind: plan.SourceNode}
	for i := range topics {
		source.Topics = append(source.Topics, plan.Topic{Name: strconv.Itoa(i)})
	}
	source.New = func(plan.Context, []any) (plan.Instance, error) {
		return plan.Instance{Head: func(string, int32) (plan.Head, error) { return &nothing{n: &n}, nil }}, nil
	}
	ts, err := task.New(task.Config{
		Sub: &plan.Sub{Nodes: []*plan.Node{source}}, DB: noSpaces{}, Producer: func(*kgo.Record) {},
		Partitions: func(string) (int32, error) { return 1, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	records := make([]kgo.Record, batch)
	for i := range records {
		records[i] = kgo.Record{Key: make([]byte, 16), Value: make([]byte, 100), Timestamp: time.UnixMilli(int64(i))}
	}
	slices := make([][]*kgo.Record, topics)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		for i := range slices {
			slices[i] = slices[i][:0]
			for j := range records {
				records[j].Offset++
				slices[i] = append(slices[i], &records[j])
			}
			ts.Add(strconv.Itoa(i), 0, slices[i])
		}
		for k, err := ts.Process(1000); k > 0 || err != nil; k, err = ts.Process(1000) {
			if err != nil {
				b.Fatal(err)
			}
			done += k
		}
	}
	if n < int64(b.N) {
		b.Fatal("not all were processed")
	}
}

type nothing struct {
	n  *int64
	at int64
}

func (h *nothing) Load(rec *kgo.Record, _ int64) (int64, error) {
	h.at = rec.Timestamp.UnixMilli()
	return h.at, nil
}

func (h *nothing) Process() error { *h.n++; return nil }

type noSpaces struct{ task.Spaces }
