package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// removeFromCluster deletes the groups and topics of this run, known by their
// prefix. Nobody may use them any more.
func removeFromCluster(ctx context.Context, c kafka.Config) error {
	if c.Prefix == "" {
		return errors.New("without a prefix everything on the cluster would be deleted")
	}
	client, err := kafka.NewClient(c)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	return errors.Join(removeGroups(ctx, admin, c.Prefix), removeTopics(ctx, admin, c.Prefix))
}

func removeTopics(ctx context.Context, admin *kadm.Client, prefix string) error {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list the topics of the demo: %w", err)
	}
	ours := slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, prefix) })
	if len(ours) == 0 {
		return nil
	}
	deleted, err := admin.DeleteTopics(ctx, ours...)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return fmt.Errorf("delete the topics %s…: %w", prefix, err)
	}
	return nil
}

// removeGroups has the static members leave first: they outlive their
// processes, and a group with members cannot be deleted.
func removeGroups(ctx context.Context, admin *kadm.Client, prefix string) error {
	listed, err := admin.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("list the groups of the demo: %w", err)
	}
	ours := slices.DeleteFunc(listed.Groups(), func(name string) bool { return !strings.HasPrefix(name, prefix) })
	if len(ours) == 0 {
		return nil
	}
	described, err := admin.DescribeGroups(ctx, ours...)
	if err != nil {
		return fmt.Errorf("describe the groups of the demo: %w", err)
	}
	for _, g := range described.Sorted() {
		if err := leaveAll(ctx, admin, g); err != nil {
			return err
		}
	}
	deleted, err := admin.DeleteGroups(ctx, ours...)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return fmt.Errorf("delete the groups %s…: %w", prefix, err)
	}
	return nil
}

func leaveAll(ctx context.Context, admin *kadm.Client, g kadm.DescribedGroup) error {
	var instances []string
	for _, m := range g.Members {
		if m.InstanceID != nil {
			instances = append(instances, *m.InstanceID)
		}
	}
	if len(instances) == 0 {
		return nil
	}
	_, err := admin.LeaveGroup(ctx, kadm.LeaveGroup(g.Group).Reason("the demo is over").InstanceIDs(instances...))
	if err != nil {
		return fmt.Errorf("remove the members of group %s: %w", g.Group, err)
	}
	return nil
}
