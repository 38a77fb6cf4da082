package assign

import (
	"cmp"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// recall the last assignment: the leader's own, which has everybody. One that is new, or was away,
// was not told; then what another says of static members.
func (r *round) recall() {
	newest := int32(-1)
	if r.last != nil {
		r.hosts = r.last.Hosts
		for _, c := range r.members {
			if c.id == r.info.LeaderID {
				newest = c.generation
			}
		}
	}
	for _, c := range r.members {
		if c.generation > newest && len(c.Static) > 0 {
			newest, r.hosts = c.generation, c.Static
		}
	}
}

// dropStaleClaims: of a partition that several claim, those of the newest generation count.
// A static member that is away says what it had long ago: the last assignment counts.
func (r *round) dropStaleClaims() {
	for _, c := range r.members {
		if h := r.away(c); h != nil {
			c.away, c.owned = true, r.inputs(h.Active)
			c.generation = r.info.Generation - 1
			c.Standbys = h.Standbys
			for _, id := range h.Active {
				delete(c.Offsets, id)
			}
		}
	}
	newest := map[TopicPartition]int32{}
	for _, c := range r.members {
		for tp := range c.owned {
			if g, ok := newest[tp]; !ok || c.generation > g {
				newest[tp] = c.generation
			}
		}
	}
	for _, c := range r.members {
		maps.DeleteFunc(c.owned, func(tp TopicPartition, _ bool) bool { return c.generation < newest[tp] })
	}
}

// away returns what a static member has that is in the group and did not join this time; nil
// for all others. Who is back has another member id.
func (r *round) away(c *candidate) *Host {
	if c.instance == "" || c.generation >= r.info.Generation-1 {
		return nil
	}
	for i := range r.hosts {
		if h := &r.hosts[i]; h.Member == c.id {
			return h
		}
	}
	return nil
}

func (r *round) inputs(ids []TaskID) map[TopicPartition]bool {
	wanted, out := set(ids), map[TopicPartition]bool{}
	for _, d := range r.tasks {
		if wanted[d.ID] {
			for _, tp := range d.Inputs {
				out[tp] = true
			}
		}
	}
	return out
}

// input of the decision. Without ends, who has most of a task is taken for its end.
func (r *round) input(ends map[TaskID]int64) Input {
	in := Input{Standbys: r.b.c.Standbys, AcceptableLag: r.b.c.AcceptableLag, MaxWarmups: r.b.c.MaxWarmups, Blind: ends == nil}
	if in.Blind {
		ends = map[TaskID]int64{}
		for _, c := range r.members {
			for id, at := range c.Offsets {
				ends[id] = max(ends[id], at)
			}
		}
	}
	for _, d := range r.tasks {
		in.Tasks = append(in.Tasks, Task{ID: d.ID, Stateful: d.Stateful, Size: ends[d.ID]})
	}
	for _, c := range r.members {
		in.Members = append(in.Members, r.member(c, ends))
	}
	return in
}

func (r *round) member(c *candidate, ends map[TaskID]int64) Member {
	m := Member{ID: c.id, Process: cmp.Or(c.Process, c.id), Workers: c.Workers, Standbys: c.Standbys,
		Lags: map[TaskID]int64{}, Unable: map[TaskID]bool{}, Planned: r.planned(c), Away: c.away}
	for _, d := range r.tasks {
		if slices.ContainsFunc(d.Inputs, func(tp TopicPartition) bool { return c.owned[tp] }) {
			m.Active = append(m.Active, d.ID)
		}
		if slices.ContainsFunc(d.Inputs, func(tp TopicPartition) bool { return !c.topics[tp.Topic] }) {
			m.Unable[d.ID] = true
		}
		if at, ok := c.Offsets[d.ID]; ok && d.Stateful {
			m.Lags[d.ID] = max(ends[d.ID]-at, 0)
		}
	}
	return m
}

// planned is what the last decision meant for the member. It may have none of it: a static one that
// was started anew, or one that learned of the next rebalance before it learned of this one's end.
func (r *round) planned(c *candidate) []TaskID {
	for _, h := range r.hosts {
		if h.Member == c.id || c.instance != "" && h.Instance == c.instance {
			return slices.Concat(h.Active, h.Pending)
		}
	}
	return nil
}

// hand turns the decision into assignments; what somebody else still owns is withheld.
func (r *round) hand(in Input, result Result) syncs {
	claims := map[TopicPartition][]string{}
	for _, c := range r.members {
		for tp := range c.owned {
			claims[tp] = append(claims[tp], c.id)
		}
	}
	shared := Assignment{Shutdown: slices.ContainsFunc(r.members, func(c *candidate) bool { return c.Shutdown })}
	given := make([]map[string][]int32, len(r.members))
	own := make([]Assignment, len(r.members))
	for i, c := range r.members {
		own[i], given[i] = r.share(c, result.Members[c.id], claims)
		h := Host{Member: c.id, Instance: c.instance, Process: c.Process, Endpoint: c.Endpoint, Active: own[i].Active, Pending: own[i].Pending}
		h.Standbys = slices.SortedFunc(slices.Values(slices.Concat(own[i].Standbys, own[i].Warmups)), compareIDs)
		shared.Hosts = append(shared.Hosts, h)
	}
	probe := result.Probe || slices.ContainsFunc(in.Members, func(m Member) bool { return m.Away })
	var out syncs
	for i, c := range r.members {
		a := own[i]
		a.Hosts, a.Shutdown = shared.Hosts, shared.Shutdown
		if probe && c.id == r.info.LeaderID {
			a.Probe = r.b.c.ProbeInterval
		}
		out = append(out, encodeSync(c.id, given[i], a))
	}
	return out
}

// share of a member: its tasks, and the partitions that it gets now.
func (r *round) share(c *candidate, s Share, claims map[TopicPartition][]string) (Assignment, map[string][]int32) {
	a := Assignment{Standbys: s.Standbys, Warmups: slices.Clone(s.Warmups)}
	partitions := map[string][]int32{}
	active := set(s.Active)
	for _, d := range r.tasks {
		if !active[d.ID] {
			continue
		}
		withheld := slices.ContainsFunc(d.Inputs, func(tp TopicPartition) bool {
			return slices.ContainsFunc(claims[tp], func(id string) bool { return id != c.id })
		})
		for _, tp := range d.Inputs {
			if !withheld || c.owned[tp] {
				partitions[tp.Topic] = append(partitions[tp.Topic], tp.Partition)
			}
		}
		switch {
		case !withheld:
			a.Active = append(a.Active, d.ID)
		default:
			a.Pending = append(a.Pending, d.ID)
			if d.Stateful {
				a.Warmups = append(a.Warmups, d.ID)
			}
		}
	}
	for _, ids := range [][]TaskID{a.Active, a.Pending, a.Warmups} {
		slices.SortFunc(ids, compareIDs)
	}
	return a, partitions
}

func encodeSync(member string, partitions map[string][]int32, a Assignment) kmsg.SyncGroupRequestGroupAssignment {
	m := kmsg.NewConsumerMemberAssignment()
	for _, topic := range slices.Sorted(maps.Keys(partitions)) {
		t := kmsg.NewConsumerMemberAssignmentTopic()
		t.Topic, t.Partitions = topic, slices.Sorted(slices.Values(partitions[topic]))
		m.Topics = append(m.Topics, t)
	}
	m.UserData = a.encode()
	out := kmsg.NewSyncGroupRequestGroupAssignment()
	out.MemberID, out.MemberAssignment = member, m.AppendTo(nil)
	return out
}

func sortedIDs[V any](m map[TaskID]V) []TaskID { return slices.SortedFunc(maps.Keys(m), compareIDs) }
