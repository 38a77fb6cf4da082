//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consumed are the topics that a service handles.
var consumed = []string{"payment-request", "payment-response", "order-approval-request", "order-approval-response", "customer-created"}

// TestMessagesComeAgainAndOutOfOrder sends every message that the services sent
// again, in any order and some several times, while new ones are handled and
// services are killed: none may have an effect.
func TestMessagesComeAgainAndOutOfOrder(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	s := newStation(t, backends["sqlite"](t), random.Uint64())
	client, err := kafka.NewClient(s.cluster)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	times := 2
	if full() {
		times = 40
	}
	sent := 0
	for range times {
		s.flow("messages again", func() {
			s.placed(20)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var again []*kgo.Record
			for _, topic := range consumed {
				for _, e := range readCommitted(ctx, t, s.cluster, topic) {
					for range 1 + random.IntN(2) {
						again = append(again, kafka.ToRecord(s.cluster.Topic(topic), e.Event))
					}
				}
			}
			random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
			again = again[:min(len(again), 2000)]
			s.services[serviceNames[random.IntN(len(serviceNames))]].kill()
			if err := client.ProduceSync(ctx, again...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			sent += len(again)
			s.placed(20)
		})
		s.rounds++
	}
	s.caughtUp()
	s.judge("messages again")
	tally.rounds.Add(int64(s.rounds))
	tally.orders.Add(s.tracker.Counts().Placed)
	tally.repeats.Add(int64(sent))
	t.Logf("%d rounds, %d orders, %d messages sent again", s.rounds, s.tracker.Counts().Placed, sent)
}

// caughtUp waits until the services have handled all that is in their topics,
// as their databases tell.
func (s *station) caughtUp() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	for _, topic := range consumed {
		for partition, offset := range lastOffsets(readCommitted(ctx, s.TB, s.cluster, topic)) {
			what := fmt.Sprintf("%s/%d is handled up to offset %d", topic, partition, offset)
			testenv.Wait(s.TB, what, patience, func() bool { return s.handled(topic, partition) > offset })
		}
	}
}

func lastOffsets(records []record) map[int32]int64 {
	last := map[int32]int64{}
	for _, r := range records {
		last[r.partition] = r.offset
	}
	return last
}

// handled is the offset below which a partition was handled by the service whose
// it is.
func (s *station) handled(topic string, partition int32) (next int64) {
	s.Helper()
	for _, db := range s.dbs {
		one, err := handled(s.Context(), db, topic, partition)
		if err != nil {
			s.Fatal(err)
		}
		next = max(next, one)
	}
	return next
}

// handled is the offset below which a partition was handled, -1 where it never
// was.
func handled(ctx context.Context, db storage.DB, topic string, partition int32) (next int64, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, `SELECT COALESCE(MIN(next_offset), -1) FROM pabal_inbox_lane WHERE topic = $1 AND "partition" = $2`,
			topic, partition).Scan(&next)
	})
	return next, err
}
