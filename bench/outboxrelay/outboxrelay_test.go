package outboxrelay

import (
	"context"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestWatchTimesFromTheFirstRow(t *testing.T) {
	looks := 0
	done, err := watch(t.Context(), 100, func() int64 { looks++; return int64(min((looks-1)*10, 100)) })
	if err != nil || done.Rows != 90 || done.Took <= 0 {
		t.Errorf("got %+v, %v; want 90 rows in some time", done, err)
	}
	if _, err := watch(t.Context(), 5, func() int64 { return 5 }); err == nil {
		t.Error("a backlog that was gone at the first look gave a rate")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := watch(ctx, 5, func() int64 { return 1 }); err == nil {
		t.Error("a backlog that never ends gave a rate")
	}
}

func TestNumberOfAPayload(t *testing.T) {
	p := payload(4711, 256)
	if n, err := number(p); len(p) != 256 || n != 4711 || err != nil {
		t.Errorf("%d bytes, number %d, %v", len(p), n, err)
	}
}

// TestVerifyFindsLossDuplicatesAndDisorder shows that a run that went wrong gives
// no figures.
func TestVerifyFindsLossDuplicatesAndDisorder(t *testing.T) {
	for name, tt := range map[string]struct {
		numbers []int
		exactly bool
		good    bool
	}{
		"all, once":                  {[]int{0, 1, 2}, true, true},
		"one twice":                  {[]int{0, 1, 1, 2}, true, false},
		"one twice, at least once":   {[]int{0, 1, 1, 2}, false, true},
		"out of order":               {[]int{0, 2, 1}, true, false},
		"one missing, one too large": {[]int{0, 1, 3}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := place{Brokers: kafkatest.Start(t).Config.Brokers, Prefix: "t."}
			client, err := kafka.NewClient(p.kafka())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := kafka.EnsureTopics(t.Context(), client, p.kafka(), kafka.Topic{Name: topic}); err != nil {
				t.Fatal(err)
			}
			for _, n := range tt.numbers {
				r := &kgo.Record{Topic: p.kafka().Topic(topic), Key: []byte("k"), Value: payload(n, 16)}
				if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			if err := verify(t.Context(), p, 3, tt.exactly); (err == nil) != tt.good {
				t.Error(err)
			}
		})
	}
}
