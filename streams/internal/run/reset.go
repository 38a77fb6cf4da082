package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// ResetPlan is what a reset does.
type ResetPlan struct {
	// Group whose offsets are set, by source topic, to its beginning or end.
	Group  string             `json:"group"`
	Topics []ResetPlanOfTopic `json:"topics"`
	// Deleted topics are the internal ones.
	Deleted []string `json:"deleted"`
}

// ResetPlanOfTopic is where the group begins in a source topic.
type ResetPlanOfTopic struct {
	Topic   string  `json:"topic"`
	Offsets []int64 `json:"offsets"` // by partition
}

// ErrMembers: an application is reset only while nobody runs it.
var ErrMembers = errors.New("the application has members; stop all its instances first, and wait for the session timeout of those that died")

// Reset sets the application's offsets to where its sources begin, and deletes its
// internal topics. With dry it says what it would do.
func Reset(ctx context.Context, cfg Config, dry bool) (ResetPlan, error) {
	client, err := kafka.NewClient(cfg.Kafka, kgo.DisableClientMetrics(), kgo.MaxVersions(pinned()))
	if err != nil {
		return ResetPlan{}, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if err := checkNobody(ctx, admin, cfg.group()); err != nil {
		return ResetPlan{}, err
	}
	p, err := planReset(ctx, client, cfg)
	if err != nil || dry {
		return p, err
	}
	offsets := kadm.Offsets{}
	for _, t := range p.Topics {
		for n, at := range t.Offsets {
			offsets.AddOffset(t.Topic, int32(n), at, -1)
		}
	}
	// First the offsets of topics that stay: who starts again after half a reset begins there
	// with empty stores.
	if err := admin.CommitAllOffsets(ctx, p.Group, offsets); err != nil {
		return p, fmt.Errorf("set the offsets of group %s: %w", p.Group, err)
	}
	return p, deleteInternal(ctx, admin, cfg, p)
}

func checkNobody(ctx context.Context, admin *kadm.Client, group string) error {
	groups, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return fmt.Errorf("look at group %s: %w", group, err)
	}
	g := groups[group]
	if g.Err != nil && !errors.Is(g.Err, kerr.GroupIDNotFound) {
		return fmt.Errorf("look at group %s: %w", group, g.Err)
	}
	if len(g.Members) > 0 {
		return fmt.Errorf("reset %s: %w (%d)", group, ErrMembers, len(g.Members))
	}
	return nil
}

func planReset(ctx context.Context, client *kgo.Client, cfg Config) (ResetPlan, error) {
	p := ResetPlan{Group: cfg.group()}
	known, err := countPartitions(ctx, client)
	if err != nil {
		return p, err
	}
	resets := map[string]plan.Reset{}
	for _, sub := range cfg.Topology.Subs {
		for _, node := range sub.Sources() {
			for _, t := range node.Topics {
				if !t.Repartition {
					resets[cfg.names().Topic(t)] = node.Reset
				}
			}
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(resets)) {
		var parts []topicPartition
		for n := range known[topic] {
			parts = append(parts, topicPartition{topic, n})
		}
		find := fetchStarts
		if resets[topic] == plan.ResetLatest {
			find = fetchEnds
		}
		at, err := find(ctx, client, parts)
		if err != nil {
			return p, err
		}
		t := ResetPlanOfTopic{Topic: topic}
		for _, tp := range parts {
			t.Offsets = append(t.Offsets, at[tp])
		}
		p.Topics = append(p.Topics, t)
	}
	for name := range internalTopics(cfg.Topology, cfg.names()) {
		if known[name] > 0 {
			p.Deleted = append(p.Deleted, name)
		}
	}
	slices.Sort(p.Deleted)
	return p, nil
}

// internalTopics are those that belong to the application alone.
func internalTopics(t *plan.Topology, names plan.Names) map[string]bool {
	out := map[string]bool{}
	for _, sub := range t.Subs {
		for _, node := range sub.Nodes {
			for _, topic := range node.Topics {
				if topic.Repartition {
					out[names.Topic(topic)] = true
				}
			}
		}
		for _, s := range sub.Stores {
			if name := names.Changelog(s); name != "" && s.Source == nil {
				out[name] = true
			}
		}
	}
	return out
}

// deleteInternal deletes the topics and what the group has committed of them.
func deleteInternal(ctx context.Context, admin *kadm.Client, cfg Config, p ResetPlan) error {
	if len(p.Deleted) == 0 {
		return nil
	}
	gone := kadm.TopicsSet{}
	committed, err := admin.FetchOffsets(ctx, p.Group)
	if err != nil {
		return fmt.Errorf("look at the offsets of group %s: %w", p.Group, err)
	}
	committed.Each(func(o kadm.OffsetResponse) {
		if slices.Contains(p.Deleted, o.Topic) {
			gone.Add(o.Topic, o.Partition)
		}
	})
	if len(gone) > 0 {
		if _, err := admin.DeleteOffsets(ctx, p.Group, gone); err != nil {
			return fmt.Errorf("delete offsets of group %s: %w", p.Group, err)
		}
	}
	deleted, err := admin.DeleteTopics(ctx, p.Deleted...)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return fmt.Errorf("delete the internal topics: %w", err)
	}
	return nil
}
