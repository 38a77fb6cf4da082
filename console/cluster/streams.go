package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// ResetStreams has a stream processing application begin anew: its group's offsets go to
// where the topics begin, and its internal topics are deleted. It goes by their names, so
// that no instance has to be there.
func (c *Cluster) ResetStreams(ctx context.Context, r api.ResetStreams) (api.StreamsReset, error) {
	out := api.StreamsReset{Application: r.Application, DryRun: r.DryRun, Moves: []api.ResetMove{}, Deleted: []string{}}
	if r.To != "" && r.To != "beginning" {
		return out, api.BadField("to", "is %q: only beginning is possible, since all that was computed is deleted", r.To)
	}
	bounded, cancel := c.within(ctx)
	defer cancel()
	c.topics.forget()
	c.groups.forget()
	g, err := c.streamsGroup(ctx, r.Application)
	if err != nil {
		return out, err
	}
	topics, err := c.allTopics(bounded)
	if err != nil {
		return out, err
	}
	groups, err := c.allGroups(bounded)
	if err != nil {
		return out, err
	}
	out.Deleted, out.Kept = internalTopics(r.Application, topics, groups.names)
	if len(out.Deleted) == 0 && len(out.Kept) == 0 && len(g.Offsets) == 0 {
		return out, fmt.Errorf("%w: there is no application %q: neither a group nor internal topics of it", api.ErrNotFound, r.Application)
	}
	if out.Moves, err = c.toBeginning(bounded, g, out.Deleted); err != nil {
		return out, err
	}
	out.Notes = resetNotes(out)
	if r.DryRun {
		return out, nil
	}
	defer c.topics.forget()
	defer c.groups.forget()
	return out, c.resetStreams(bounded, g, out)
}

// streamsGroup is the application's group, which must have no members; one without offsets
// where there is none.
func (c *Cluster) streamsGroup(ctx context.Context, name string) (api.Group, error) {
	g, err := c.Group(ctx, name)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return api.Group{}, nil
	case err != nil:
		return g, err
	}
	if g.Service != "" {
		return g, fmt.Errorf("%w: %s is a consumer of service %s, no stream processing application", api.ErrInvalid, name, g.Service)
	}
	if g.State == "Dead" {
		return g, nil
	}
	return g, resettable(g)
}

// internalTopics are the application's, sorted. Kept are those that another group, whose
// name is longer, may have as well.
func internalTopics(application string, topics *metadata, groups []string) (own, kept []string) {
	own = []string{}
	for _, t := range topics.topics {
		if !api.IsInternalTopic(application, t.name) {
			continue
		}
		other := func(group string) bool {
			return len(group) > len(application) && strings.HasPrefix(group, application+"-") && api.IsInternalTopic(group, t.name)
		}
		if slices.ContainsFunc(groups, other) {
			kept = append(kept, t.name)
		} else {
			own = append(own, t.name)
		}
	}
	return own, kept
}

// toBeginning plans the moves in the topics that stay.
func (c *Cluster) toBeginning(ctx context.Context, g api.Group, deleted []string) ([]api.ResetMove, error) {
	parts := map[string][]int32{}
	for _, o := range g.Offsets {
		if !slices.Contains(deleted, o.Topic) {
			parts[o.Topic] = append(parts[o.Topic], o.Partition)
		}
	}
	spans, err := c.spans(ctx, parts, false)
	if err != nil {
		return nil, err
	}
	moves := []api.ResetMove{}
	for _, o := range g.Offsets {
		if slices.Contains(deleted, o.Topic) {
			continue
		}
		m, log := api.ResetMove{Topic: o.Topic, Partition: o.Partition, From: o.Committed}, spans[place{o.Topic, o.Partition}]
		if m.To = log.start; log.err != nil {
			m.To, m.Problem = -1, "its log could not be asked: "+log.err.Error()
		}
		moves = append(moves, m)
	}
	return moves, nil
}

func resetNotes(r api.StreamsReset) []string {
	notes := []string{"Stores on the disks of its instances are still there: delete each instance's folder of the application (App.CleanUp does) before it starts again."}
	if len(r.Kept) > 0 {
		notes = append(notes, "Topics that may belong to another application, whose name begins likewise, are left: delete those that are not its.")
	}
	return notes
}

// resetStreams first moves the group: who starts again after half a reset begins at the
// beginning.
func (c *Cluster) resetStreams(ctx context.Context, g api.Group, r api.StreamsReset) error {
	for _, m := range r.Moves {
		if m.Problem != "" {
			return fmt.Errorf("%w: nothing was done: %s: %s", api.ErrUnavailable, placeText(m.Topic, m.Partition), m.Problem)
		}
	}
	if len(r.Moves) > 0 {
		p := api.ResetPlan{Group: r.Application, Moves: slices.Clone(r.Moves)}
		if err := c.commit(ctx, &p); err != nil {
			return err
		}
		for _, m := range p.Moves {
			if m.Problem != "" {
				return fmt.Errorf("%w: not all of the group was moved, and no topic deleted: %s", api.ErrConflict, m.Problem)
			}
		}
	}
	if len(r.Deleted) == 0 {
		return nil
	}
	gone := kadm.TopicsSet{}
	for _, o := range g.Offsets {
		if slices.Contains(r.Deleted, o.Topic) {
			gone.Add(o.Topic, o.Partition)
		}
	}
	if len(gone) > 0 {
		if _, err := c.admin.DeleteOffsets(ctx, r.Application, gone); err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return c.explain("delete offsets of group "+r.Application, err)
		}
	}
	deleted, err := c.admin.DeleteTopics(ctx, r.Deleted...)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return c.explain("delete the internal topics", err)
	}
	return nil
}
