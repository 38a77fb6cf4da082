package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// changes makes, changes and deletes topics, one change after another.
type changes struct {
	w      *world
	random *rand.Rand
	names  []string
	// may are the states that each topic may be in: one, unless a change is in doubt.
	may  map[string][]topicState
	mu   sync.Mutex
	told map[string]int
	done int
}

// topicState is a topic; the zero value is none.
type topicState struct {
	partitions int
	retention  int // its setting retention.ms
	records    int
}

func newChanges(w *world) *changes {
	c := &changes{w: w, random: w.fork(), may: map[string][]topicState{}, told: map[string]int{}}
	for i := range 6 {
		name := fmt.Sprint("changed-", i)
		c.names, c.may[name] = append(c.names, name), []topicState{{}}
	}
	return c
}

func (c *changes) name() string          { return "changes of topics" }
func (c *changes) topics() []kafka.Topic { return nil }

func (c *changes) run(ctx context.Context) error {
	client, err := c.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for !c.w.over() && ctx.Err() == nil {
		name := c.names[c.random.IntN(len(c.names))]
		if err := c.compare(ctx, admin, name, &c.w.findings); err != nil {
			c.note("look", err)
			continue
		}
		c.change(ctx, admin, name, c.may[name][0])
		c.w.pace(c.random, 60*time.Millisecond)
	}
	return nil
}

// change asks for one. What is answered is the state from then on; otherwise nobody knows.
func (c *changes) change(ctx context.Context, admin *kadm.Client, name string, is topicState) {
	next := is
	var ask func() error
	switch what := c.random.IntN(5); {
	case is.partitions == 0:
		next = topicState{partitions: 1 + c.random.IntN(3), retention: 1_000_000 + c.random.IntN(1000)}
		ask = func() error { return create(ctx, admin, name, next) }
	case what == 0:
		next = topicState{}
		ask = func() error { return deleteTopic(ctx, admin, name) }
	case what == 1:
		next.partitions++
		ask = func() error { return enlarge(ctx, admin, name, next.partitions) }
	case what == 2:
		next.records++
		ask = func() error { return c.produce(ctx, name) }
	default:
		next.retention = 1_000_000 + c.random.IntN(1000)
		ask = func() error { return configure(ctx, admin, name, next.retention) }
	}
	c.may[name] = []topicState{is, next}
	if err := ask(); err != nil {
		c.note("change", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	c.may[name] = []topicState{next}
}

func create(ctx context.Context, admin *kadm.Client, name string, s topicState) error {
	_, err := admin.CreateTopic(ctx, int32(s.partitions), 1, map[string]*string{"retention.ms": kadm.StringPtr(strconv.Itoa(s.retention))}, name)
	return err
}

func deleteTopic(ctx context.Context, admin *kadm.Client, name string) error {
	_, err := admin.DeleteTopic(ctx, name)
	return err
}

func enlarge(ctx context.Context, admin *kadm.Client, name string, partitions int) error {
	resps, err := admin.UpdatePartitions(ctx, partitions, name)
	return errors.Join(err, resps.Error())
}

func configure(ctx context.Context, admin *kadm.Client, name string, retention int) error {
	resps, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: kadm.StringPtr(strconv.Itoa(retention))}}, name)
	if err != nil {
		return err
	}
	_, err = resps.On(name, func(r *kadm.AlterConfigsResponse) error { return r.Err })
	return err
}

// produce has a client of its own, which knows nothing of an earlier topic of the name.
func (c *changes) produce(ctx context.Context, name string) error {
	client, err := c.w.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.ProduceSync(ctx, &kgo.Record{Topic: name, Value: []byte(name)}).FirstErr()
}

// compare finds a state that cannot be, and knows it from then on.
func (c *changes) compare(ctx context.Context, admin *kadm.Client, name string, f *findings) error {
	is, err := stateOf(ctx, admin, name)
	if err != nil {
		return err
	}
	if !slices.Contains(c.may[name], is) {
		f.add(wrong, "topic %s is %+v, and can be %+v", name, is, c.may[name])
	}
	c.may[name] = []topicState{is}
	return nil
}

func stateOf(ctx context.Context, admin *kadm.Client, name string) (s topicState, err error) {
	topics, err := admin.ListTopics(kadm.WithAuthorizedOps(ctx), name) // not from what the client keeps
	if err != nil {
		return s, err
	}
	if err := topics[name].Err; err != nil {
		return s, ignore(err, kerr.UnknownTopicOrPartition)
	}
	s.partitions = len(topics[name].Partitions)
	configs, err := admin.DescribeTopicConfigs(ctx, name)
	if err != nil {
		return s, err
	}
	if _, err := configs.On(name, func(r *kadm.ResourceConfig) error {
		for _, config := range r.Configs {
			if config.Key == "retention.ms" {
				s.retention, err = strconv.Atoi(config.MaybeValue())
			}
		}
		return errors.Join(err, r.Err)
	}); err != nil {
		return s, err
	}
	ends, err := admin.ListEndOffsets(ctx, name)
	if err = errors.Join(err, ends.Error()); err != nil {
		return s, err
	}
	ends.Each(func(o kadm.ListedOffset) { s.records += int(o.Offset) })
	return s, nil
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

func (c *changes) note(what string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told[what+": "+err.Error()]++
}

func (c *changes) check(ctx context.Context, f *findings) error {
	client, err := c.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	for _, name := range c.names {
		if err := c.compare(ctx, kadm.NewClient(client), name, f); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *changes) did() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := fmt.Sprintf("%d; clients were told %v", c.done, c.told)
	if c.done < 5 {
		return text, errors.New("too few changes")
	}
	return text, nil
}
