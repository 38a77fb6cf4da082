package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kadm"
)

// Reset plans how a group moves and, unless it is a dry run, moves it. In the answer
// a move with a Problem was not made; where none could be made, it is an error.
func (c *Cluster) Reset(ctx context.Context, r api.ResetRequest) (api.ResetPlan, error) {
	to, err := parseTarget("to", r.To)
	if err != nil {
		return api.ResetPlan{}, err
	}
	g, err := c.Group(ctx, r.Group)
	if err != nil {
		return api.ResetPlan{}, err
	}
	who, replay := c.services.byGroup(ctx)[r.Group]
	bounded, cancel := c.within(ctx)
	defer cancel()
	if replay {
		s := c.standing(bounded, who)
		if s.err != nil {
			return api.ResetPlan{}, fmt.Errorf("the database of service %s says where its consumer stands: %w", who.service, s.err)
		}
		g.Offsets = s.offsets
	} else if err := resettable(g); err != nil {
		return api.ResetPlan{}, err
	}
	stands, err := c.stands(bounded, r, to, g, replay)
	if err != nil {
		return api.ResetPlan{}, err
	}
	p := plan(r, to, replay, stands)
	if r.DryRun {
		return p, nil
	}
	if err := hopeless(p); err != nil {
		return p, err
	}
	defer c.groups.forget()
	if replay {
		return p, c.replay(bounded, who, &p)
	}
	return p, c.commit(bounded, &p)
}

// resettable says why a foreign group cannot be moved.
func resettable(g api.Group) error {
	if len(g.MemberList) > 0 {
		names := make([]string, 0, len(g.MemberList))
		for _, m := range g.MemberList {
			names = append(names, fmt.Sprintf("%s at %s", m.ClientID, m.Host))
		}
		return fmt.Errorf("%w: group %s has members (%s): stop them first, or they commit over it",
			api.ErrConflict, g.Name, clipList(names))
	}
	switch g.State {
	case "Empty", "":
		return nil
	case "Dead":
		return fmt.Errorf("%w: group %s is gone", api.ErrNotFound, g.Name)
	}
	return fmt.Errorf("%w: group %s is %s: only an empty group is moved (%s)", api.ErrConflict, g.Name, g.State, g.Problem)
}

func clipList(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// stands finds where the group stands and where the target is.
func (c *Cluster) stands(ctx context.Context, r api.ResetRequest, to target, g api.Group, replay bool) ([]stand, error) {
	t, err := c.oneTopic(ctx, r.Topic)
	if err != nil {
		return nil, err
	}
	logs, err := c.logs(ctx, t, r.Partition)
	if err != nil {
		return nil, err
	}
	committed := map[int32]int64{}
	for _, o := range g.Offsets {
		if o.Topic == t.name {
			committed[o.Partition] = o.Committed
		}
	}
	if replay && len(committed) == 0 {
		return nil, fmt.Errorf("%w: consumer %s does not read topic %s", api.ErrInvalid, r.Group, t.name)
	}
	usable := map[int32]span{}
	for p, log := range logs {
		if log.err == nil {
			log.stable = log.end // a group may stand behind an open transaction
			usable[p] = log
		}
	}
	places, err := c.locate(ctx, to, t.name, usable)
	if err != nil {
		return nil, err
	}
	var out []stand
	for _, p := range sortedKeys(logs) {
		s := stand{place: place{t.name, p}, committed: -1, log: logs[p], found: places[p]}
		if at, ok := committed[p]; ok {
			s.committed = at
		}
		out = append(out, s)
	}
	return out, nil
}

// hopeless is an error where every move has a problem.
func hopeless(p api.ResetPlan) error {
	for _, m := range p.Moves {
		if m.Problem == "" {
			return nil
		}
	}
	if len(p.Moves) == 0 {
		return fmt.Errorf("%w: group %s stands in no partition of it", api.ErrConflict, p.Group)
	}
	m := p.Moves[0]
	return fmt.Errorf("%w: %s: %s", api.ErrConflict, placeText(m.Topic, m.Partition), m.Problem)
}

// commit writes the offsets of a group without members.
func (c *Cluster) commit(ctx context.Context, p *api.ResetPlan) error {
	offsets := kadm.Offsets{}
	for _, m := range p.Moves {
		if m.Problem == "" {
			offsets.AddOffset(m.Topic, m.Partition, m.To, -1)
		}
	}
	answers, err := c.admin.CommitOffsets(ctx, p.Group, offsets)
	if err != nil {
		return c.explain("move group "+p.Group, err)
	}
	var last error
	moved := 0
	for i := range p.Moves {
		m := &p.Moves[i]
		a, ok := answers.Lookup(m.Topic, m.Partition)
		switch {
		case m.Problem != "":
		case ok && a.Err != nil:
			last = c.explain("move group "+p.Group+" (has it members now?)", a.Err)
			m.Problem = last.Error()
		default:
			moved++
		}
	}
	if moved > 0 {
		return nil
	}
	return last
}

// replay has a service's consumer handle messages again, partition by partition.
func (c *Cluster) replay(ctx context.Context, who consumer, p *api.ResetPlan) error {
	service, err := c.services.at(ctx, who.service)
	if err != nil {
		return ofService(who.service, err)
	}
	var failed []error
	moved := 0
	for i := range p.Moves {
		m := &p.Moves[i]
		if m.Problem != "" {
			continue
		}
		_, err := service.StartReplay(ctx, admin.ReplayRequest{
			Consumer: who.name, Topic: strings.TrimPrefix(m.Topic, who.prefix), Partition: m.Partition, Offset: m.To,
		})
		if err != nil {
			err = ofService(who.service, err)
			m.Problem = err.Error()
			failed = append(failed, err)
			continue
		}
		moved++
	}
	if moved > 0 {
		return nil
	}
	return errors.Join(failed...)
}
