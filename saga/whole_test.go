package saga_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// participants answer commands; what they say is decided by the saga's id.
func participant(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	var step string
	var undo bool
	for _, name := range tripSteps {
		if m.Topic == name+"-request" || m.Topic == name+"-undo" {
			step, undo = name, m.Topic == name+"-undo"
		}
	}
	result := saga.Succeeded
	switch {
	case undo:
		result = saga.Undone
	case m.Key[0] == 'r' && step == "car":
		result = saga.Refused
	case m.Key[0] == 'x' && step == "car":
		return nil // says nothing
	}
	return outbox.Enqueue(ctx, tx, event.New("answers", m.Key, said{Step: step, Result: result}).CausedBy(m.Event))
}

func TestWholeRunOverTheBroker(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		const n = 20
		c := w.config(journey(1)) // its clock stands still: no machine is too slow
		m := w.manager(c)
		w.whole(m)
		name := func(kind string) func(int) string {
			return func(i int) string { return fmt.Sprintf("%s%03d", kind, i) }
		}
		for _, kind := range []string{"good", "refused", "xsilent"} {
			w.startMany(m, n, name(kind))
		}
		w.await("all but the silent to end", func() bool { return w.count(saga.Completed) == n && w.count(saga.Compensated) == n })
		w.await("the silent to stay", func() bool { return w.asked(name("xsilent"), n) })
		for i, pause := range []time.Duration{10 * time.Second, 5 * time.Second, 10 * time.Second} { // time out, try again, time out
			w.clock.move(pause)
			w.await("the timers", func() bool { return m.Stats().Timers == int64(n*(i+1)) })
		}
		w.await("all to end", func() bool { return w.count(saga.Completed) == n && w.count(saga.Compensated) == 2*n })
		for i := range n {
			w.wantStatus(name("good")(i), saga.Completed)
			w.wantStatus(name("refused")(i), saga.Compensated)
			w.wantStatus(name("xsilent")(i), saga.Compensated)
		}
		if err := m.Health(); err != nil {
			t.Error(err)
		}
	})
}

func TestChangedThatFailsForOneMessageCostsOnlyThat(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		const n = 30
		c := w.config(journey(1))
		c.Changed = func(_ context.Context, _ storage.Tx, changes []saga.Change[trip]) ([]outbox.Message, error) {
			for _, one := range changes {
				if one.After.ID == "bad" && one.After.Status == saga.Completed {
					return nil, errBoom
				}
			}
			return nil, nil
		}
		m := w.manager(c)
		w.start(m, "bad")
		w.startMany(m, n, plain)
		w.whole(m)
		w.await("the others to end", func() bool { return w.count(saga.Completed) == n })
		w.await("a dead letter", func() bool { return w.dead.Load() == 1 })
		w.wantStatus("bad", saga.Running)
	})
}

// asked says whether those sagas all wait for their car.
func (w *world) asked(name func(int) string, n int) bool {
	for i := range n {
		if r, _ := w.saga(name(i)); r.Current != "car" {
			return false
		}
	}
	return true
}

// count of sagas in a status.
func (w *world) count(status saga.Status) int64 {
	counts, err := w.db.SagaCounts(context.Background())
	if err != nil {
		w.Log(err)
	}
	for _, c := range counts {
		if c.Status == status {
			return c.Count
		}
	}
	return 0
}

// whole runs a manager with participants over a broker: consumers and a relay.
func (w *world) whole(m *manager) {
	w.Helper()
	cluster := kafkatest.Start(w.TB).Config
	cluster.Logger = testLogger()
	commands := map[string]inbox.Handler[storage.Tx]{}
	topics := []kafka.Topic{{Name: "answers", Partitions: 2}, {Name: "trip.dead-letters", Partitions: 1}}
	for _, step := range tripSteps {
		for _, topic := range []string{step + "-request", step + "-undo"} {
			commands[topic] = participant
			topics = append(topics, kafka.Topic{Name: topic, Partitions: 1})
		}
	}
	client, err := kafka.NewClient(cluster)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(client.Close)
	if err := kafka.EnsureTopics(w.Context(), client, cluster, topics...); err != nil {
		w.Fatal(err)
	}
	relay, err := outbox.NewRelay(w.db, cluster, outbox.RelayConfig{Name: "trip", Source: "/trip", Logger: testLogger()})
	if err != nil {
		w.Fatal(err)
	}
	var all lifecycle.Group
	all.Add("relay", relay)
	all.Add("sagas", m.Service())
	for name, c := range map[string]inbox.Config[storage.Tx]{"trip": {Groups: m.Handlers()}, "participants": {Topics: commands}} {
		c.Name, c.Logger = name, testLogger()
		c.Backoff = inbox.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}
		if name == "participants" {
			c.Topics["trip.dead-letters"] = func(context.Context, storage.Tx, inbox.Message) error {
				w.dead.Add(1)
				return nil
			}
		}
		consumer, err := inbox.NewConsumer[storage.Tx](w.db, cluster, c)
		if err != nil {
			w.Fatal(err)
		}
		all.Add(name, consumer)
	}
	if err := all.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		if err := all.Stop(ctx); err != nil {
			w.Errorf("stop: %v", err)
		}
	})
}
