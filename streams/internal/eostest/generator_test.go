package eostest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/serde"
)

// input is a record of topic data.
type input struct {
	key   string
	value int64
	at    int64 // ms
}

// generator sends records and remembers them, in the order that each partition has them.
type generator struct {
	t      testing.TB
	k      kafka.Config
	client *kgo.Client
	random *rand.Rand
	keys   int
	began  time.Time
	// processed is how many records have come out; the load waits for an application that is far behind.
	processed func() int

	sent  [partitions][]input
	acked atomic.Int64

	stop context.CancelFunc
	done sync.WaitGroup
}

// farBehind is longer than brokers take to miss a member: on a machine that cannot do more, records
// that are sent meanwhile would only make every wait longer.
const farBehind = 2 * sessionTimeout

// newGenerator sends about so many records per second, until finish.
func newGenerator(t testing.TB, k kafka.Config, seed uint64, keys, perSecond int, processed func() int) *generator {
	g := &generator{t: t, k: k, keys: keys, processed: processed, random: rand.New(rand.NewPCG(seed, 1)), began: time.Now()}
	g.client = client(t, k, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RecordRetries(math.MaxInt32), kgo.ProducerLinger(5*time.Millisecond))
	ctx, cancel := context.WithCancel(context.Background())
	g.stop = cancel
	g.done.Go(func() { g.run(ctx, perSecond) })
	t.Cleanup(func() { cancel(); g.done.Wait() })
	return g
}

func (g *generator) run(ctx context.Context, perSecond int) {
	const tick = 20 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if int(g.acked.Load())-g.processed() > perSecond*int(farBehind/time.Second) {
			continue
		}
		for range max(1, perSecond*int(tick)/int(time.Second)) {
			n := g.random.IntN(g.keys)
			late := g.random.Int64N(lateness.Milliseconds())
			g.send(n%partitions, input{fmt.Sprintf("key-%d", n), g.random.Int64N(1<<30) - 1<<29, g.now() - late})
		}
	}
}

func (g *generator) now() int64 { return g.began.Add(time.Since(g.began)).UnixMilli() }

func (g *generator) send(partition int, in input) {
	g.sent[partition] = append(g.sent[partition], in)
	value, err := serde.Int64().Append(nil, in.value)
	if err != nil {
		g.t.Error(err)
		return
	}
	g.client.Produce(context.Background(), &kgo.Record{
		Topic: g.k.Topic("data"), Partition: int32(partition), Key: []byte(in.key), Value: value, Timestamp: time.UnixMilli(in.at),
	}, func(_ *kgo.Record, err error) {
		if err != nil {
			g.t.Errorf("a record of the input was not sent: %v", err)
			return
		}
		g.acked.Add(1)
	})
}

// finish ends with a record in each partition that is so late that all windows close.
func (g *generator) finish() {
	g.stop()
	g.done.Wait()
	for p := range partitions {
		g.send(p, input{fmt.Sprintf("end-%d", p), 1, g.now() + time.Minute.Milliseconds()})
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	if err := g.client.Flush(ctx); err != nil {
		g.t.Fatalf("the input was not sent: %v", err)
	}
}

// check that the topic has what was sent, so that a broker's loss is not taken for ours.
func (g *generator) check() {
	g.t.Helper()
	c := client(g.t, g.k, kgo.ConsumeTopics(g.k.Topic("data")), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var there [partitions][]input
	missing := 0
	for _, all := range g.sent {
		missing += len(all)
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	for missing > 0 {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			g.t.Fatalf("the input topic lacks %d records", missing)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			v, err := serde.Int64().Decode(r.Value)
			if err != nil {
				g.t.Error(err)
			}
			there[r.Partition] = append(there[r.Partition], input{string(r.Key), v, r.Timestamp.UnixMilli()})
			missing--
		})
	}
	for p := range there {
		if !slices.Equal(there[p], g.sent[p]) {
			g.t.Fatalf("partition %d of the input topic is not what was sent (%d and %d records): look at the broker", p, len(there[p]), len(g.sent[p]))
		}
	}
}
