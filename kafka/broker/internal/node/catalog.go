package node

import (
	"slices"
	"strings"
)

// catalog is the topics of a moment. It is not changed.
type catalog struct {
	byName map[string]*Topic
	byID   map[[16]byte]*Topic
	sorted []*Topic // by name
	shown  []*Topic // those that clients see
}

func newCatalog(topics []*Topic) *catalog {
	c := &catalog{byName: make(map[string]*Topic, len(topics)), byID: make(map[[16]byte]*Topic, len(topics)), sorted: topics}
	slices.SortFunc(topics, func(a, b *Topic) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range topics {
		c.byName[t.Name], c.byID[t.ID] = t, t
		if t.Name != Security {
			c.shown = append(c.shown, t)
		}
	}
	return c
}

// with returns a catalog with more topics.
func (c *catalog) with(more []*Topic) *catalog { return newCatalog(slices.Concat(c.sorted, more)) }

// without returns a catalog without those for which gone is true.
func (c *catalog) without(gone func(*Topic) bool) *catalog {
	return newCatalog(slices.DeleteFunc(slices.Clone(c.sorted), gone))
}

// Topics are all topics, by name, the internal ones too, but for Security.
func (n *Node) Topics() []*Topic { return n.catalog.Load().shown }

// Topic returns a topic, or nil. It knows of no Security, which KeyLog and Replay alone do.
func (n *Node) Topic(name string) *Topic {
	if name == Security {
		return nil
	}
	return n.catalog.Load().byName[name]
}

// TopicByID returns a topic, or nil.
func (n *Node) TopicByID(id [16]byte) *Topic {
	if t := n.catalog.Load().byID[id]; t != nil && t.Name != Security {
		return t
	}
	return nil
}
