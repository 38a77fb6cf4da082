package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestPagesHaveEveryMessageOnce, in random logs with transactions, gaps, times out
// of order and a start that moved, in both directions, with any limits.
func TestPagesHaveEveryMessageOnce(t *testing.T) {
	random := testenv.Rand(t)
	k := kafkatest.Start(t).Config
	for round := range 12 {
		e := newEnv(t, k, cluster.Config{})
		partitions := 1 + random.IntN(4)
		topic := e.topic(fmt.Sprint("random", round), int32(partitions))
		scatter(e, random, topic, partitions)
		for range 6 {
			c := e.open(t, cluster.Config{ScanBytes: 1 + random.IntN(20_000)})
			q := api.MessageQuery{Topic: topic, From: []string{"earliest", "latest"}[random.IntN(2)], Limit: 1 + random.IntN(40)}
			if random.IntN(2) == 0 {
				q.Filter = "even"
			}
			want := committed(e, topic, partitions, q.Filter)
			got, pages := readAll(t, c, q)
			if q.From == "latest" {
				slices.Reverse(got) // newest first
			}
			inOrder(t, got, q.From == "latest")
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("round %d, %+v: %d pages have %d messages, want %d:\n%v\n%v", round, q, pages, len(got), len(want), got, want)
			}
		}
	}
}

// scatter fills a topic by chance.
func scatter(e *env, random *rand.Rand, topic string, partitions int) {
	producer, err := kafka.NewClient(e.kafka, kgo.TransactionalID(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		e.t.Fatal(err)
	}
	defer producer.Close()
	n := 0
	for range random.IntN(12) {
		if err := producer.BeginTransaction(); err != nil {
			e.t.Fatal(err)
		}
		for range 1 + random.IntN(15) {
			r := &kgo.Record{Topic: topic, Partition: int32(random.IntN(partitions)), Timestamp: start.Add(time.Duration(random.IntN(50)) * time.Second)}
			r.Value = fmt.Append(nil, []string{"even", "odd"}[n%2], n, strings.Repeat("x", random.IntN(300)))
			n++
			if err := producer.ProduceSync(e.t.Context(), r).FirstErr(); err != nil {
				e.t.Fatal(err)
			}
		}
		if err := producer.EndTransaction(e.t.Context(), kgo.TransactionEndTry(random.IntN(3) > 0)); err != nil {
			e.t.Fatal(err)
		}
	}
	ends, err := e.admin.ListEndOffsets(e.t.Context(), topic)
	if err != nil {
		e.t.Fatal(err)
	}
	cut := kadm.Offsets{}
	for p := range partitions {
		end, _ := ends.Lookup(topic, int32(p))
		if end.Offset > 0 && random.IntN(2) == 0 {
			cut.AddOffset(topic, int32(p), random.Int64N(end.Offset), -1)
		}
	}
	if len(cut) > 0 {
		if _, err := e.admin.DeleteRecords(e.t.Context(), cut); err != nil {
			e.t.Fatal(err)
		}
	}
}

// committed are the places of the messages that a plain consumer reads.
func committed(e *env, topic string, partitions int, filter string) []string {
	ends, err := e.admin.ListEndOffsets(e.t.Context(), topic)
	if err != nil {
		e.t.Fatal(err)
	}
	var out []string
	for p := range int32(partitions) {
		end, _ := ends.Lookup(topic, p)
		consumer, err := kafka.NewClient(e.kafka, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
			kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {p: kgo.NewOffset().AtStart()}}))
		if err != nil {
			e.t.Fatal(err)
		}
		for next := int64(0); next < end.Offset; { // every transaction ends with a control record
			fetches := consumer.PollFetches(e.t.Context())
			if err := fetches.Err(); err != nil {
				e.t.Fatal(err)
			}
			for r := range fetches.RecordsAll() {
				next = r.Offset + 1
				if !r.Attrs.IsControl() && strings.Contains(string(r.Value), filter) {
					out = append(out, place(r.Partition, r.Offset))
				}
			}
		}
		consumer.Close()
	}
	return out
}

func place(partition int32, offset int64) string { return fmt.Sprintf("%d/%05d", partition, offset) }

func readAll(t *testing.T, c *cluster.Cluster, q api.MessageQuery) (places []string, pages int) {
	back := q.From == "latest"
	for {
		m, err := c.Messages(admin(t), q)
		if err != nil {
			t.Fatal(err)
		}
		if pages++; pages > 5000 || len(m.Items) > q.Limit {
			t.Fatalf("%+v: %d pages, the last with %d messages", q, pages, len(m.Items))
		}
		var on []string
		for _, item := range m.Items {
			on = append(on, place(item.Partition, item.Offset))
		}
		if back {
			places = append(on, places...)
		} else {
			places = append(places, on...)
		}
		if q.From = m.Next; m.Next == "" {
			return places, pages
		}
	}
}

// inOrder checks that the messages of each partition come by offset.
func inOrder(t *testing.T, places []string, back bool) {
	last := map[string]string{}
	for _, p := range places {
		partition := p[:2]
		if before, ok := last[partition]; ok && (p < before) != back {
			t.Fatalf("%s comes after %s, backwards %v", p, before, back)
		}
		last[partition] = p
	}
}
