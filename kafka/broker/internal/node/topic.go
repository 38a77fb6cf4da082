package node

import "sync/atomic"

// Topic is a topic. Its methods are safe for concurrent use.
type Topic struct {
	Name string
	ID   [16]byte
	// Internal topics are the coordinators' logs: clients may read them and not write.
	Internal bool

	node       *Node
	partitions atomic.Pointer[[]*Partition]
	settings   atomic.Pointer[settings]
}

func (n *Node) newTopic(m metaTopic) *Topic {
	t := &Topic{Name: m.Name, ID: m.ID, Internal: internal(m.Name), node: n}
	t.settings.Store(newSettings(m.Settings, n.current.Load()))
	t.partitions.Store(new([]*Partition))
	all := t.more(m.Partitions)
	t.partitions.Store(&all)
	return t
}

// more returns the topic's partitions and new ones, count in all.
func (t *Topic) more(count int) []*Partition {
	all := append([]*Partition(nil), t.Partitions()...)
	for i := len(all); i < count; i++ {
		all = append(all, &Partition{Topic: t, Index: int32(i)})
	}
	return all
}

// Partitions are the topic's, by index; the slice is not changed.
func (t *Topic) Partitions() []*Partition { return *t.partitions.Load() }

// Partition returns one, or nil.
func (t *Topic) Partition(index int32) *Partition {
	all := t.Partitions()
	if index < 0 || int(index) >= len(all) {
		return nil
	}
	return all[index]
}

// Settings are the topic's, with defaults, by name.
func (t *Topic) Settings() []Setting { return t.settings.Load().list() }

// Setting is the value of one of them, "" where there is none of the name.
func (t *Topic) Setting(name string) string {
	if topicSettings.byName[name] == nil {
		return ""
	}
	return t.settings.Load().value(name)
}

// MaxMessageBytes is the most bytes of one batch (max.message.bytes).
func (t *Topic) MaxMessageBytes() int { return t.settings.Load().maxMessageBytes }

func (t *Topic) folder() string { return topicFolder(t.node.o.Dir, t.Name, t.ID) }

// configure gives the topic other settings.
func (t *Topic) configure(s *settings) {
	t.settings.Store(s)
	for _, p := range t.Partitions() {
		p.log.SetConfig(s.log)
	}
}
