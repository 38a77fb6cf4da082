package node

import (
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kerr"
)

// SetSettings replaces a topic's own settings, durably.
func (n *Node) SetSettings(topic string, own map[string]string, validateOnly bool) error {
	n.admin.Lock()
	defer n.admin.Unlock()
	t := n.Topic(topic)
	if t == nil {
		return fmt.Errorf("%w: topic %s", kerr.UnknownTopicOrPartition, topic)
	}
	if err := t.check(own); err != nil || validateOnly {
		return err
	}
	own = maps.Clone(own)
	changed := n.meta.clone()
	changed.topic(topic).Settings = own
	if err := n.save(changed); err != nil {
		return err
	}
	t.configure(newSettings(own, n.current.Load()))
	return nil
}

// check refuses settings that the topic cannot have.
func (t *Topic) check(own map[string]string) error {
	if err := checkTopic(own); err != nil {
		return err
	}
	if t.Internal && own["cleanup.policy"] != "compact" {
		return invalid("cleanup.policy of %s stays compact, set as its own: the broker's memory is in it", t.Name)
	}
	return nil
}

// SetBrokerSettings replaces those settings of the broker that were changed at run time,
// durably; only settings whose Dynamic is set.
func (n *Node) SetBrokerSettings(own map[string]string, validateOnly bool) error {
	n.admin.Lock()
	defer n.admin.Unlock()
	if err := checkDynamic(own); err != nil || validateOnly {
		return err
	}
	changed := n.meta.clone()
	changed.Settings = maps.Clone(own)
	if err := n.save(changed); err != nil {
		return err
	}
	d := &defaults{own: changed.Settings, given: n.o.Settings}
	n.current.Store(d)
	for _, t := range n.catalog.Load().sorted {
		t.configure(newSettings(t.settings.Load().own, d))
	}
	return nil
}

// BrokerSettings are those of the broker, with defaults, by name.
func (n *Node) BrokerSettings() []Setting { return n.current.Load().list() }

// BrokerSetting is one of them, "" where there is none of the name.
func (n *Node) BrokerSetting(name string) string { return n.current.Load().value(name) }
