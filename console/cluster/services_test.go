package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	svc "github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// services is one service "payment" with the consumer "charger" of topic "orders".
type services struct {
	svc.API
	prefix string

	mu        sync.Mutex
	away      bool
	asked     int
	positions []inbox.Position
	replays   []svc.ReplayRequest
	refuse    error
}

func (s *services) Services(context.Context) ([]api.Service, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := api.Service{Name: "payment", Instance: "1"}
	if s.away {
		one.Problem = "away"
		return []api.Service{one}, nil
	}
	one.Status = &svc.Status{Name: "payment", Prefix: s.prefix, Consumers: []svc.ConsumerStatus{{Name: "charger", Topics: []string{"orders", "not-made-yet"}}}}
	return []api.Service{one}, nil
}

func (s *services) At(_ context.Context, service string) (svc.API, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away || service != "payment" {
		return nil, fmt.Errorf("%w: %s does not answer", api.ErrUnavailable, service)
	}
	return s, nil
}

func (s *services) Positions(context.Context, string) ([]inbox.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.positions, nil
}

func (s *services) StartReplay(_ context.Context, r svc.ReplayRequest) (inbox.Replay, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return inbox.Replay{}, s.refuse
	}
	s.replays = append(s.replays, r)
	return inbox.Replay{}, nil
}

// serviceEnv has orders with 5 records in each of 2 partitions; the charger stands
// at 3 in partition 0 and nowhere in partition 1.
func serviceEnv(t *testing.T) (*env, *services, string) {
	fake := &services{}
	k := kafkatest.Start(t).Config
	e := newEnv(t, k, cluster.Config{Services: fake})
	fake.prefix = e.kafka.Prefix
	topic := e.topic("orders", 2)
	spread(e, topic, 2, 10)
	shown, err := e.cluster.Topic(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.cluster.Cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := func(cluster, id string, partition int32, next ...int64) inbox.Position {
		return inbox.Position{Partition: inbox.Partition{Cluster: cluster, TopicID: id, Topic: "orders", Partition: partition}, Next: next}
	}
	fake.positions = []inbox.Position{
		at(c.ID, shown.ID, 0, 4, 3, 5), at(c.ID, shown.ID, 1, -1),
		at("another", shown.ID, 0, 1), at(c.ID, strings.Repeat("0", 32), 1, 2), // of the past
	}
	return e, fake, topic
}

func TestTheTruthOfAServicesConsumerIsInItsDatabase(t *testing.T) {
	e, fake, topic := serviceEnv(t)
	group := e.kafka.Group("charger")
	e.commit(e.kafka.Group("foreign"), topic, 5, 5)
	p, err := e.cluster.Groups(t.Context(), api.PageQuery{})
	if err != nil || len(p.Items) != 2 || p.Items[0].Name != group || p.Items[0].Service != "payment" || p.Items[0].Lag != 7 || p.Items[1].Service != "" || p.Items[1].Lag != 0 {
		t.Fatalf("got %+v, %v", p, err) // also before Kafka has its copy
	}
	e.commit(group, topic, 1, 1) // an old copy
	g, err := e.cluster.Group(t.Context(), group)
	if err != nil || fmt.Sprint(g.Offsets) != fmt.Sprint([]api.GroupOffset{
		{Topic: topic, Partition: 0, Committed: 3, End: 5, Lag: 2, Truth: "database"},
		{Topic: topic, Partition: 1, Committed: -1, End: 5, Lag: 5, Truth: "database"},
	}) {
		t.Errorf("got %+v, %v", g, err)
	}
	if shown, err := e.cluster.Topic(t.Context(), topic); err != nil || strings.Join(shown.Consumers, " ") != group {
		t.Errorf("readers: %v, %v", shown.Consumers, err)
	}
	asked := fake.asked
	if _, err := e.cluster.Groups(t.Context(), api.PageQuery{Search: "foreign"}); err != nil || fake.asked != asked {
		t.Errorf("a service was asked for a page without it: %v", err)
	}

	fake.mu.Lock()
	fake.away = true
	fake.mu.Unlock()
	g, err = e.cluster.Group(t.Context(), group)
	if err != nil || g.Service != "payment" || g.Problem == "" || len(g.Offsets) != 2 || g.Offsets[0].Truth != "kafka" || g.Lag != 8 {
		t.Errorf("away: got %+v, %v", g, err)
	}
	if _, err := e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: topic, To: "earliest"}); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("away: a reset gave %v", err)
	}
}

func TestAServicesConsumerIsReplayed(t *testing.T) {
	e, fake, topic := serviceEnv(t)
	group := e.kafka.Group("charger")
	reset := func(to string, dry bool) (api.ResetPlan, error) {
		return e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: topic, To: to, DryRun: dry})
	}
	p, err := reset("offset:1", true)
	if err != nil || !p.Replay || !p.DryRun || p.Moves[0].Problem != "" || p.Moves[0].From != 3 || p.Moves[0].To != 1 || p.Moves[1].Problem == "" ||
		!strings.Contains(p.Warning, "2 messages come again") || len(fake.replays) != 0 {
		t.Errorf("dry: got %+v, %v, %v", p, err, fake.replays)
	}
	if _, err = reset("offset:1", false); err != nil || len(fake.replays) != 1 || fake.replays[0] != (svc.ReplayRequest{Consumer: "charger", Topic: "orders", Offset: 1}) {
		t.Errorf("got %v, %v", fake.replays, err)
	}
	for _, to := range []string{"latest", "offset:4", "offset:3"} {
		if p, err := reset(to, true); err != nil || p.Moves[0].Problem == "" {
			t.Errorf("%s, dry: got %+v, %v", to, p, err)
		}
		if _, err := reset(to, false); !errors.Is(err, api.ErrConflict) || to != "offset:3" && !strings.Contains(err.Error(), "only goes back") {
			t.Errorf("%s: got %v", to, err)
		}
	}
	fake.refuse = fmt.Errorf("%w: no", svc.ErrConflict)
	if p, err := reset("earliest", false); !errors.Is(err, api.ErrConflict) || p.Moves[0].Problem == "" {
		t.Errorf("refused: got %+v, %v", p, err)
	}
	if len(fake.replays) != 1 {
		t.Errorf("got %v", fake.replays)
	}
	e.topic("unread", 1)
	if _, err := e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: e.kafka.Topic("unread"), To: "earliest"}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("a topic it does not read: %v", err)
	}
}
