package cluster_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	svc "github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// running is a service in this process.
type running struct{ local *svc.Local }

func (r *running) Services(ctx context.Context) ([]api.Service, error) {
	status, err := r.local.Status(ctx)
	return []api.Service{{Name: status.Name, Instance: status.Instance, Status: &status}}, err
}

func (r *running) At(context.Context, string) (svc.API, error) { return r.local, nil }

// TestAReplayOfARunningService: its consumer handles the messages again, each once.
func TestAReplayOfARunningService(t *testing.T) {
	k := kafkatest.Start(t).Config
	k.Prefix = testenv.Prefix(t)
	service := &running{}
	e := newEnv(t, k, cluster.Config{Services: service})
	topic := e.topic("orders", 1)
	handled := make(chan string, 100)
	c, err := e.cluster.Cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service.local = consumerOf(t, e.kafka, c.ID, handled)
	for i := range 5 {
		o := event.New("order", fmt.Sprint("k", i), i)
		o.Source = "/test"
		e.produce(kafka.ToRecord(topic, o))
	}
	if got := drain(handled, 5); got != "k0 k1 k2 k3 k4" {
		t.Fatalf("handled %s", got)
	}
	group := e.kafka.Group("charger")
	standsAtTheEnd(t, e, group)

	request := api.ResetRequest{Group: group, Topic: topic, To: "offset:2", DryRun: true}
	if p, err := e.cluster.Reset(admin(t), request); err != nil || !p.Replay || !strings.Contains(p.Warning, "3 messages come again") {
		t.Fatalf("got %+v, %v", p, err)
	}
	request.DryRun = false
	if p, err := e.cluster.Reset(admin(t), request); err != nil || p.Moves[0].Problem != "" {
		t.Fatalf("got %+v, %v", p, err)
	}
	if got := drain(handled, 3); got != "k2 k3 k4" {
		t.Errorf("handled again: %s", got)
	}
	standsAtTheEnd(t, e, group)
	if len(handled) > 0 {
		t.Errorf("handled too often: %d", len(handled))
	}
}

func consumerOf(t *testing.T, k kafka.Config, clusterID string, handled chan<- string) *svc.Local {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "payment.db"), sqlite.Config{Logger: k.Logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	consumer, err := inbox.NewConsumer(db, k, inbox.Config[*sqlite.Tx]{
		Name: "charger", Lanes: 1, Logger: k.Logger,
		Topics: map[string]inbox.Handler[*sqlite.Tx]{"orders": func(_ context.Context, _ *sqlite.Tx, m inbox.Message) error {
			handled <- m.Key
			return nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := consumer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { consumer.Stop(context.Background()) })
	local, err := svc.NewLocal(svc.LocalConfig{
		Name: "payment", Instance: "1", Cluster: clusterID, Kafka: k,
		Consumers: []svc.LocalConsumer{{Name: "charger", Topics: []string{"orders"}, Store: db, Runner: consumer}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return local
}

func drain(from <-chan string, n int) string {
	var out []string
	for range n {
		out = append(out, <-from)
	}
	return strings.Join(out, " ")
}

func standsAtTheEnd(t *testing.T, e *env, group string) {
	t.Helper()
	testenv.Wait(t, "the consumer to stand at the end", patience, func() bool {
		g, err := e.cluster.Group(t.Context(), group)
		return err == nil && g.Lag == 0 && g.Service == "payment" && g.Offsets[0].Truth == "database" && g.Offsets[0].Committed == 5
	})
}
