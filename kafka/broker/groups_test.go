package broker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestGroupSurvivesChurn lets members come, leave, die and come back at random,
// static and dynamic ones, with cooperative rebalancing. Every record is
// handled, and the partitions end up divided among those who are left.
func TestGroupSurvivesChurn(t *testing.T) {
	random := testenv.Rand(t)
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "work")
	crew := &crew{t: t, broker: cluster.Broker, handled: map[string]int{}, owned: map[string]map[int32]bool{}}
	producer := cluster.Client(t, kgo.DefaultProduceTopic("work"))
	sent := 0
	for step := range 60 {
		name := fmt.Sprint("m", random.IntN(4))
		switch member := crew.members[name]; {
		case member == nil:
			crew.join(name, random.IntN(2) == 0)
		case random.IntN(3) == 0:
			crew.end(name, random.IntN(2) == 0)
		}
		for range 5 {
			sent++
			record := &kgo.Record{Key: fmt.Append(nil, sent), Value: fmt.Append(nil, sent)}
			if err := producer.ProduceSync(t.Context(), record).FirstErr(); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
		}
	}
	crew.join("last", false)
	testenv.Wait(t, fmt.Sprintf("all %d records to be handled and each partition to have one owner", sent), 30*time.Second, func() bool {
		return crew.count() == sent && crew.divided(4)
	})
	for name := range crew.members {
		crew.end(name, true)
	}
}

// crew is a consumer group whose members note what they handle and own.
type crew struct {
	t       *testing.T
	broker  *broker.Broker
	members map[string]*crewMember

	mu      sync.Mutex
	handled map[string]int
	owned   map[string]map[int32]bool
}

type crewMember struct {
	client *kgo.Client
	stop   context.CancelFunc
	done   chan struct{}
}

func (c *crew) join(name string, static bool) {
	opts := []kgo.Opt{
		kgo.ConsumerGroup("crew"), kgo.ConsumeTopics("work"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(500 * time.Millisecond), kgo.HeartbeatInterval(50 * time.Millisecond), kgo.RebalanceTimeout(time.Second),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { c.own(name, p["work"], true) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { c.own(name, p["work"], false) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { c.own(name, p["work"], false) }),
	}
	if static {
		opts = append(opts, kgo.InstanceID(name))
	}
	client, err := kafka.NewClient(kafka.Config{Brokers: []string{c.broker.Addr()}, RequestTimeout: time.Second}, opts...)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &crewMember{client: client, stop: stop, done: make(chan struct{})}
	if c.members == nil {
		c.members = map[string]*crewMember{}
	}
	c.members[name] = m
	go func() {
		defer close(m.done)
		c.consume(ctx, client)
	}()
}

func (c *crew) consume(ctx context.Context, client *kgo.Client) {
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		c.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) { c.handled[string(r.Value)]++ })
		c.mu.Unlock()
		if fetches.NumRecords() > 0 {
			_ = client.CommitRecords(ctx, fetches.Records()...) // refused while rebalancing: handled once more
		}
		client.AllowRebalance()
	}
}

// end lets a member go: cleanly, or as one that died (a dynamic one says so when
// it closes, a static one is only missed).
func (c *crew) end(name string, leave bool) {
	m := c.members[name]
	delete(c.members, name)
	m.stop()
	<-m.done
	if leave {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = m.client.LeaveGroupContext(ctx)
	}
	m.client.CloseAllowingRebalance()
	c.mu.Lock()
	delete(c.owned, name)
	c.mu.Unlock()
}

func (c *crew) own(name string, partitions []int32, have bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owned[name] == nil {
		c.owned[name] = map[int32]bool{}
	}
	for _, p := range partitions {
		if have {
			c.owned[name][p] = true
		} else {
			delete(c.owned[name], p)
		}
	}
}

func (c *crew) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.handled)
}

// divided says whether the members own all partitions, each once, evenly.
func (c *crew) divided(partitions int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	owners := map[int32]int{}
	for name := range c.members {
		if share := len(c.owned[name]); share < partitions/len(c.members) {
			return false
		}
		for p := range c.owned[name] {
			owners[p]++
		}
	}
	for _, n := range owners {
		if n != 1 {
			return false
		}
	}
	return len(owners) == partitions
}
