package pages

import (
	"maps"
	"slices"

	"github.com/pabal-dev/pabal/console/pages/graph"
	"github.com/pabal-dev/pabal/outbox"
)

var chainSize = graph.Size{Width: 230, Height: 50, GapX: 90, GapY: 14, Margin: 12, Head: 30}

// The columns of the chain.
const (
	chainServices  = "Services and their outbox"
	chainTopics    = "Topics"
	chainConsumers = "Consumers"
)

// chain is the diagram of which service writes to which topic and who reads it.
type chain struct {
	graph.Drawing
	Size  graph.Size
	Nodes []chainNode
}

// chainNode is one box; State is a word of the state badge.
type chainNode struct {
	graph.Box
	Kind                        string // service, topic, consumer
	Name, Service, State, Label string
	Short                       string
	// Links are what it is joined with, for the table behind the diagram.
	Links []string
}

func chainOf(services []service) chain {
	c := chain{Size: chainSize}
	var nodes []graph.Node
	add := func(id, lane string, n chainNode, parents ...string) {
		n.Short = short(25, n.Name)
		slices.Sort(parents)
		nodes = append(nodes, graph.Node{ID: id, Lane: lane, Parents: parents})
		c.Nodes = append(c.Nodes, n)
	}
	writers, topics := topicsOf(services)
	for _, s := range services {
		state, label := serviceState(s)
		add("s:"+s.Name, chainServices, chainNode{Kind: "service", Name: s.Name, Service: s.Name, State: state, Label: label})
	}
	for _, t := range topics {
		var from []string
		for _, w := range writers[t] {
			from = append(from, "s:"+w)
		}
		add("t:"+t, chainTopics, chainNode{Kind: "topic", Name: t, State: "", Links: writers[t]}, from...)
	}
	for _, s := range services {
		for _, k := range s.Consumers {
			var from []string
			for _, t := range k.Topics {
				from = append(from, "t:"+s.Prefix+t)
			}
			state, label := "ok", plural(k.Stats.Handled, "message")+" handled"
			if k.Stats.Waiting > 0 {
				state, label = "waiting", plural(k.Stats.Waiting, "message")+" waiting"
			}
			if k.Problem != "" {
				state, label = "failing", "failing"
			}
			add("c:"+s.Name+"/"+k.Name, chainConsumers, chainNode{Kind: "consumer", Name: k.Name, Service: s.Name, State: state, Label: label, Links: full(s.Prefix, k.Topics)}, from...)
		}
	}
	if len(nodes) == 0 {
		return c
	}
	c.Drawing = graph.Columns(nodes, []string{chainServices, chainTopics, chainConsumers}, chainSize)
	for i, b := range c.Boxes {
		c.Nodes[i].Box = b
	}
	return c
}

// topicsOf returns all topics consumers read or answer to, sorted, and who is known
// to write to each.
func topicsOf(services []service) (writers map[string][]string, topics []string) {
	writers = map[string][]string{}
	all := map[string]bool{}
	for _, s := range services {
		written := slices.Clone(s.Topics)
		for _, k := range s.Consumers {
			for _, t := range full(s.Prefix, k.Topics) {
				all[t] = true
			}
			for _, answers := range k.Answers {
				written = append(written, answers...)
			}
		}
		for _, t := range full(s.Prefix, written) {
			all[t] = true
			if !slices.Contains(writers[t], s.Name) {
				writers[t] = append(writers[t], s.Name)
			}
		}
	}
	return writers, slices.Sorted(maps.Keys(all))
}

// full puts the tenant's prefix before names.
func full(prefix string, names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = prefix + name
	}
	return all
}

func serviceState(s service) (state, label string) {
	switch {
	case s.Down == len(s.Instances):
		return "away", "does not answer"
	case !s.HasOutbox:
		return "ok", plural(len(s.Instances), "instance")
	case s.Paused:
		return "paused", "paused, " + number(s.Backlog.Started) + " pending"
	case s.Backlog.Failed > 0:
		return "failing", plural(s.Backlog.Failed, "row") + " FAILED"
	case s.Relay.State == outbox.Active || s.Relay.State == outbox.Standby:
		return "ok", "relay " + string(s.Relay.State) + ", " + number(s.Backlog.Started) + " pending"
	}
	return "held", "relay " + string(s.Relay.State) + ", " + number(s.Backlog.Started) + " pending"
}
