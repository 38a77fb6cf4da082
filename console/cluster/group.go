package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kadm"
)

// view is everything about those groups, in their order, with one question per
// coordinator and leader for all of them.
func (c *Cluster) view(ctx context.Context, names []string, all *groupNames, own map[string]consumer) ([]api.Group, error) {
	if len(names) == 0 {
		return nil, nil
	}
	bounded, cancel := c.within(ctx)
	defer cancel()
	var described map[string]api.Group
	var commits kadm.FetchOffsetsResponses
	var positions map[string]standing
	var work sync.WaitGroup
	work.Go(func() { described = c.describeGroups(bounded, names, all) })
	work.Go(func() { commits = c.commits(bounded, names, all) })
	work.Go(func() { positions = c.positions(bounded, names, own) })
	work.Wait()

	out := make([]api.Group, len(names))
	for i, name := range names {
		out[i] = described[name]
		out[i].Service = own[name].service
		c.place(bounded, &out[i], commits[name], positions[name])
	}
	return out, c.measure(bounded, out)
}

// commits are the offsets that Kafka has of those groups.
func (c *Cluster) commits(ctx context.Context, names []string, all *groupNames) kadm.FetchOffsetsResponses {
	var in []string
	for _, name := range names {
		if all.byName[name].kind != "share" {
			in = append(in, name)
		}
	}
	if len(in) == 0 {
		return nil
	}
	return c.admin.FetchManyOffsets(ctx, in...)
}

// place fills in where the group stands: the database's word where there is one,
// else Kafka's.
func (c *Cluster) place(ctx context.Context, g *api.Group, commits kadm.FetchOffsetsResponse, s standing) {
	note := func(problem string) {
		if g.Problem == "" {
			g.Problem = problem
		}
	}
	known := map[place]bool{}
	for _, o := range s.offsets {
		known[place{o.Topic, o.Partition}] = true
	}
	g.Offsets = append([]api.GroupOffset{}, s.offsets...)
	if s.err != nil {
		note(fmt.Sprintf("its database could not be asked, so these are the copies in Kafka: %v", s.err))
	}
	if commits.Err != nil {
		note(c.explain("read the group's offsets", commits.Err).Error())
	}
	for t, partitions := range commits.Fetched {
		for p, o := range partitions {
			switch {
			case o.Err != nil:
				note(c.explain(fmt.Sprintf("read the group's offset in %s/%d", t, p), o.Err).Error())
			case o.At >= 0 && s.offsets == nil && !known[place{t, p}]:
				g.Offsets = append(g.Offsets, api.GroupOffset{Topic: t, Partition: p, Committed: o.At, Truth: "kafka"})
			}
		}
	}
	slices.SortFunc(g.Offsets, func(a, b api.GroupOffset) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	ownerOf := map[string]string{}
	for _, m := range g.MemberList {
		for _, a := range m.Assigned {
			ownerOf[a] = m.ID
		}
	}
	for i := range g.Offsets {
		g.Offsets[i].Member = ownerOf[placeText(g.Offsets[i].Topic, g.Offsets[i].Partition)]
	}
}

func placeText(topic string, partition int32) string { return fmt.Sprintf("%s/%d", topic, partition) }

// measure asks once for the ends of all partitions the groups stand in, and fills in
// topics and lags.
func (c *Cluster) measure(ctx context.Context, groups []api.Group) error {
	parts := map[string][]int32{}
	seen := map[place]bool{}
	for _, g := range groups {
		for _, o := range g.Offsets {
			at := place{o.Topic, o.Partition}
			if !seen[at] {
				seen[at] = true
				parts[o.Topic] = append(parts[o.Topic], o.Partition)
			}
		}
	}
	spans, err := c.spans(ctx, parts, false)
	if err != nil {
		return err
	}
	for i := range groups {
		weigh(&groups[i], spans)
	}
	return nil
}

// weigh sums up a group's lag. It is -1 where one partition's is not known, or
// where nothing was ever committed.
func weigh(g *api.Group, spans map[place]span) {
	g.Topics, g.Lag = []string{}, 0
	for i := range g.Offsets {
		o := &g.Offsets[i]
		o.End, o.Lag = -1, -1
		if log := spans[place{o.Topic, o.Partition}]; log.err == nil {
			o.End = log.end
			o.Lag = max(log.end-max(o.Committed, log.start), 0)
		} else if g.Problem == "" {
			g.Problem = fmt.Sprintf("%s: %v", placeText(o.Topic, o.Partition), log.err)
		}
		if !slices.Contains(g.Topics, o.Topic) {
			g.Topics = append(g.Topics, o.Topic)
		}
		if o.Lag < 0 || g.Lag < 0 {
			g.Lag = -1
		} else {
			g.Lag += o.Lag
		}
	}
	if len(g.Offsets) == 0 {
		g.Lag = -1
	}
	for _, m := range g.MemberList {
		for _, a := range m.Assigned {
			if t := a[:max(lastSlash(a), 0)]; t != "" && !slices.Contains(g.Topics, t) {
				g.Topics = append(g.Topics, t)
			}
		}
	}
	slices.Sort(g.Topics)
}

func lastSlash(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '/' {
			return i
		}
	}
	return -1
}
