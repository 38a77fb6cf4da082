package kstreams

import (
	"slices"
)

// shrink returns a smaller case that still fails: fewer events, fewer nodes.
func shrink(c *Case, fails func(*Case) bool) *Case {
	for {
		before := size(c)
		c = fewerEvents(c, fails)
		c = fewerNodes(c, fails)
		c = simplerEvents(c, fails)
		if size(c) == before {
			return c
		}
	}
}

func size(c *Case) int {
	n := 10*len(c.Nodes) + len(c.Events)
	for _, e := range c.Events {
		if e.Value != nil {
			n += len(*e.Value)
		}
	}
	return n
}

// fewerEvents leaves out halves, quarters, … and in the end single ones.
func fewerEvents(c *Case, fails func(*Case) bool) *Case {
	for part := (len(c.Events) + 1) / 2; part >= 1; part /= 2 {
		for at := 0; at < len(c.Events); {
			with := *c
			with.Events = slices.Delete(slices.Clone(c.Events), at, min(at+part, len(c.Events)))
			if fails(&with) {
				c = &with
			} else {
				at += part
			}
		}
	}
	return c
}

// fewerNodes leaves out nodes, with all that follow from them or with their children
// connected to what they had as input, and those whose output nobody needs.
func fewerNodes(c *Case, fails func(*Case) bool) *Case {
	for i := len(c.Nodes) - 1; i >= 0; i-- {
		if i >= len(c.Nodes) {
			continue
		}
		for _, with := range []*Case{without(c, c.Nodes[i].ID), bypassed(c, i, 0), bypassed(c, i, 1)} {
			if with != nil && len(with.Nodes) > 0 && fails(with) {
				c = with
				break
			}
		}
	}
	return c
}

// without removes a node and what follows from it, and then what leads nowhere.
func without(c *Case, id string) *Case {
	gone := map[string]bool{id: true}
	for _, n := range c.Nodes {
		if slices.ContainsFunc(n.In, func(in string) bool { return gone[in] }) {
			gone[n.ID] = true
		}
	}
	return trimmed(c, func(n Node) bool { return !gone[n.ID] })
}

// bypassed connects the children of a node to one of its inputs.
func bypassed(c *Case, at, input int) *Case {
	n := c.Nodes[at]
	if len(n.In) <= input {
		return nil
	}
	with := trimmed(c, func(other Node) bool { return other.ID != n.ID })
	for i, child := range with.Nodes {
		with.Nodes[i].In = slices.Clone(child.In)
		for j, in := range child.In {
			if in == n.ID {
				with.Nodes[i].In[j] = n.In[input]
			}
		}
	}
	return with
}

// trimmed keeps these nodes, and events of topics that are still read.
func trimmed(c *Case, keep func(Node) bool) *Case {
	with := *c
	with.Nodes, with.Events = []Node{}, []Event{}
	topics := map[string]bool{"": true}
	for _, n := range c.Nodes {
		if keep(n) {
			with.Nodes = append(with.Nodes, n)
			for _, topic := range sourceTopics(n) {
				topics[topic] = true
			}
		}
	}
	for _, e := range c.Events {
		if topics[e.Topic] {
			with.Events = append(with.Events, e)
		}
	}
	return &with
}

// simplerEvents shortens values.
func simplerEvents(c *Case, fails func(*Case) bool) *Case {
	for i, e := range c.Events {
		if e.Value == nil || len(*e.Value) < 2 {
			continue
		}
		with := *c
		with.Events = slices.Clone(c.Events)
		with.Events[i].Value = some((*e.Value)[:1])
		if fails(&with) {
			c = &with
		}
	}
	return c
}
