package cluster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tenMegabytes reads messages far larger than what is shown of one.
func tenMegabytes(t *testing.T, e *env) {
	topic := e.topicWith("large", 2, map[string]*string{"max.message.bytes": kadm.StringPtr("20000000")})
	big, err := kafka.NewClient(e.kafka, kgo.ProducerBatchMaxBytes(20_000_000), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(big.Close)
	const each = 2
	for i := range each * 2 {
		r := &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: []byte(`{"a":"` + strings.Repeat("x", 10<<20) + `"}`), Timestamp: start.Add(time.Duration(i) * time.Minute)}
		if err := big.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []string{"latest", "earliest"} {
		seen := 0
		q := api.MessageQuery{Topic: topic, From: from, Limit: each}
		for range 20 {
			m := e.messages(q)
			seen += len(m.Items)
			for _, item := range m.Items {
				if v := item.Value; !v.Cut || v.Size != 10<<20+8 || v.Format != "json" || len(v.Text) != 16<<10 {
					t.Errorf("got %s of %d bytes, %d shown", v.Format, v.Size, len(v.Text))
				}
			}
			if q.From = m.Next; m.Next == "" {
				break
			}
		}
		if seen != 2*each {
			t.Errorf("from %s: saw %d of %d", from, seen, 2*each)
		}
	}
}
