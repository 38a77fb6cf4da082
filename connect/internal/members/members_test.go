package members_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/internal/members"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

func TestInProcessBroker(t *testing.T) { suite(t, kafkatest.Start(t).Config) }

func TestApacheKafka(t *testing.T) {
	suite(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)})
}

// suite: everybody learns who is there, and that one has left.
func suite(t *testing.T, cfg kafka.Config) {
	client, err := kafka.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(t.Context(), client, cfg, kafka.Topic{Name: "configs", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	var all []*worker
	for n := range 3 {
		all = append(all, join(t, cfg, n))
	}
	for _, w := range all {
		w.await(t, "[w0 w1 w2]")
	}
	all[0].group.Leave(t.Context())
	for _, w := range all[1:] {
		w.await(t, "[w1 w2]")
		w.group.Leave(t.Context())
	}
}

type worker struct {
	group *members.Group
	mu    sync.Mutex
	sees  string
}

func join(t *testing.T, cfg kafka.Config, n int) *worker {
	w := &worker{}
	var err error
	w.group, err = members.Join(members.Config{
		Kafka: cfg, Group: cfg.Group("workers"), Topic: cfg.Topic("configs"), SessionTimeout: 10 * time.Second,
		Self: fmt.Sprintf("w%d", n),
		OnChange: func(all []string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sees = fmt.Sprint(all)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *worker) await(t *testing.T, want string) {
	t.Helper()
	testenv.Wait(t, "seeing "+want, 30*time.Second, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.sees == want
	})
}

func TestAssign(t *testing.T) {
	var three []string
	for n := range 3 {
		three = append(three, fmt.Sprintf("host-%d:8083", n))
	}
	var work []string
	for n := range 30 {
		work = append(work, fmt.Sprintf("connector-%d/0", n))
	}
	before := members.Assign(three, work)
	load := map[string]int{}
	for _, m := range before {
		load[m]++
	}
	for _, m := range three {
		if load[m] != 10 {
			t.Errorf("%s has %d of 30", m, load[m])
		}
	}
	moved := 0
	for one, m := range members.Assign(three[:2], work) {
		if m != before[one] && before[one] != three[2] {
			moved++
		}
	}
	if moved > 5 {
		t.Errorf("%d moved between members that stayed", moved)
	}
	if got := members.Assign(nil, work); got != nil {
		t.Errorf("nobody was given %v", got)
	}
}
