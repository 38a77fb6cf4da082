package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topics lists topics by name; offsets are asked for those on the page only.
func (c *Cluster) Topics(ctx context.Context, q api.TopicQuery) (api.Page[api.TopicSummary], error) {
	var out api.Page[api.TopicSummary]
	all, err := c.allTopics(ctx)
	if err != nil {
		return out, err
	}
	names := make([]string, 0, len(all.topics))
	for _, t := range all.topics {
		if q.Internal || !t.internal {
			names = append(names, t.name)
		}
	}
	on, err := page(names, q.PageQuery)
	if err != nil {
		return out, err
	}
	parts := make(map[string][]int32, len(on.Items))
	for _, name := range on.Items {
		parts[name] = all.byName[name].numbers()
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	spans, err := c.spans(ctx, parts, false)
	if err != nil {
		return out, err
	}
	out.Items, out.Next, out.Total = make([]api.TopicSummary, len(on.Items)), on.Next, on.Total
	for i, name := range on.Items {
		out.Items[i] = summary(all.byName[name], spans)
	}
	return out, nil
}

func summary(t *topic, spans map[place]span) api.TopicSummary {
	s := api.TopicSummary{Name: t.name, Partitions: len(t.partitions), Internal: t.internal, Problem: problem(t.code)}
	away := 0
	for _, p := range t.partitions {
		s.Replication = max(s.Replication, len(p.Replicas))
		if text := problem(p.ErrorCode); text != "" {
			away++
			s.Problem = fmt.Sprintf("%s in %d of %d partitions", text, away, len(t.partitions))
		}
		log, ok := spans[place{t.name, p.Partition}]
		switch {
		case !ok || log.err != nil || s.Records < 0:
			s.Records = -1
		default:
			s.Records += log.end - log.start
		}
	}
	if s.Records < 0 && s.Problem == "" {
		s.Problem = "not every leader answered"
	}
	return s
}

// Topic shows one topic with its partitions, settings and readers.
func (c *Cluster) Topic(ctx context.Context, name string) (api.Topic, error) {
	var out api.Topic
	ctx, cancel := c.within(ctx)
	defer cancel()
	t, err := c.oneTopic(ctx, name)
	if err != nil {
		return out, err
	}
	spans, err := c.spans(ctx, map[string][]int32{name: t.numbers()}, true)
	if err != nil {
		return out, err
	}
	out = api.Topic{TopicSummary: summary(t, spans), ID: t.idText(), Partitions: make([]api.Partition, len(t.partitions))}
	for i, p := range t.partitions {
		log := spans[place{name, p.Partition}]
		out.Partitions[i] = api.Partition{
			Partition: p.Partition, Leader: p.Leader, Replicas: p.Replicas, InSync: p.ISR,
			Start: log.start, End: log.end, Stable: log.stable, Problem: problem(p.ErrorCode),
		}
		if log.err != nil {
			out.Partitions[i].Start, out.Partitions[i].End, out.Partitions[i].Stable = -1, -1, -1
			if out.Partitions[i].Problem == "" {
				out.Partitions[i].Problem = log.err.Error()
			}
		}
	}
	if out.Config, err = c.settings(ctx, name); err != nil {
		return out, err
	}
	out.Consumers = c.services.readers(ctx, name)
	return out, nil
}

// settings are a topic's, by name.
func (c *Cluster) settings(ctx context.Context, name string) ([]api.ConfigEntry, error) {
	found, err := c.admin.DescribeTopicConfigs(ctx, name)
	if err == nil {
		var r kadm.ResourceConfig
		r, err = found.On(name, nil)
		if err == nil {
			err = r.Err
		}
		if err == nil {
			return entries(r.Configs), nil
		}
	}
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		return []api.ConfigEntry{}, nil // may be seen, its settings may not
	}
	return nil, c.explain("read the settings of topic "+name, err)
}

func entries(configs []kadm.Config) []api.ConfigEntry {
	out := make([]api.ConfigEntry, len(configs))
	for i, e := range configs {
		out[i] = api.ConfigEntry{Name: e.Key, Sensitive: e.Sensitive, Source: "broker"}
		if !e.Sensitive {
			out[i].Value = e.MaybeValue()
		}
		switch e.Source {
		case kmsg.ConfigSourceDynamicTopicConfig:
			out[i].Source = "topic"
		case kmsg.ConfigSourceDefaultConfig:
			out[i].Source = "default"
		}
	}
	return out
}

// maxPartitions of a topic made here: more is a slip of the hand.
const maxPartitions = 10_000

// CreateTopic makes a topic; ErrConflict where there is one of that name.
func (c *Cluster) CreateTopic(ctx context.Context, t api.NewTopic) error {
	if err := kafka.CheckTopicName(t.Name); err != nil {
		return fmt.Errorf("%w: topic %q: %w", api.ErrInvalid, t.Name, err)
	}
	if t.Partitions < 0 || t.Partitions > maxPartitions || t.Replication < 0 {
		return fmt.Errorf("%w: %d partitions with %d replicas: there are 1 to %d partitions and at least 1 replica; 0 is the default",
			api.ErrInvalid, t.Partitions, t.Replication, maxPartitions)
	}
	if t.Partitions == 0 {
		t.Partitions = kafka.DefaultPartitions
	}
	if t.Replication == 0 {
		t.Replication = -1
	}
	configs := make(map[string]*string, len(t.Config))
	for name, value := range t.Config {
		configs[name] = kadm.StringPtr(value)
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	made, err := c.admin.CreateTopic(ctx, t.Partitions, t.Replication, configs, t.Name)
	if err != nil {
		what := "create topic " + t.Name
		if made.ErrMessage != "" {
			what += ": " + made.ErrMessage
		}
		return c.explain(what, err)
	}
	c.awaitTopic(ctx, t.Name)
	c.topics.forget()
	return nil
}

// awaitTopic waits until brokers show a topic made just now, so that the page that
// comes next finds it.
func (c *Cluster) awaitTopic(ctx context.Context, name string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := c.oneTopic(ctx, name); !errors.Is(err, api.ErrNotFound) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
