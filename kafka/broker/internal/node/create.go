package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/twmb/franz-go/pkg/kerr"
)

// NewTopic asks for a topic.
type NewTopic struct {
	Name       string
	Partitions int // -1: the default
	Settings   map[string]string
}

// Create makes topics, those that it can, durably, with one write for all. Errors are by
// position; they wrap one of kerr's and say why. With validateOnly nothing is made.
// Topics are the new ones (with validateOnly as they would be).
func (n *Node) Create(topics []NewTopic, validateOnly bool) ([]*Topic, []error) {
	n.admin.Lock()
	defer n.admin.Unlock()
	made, errs := make([]*Topic, len(topics)), make([]error, len(topics))
	changed := n.meta.clone()
	names := n.takenNames()
	for i, t := range topics {
		m, err := n.plan(t, changed, names)
		if err != nil {
			errs[i] = err
			continue
		}
		names[metricName(t.Name)] = t.Name
		changed.Topics = append(changed.Topics, m)
		made[i] = n.newTopic(m)
	}
	if validateOnly {
		return made, errs
	}
	if err := n.make(made, changed); err != nil {
		for i := range made {
			if made[i] != nil {
				made[i], errs[i] = nil, err
			}
		}
	}
	return made, errs
}

// takenNames are those of topics, as metrics have them.
func (n *Node) takenNames() map[string]string {
	names := map[string]string{}
	for _, t := range n.meta.Topics {
		names[metricName(t.Name)] = t.Name
	}
	return names
}

// plan says what a topic would be, beside those of changed.
func (n *Node) plan(t NewTopic, changed *meta, names map[string]string) (metaTopic, error) {
	m := metaTopic{Name: t.Name, Partitions: t.Partitions, Settings: t.Settings}
	if err := checkName(t.Name); err != nil {
		return m, err
	}
	switch like := names[metricName(t.Name)]; {
	case like == t.Name:
		return m, fmt.Errorf("%w: topic %s", kerr.TopicAlreadyExists, t.Name)
	case like != "":
		return m, fmt.Errorf("%w: %s and the topic %s that there is differ in dots and underscores alone", kerr.InvalidTopicException, t.Name, like)
	}
	if m.Partitions == -1 {
		m.Partitions = int(number(n.current.Load().value("num.partitions")))
	}
	if err := n.checkCount(m.Partitions, m.Partitions, changed); err != nil {
		return m, err
	}
	if err := checkTopic(t.Settings); err != nil {
		return m, err
	}
	_, err := rand.Read(m.ID[:])
	return m, err
}

// checkCount refuses count partitions of a topic, more of them new.
func (n *Node) checkCount(count, more int, changed *meta) error {
	if count < 1 {
		return fmt.Errorf("%w: a topic has at least 1 partition, not %d", kerr.InvalidPartitions, count)
	}
	all := 0
	for _, t := range changed.Topics {
		all += t.Partitions
	}
	if more > n.o.MaxPartitions-all {
		return fmt.Errorf("%w: %d more partitions, where there are %d and at most %d in all", kerr.InvalidPartitions, more, all, n.o.MaxPartitions)
	}
	return nil
}

// make opens the logs of new topics, then has meta know of them.
func (n *Node) make(topics []*Topic, changed *meta) error {
	topics = slices.DeleteFunc(slices.Clone(topics), func(t *Topic) bool { return t == nil })
	if len(topics) == 0 {
		return nil
	}
	var all []*Partition
	for _, t := range topics {
		all = append(all, t.Partitions()...)
	}
	if err := n.openNew(all); err != nil {
		return err
	}
	if err := n.saveOr(changed, all); err != nil {
		return err
	}
	n.catalog.Store(n.catalog.Load().with(topics))
	return nil
}

// openNew makes the logs of partitions that meta does not know yet, durably.
func (n *Node) openNew(all []*Partition) error {
	if err := n.stopped(); err != nil {
		return err
	}
	err := parallelBy(waiting, len(all), func(i int) error { return all[i].open() })
	if err == nil {
		err = n.syncFolders(all)
	}
	if err != nil {
		n.discard(all)
		return fmt.Errorf("%w: make the partitions: %w", kerr.KafkaStorageError, err)
	}
	return nil
}

// saveOr saves meta, or discards partitions that it does not know then.
func (n *Node) saveOr(changed *meta, added []*Partition) error {
	err := n.save(changed)
	if err != nil && !errors.Is(err, errInDoubt) {
		n.discard(added)
	}
	return err
}

// syncFolders makes the names of partitions' folders last.
func (n *Node) syncFolders(all []*Partition) error {
	folders := map[string]bool{n.o.Dir + "/" + topicsFolder: true}
	for _, p := range all {
		folders[p.Topic.folder()] = true
	}
	var err error
	for folder := range folders {
		err = errors.Join(err, n.o.FS.SyncDir(folder))
	}
	return err
}

// discard removes partitions that meta does not know. What is left is removed at the
// next start.
func (n *Node) discard(all []*Partition) {
	for _, p := range all {
		if p.log != nil {
			p.log.Kill()
		}
		_ = log.Remove(n.o.FS, p.folder())
	}
	for _, p := range all {
		if p.Index == 0 {
			_ = n.o.FS.Remove(p.Topic.folder())
		}
	}
}

// AddPartitions gives a topic count partitions in all.
func (n *Node) AddPartitions(topic string, count int, validateOnly bool) error {
	n.admin.Lock()
	defer n.admin.Unlock()
	t := n.Topic(topic)
	if t == nil {
		return fmt.Errorf("%w: topic %s", kerr.UnknownTopicOrPartition, topic)
	}
	before := len(t.Partitions())
	if t.Internal {
		return fmt.Errorf("%w: %s is the broker's own, and has %d", kerr.InvalidPartitions, topic, before)
	}
	if count <= before {
		return fmt.Errorf("%w: the topic has %d partitions; their number can only go up, not to %d", kerr.InvalidPartitions, before, count)
	}
	changed := n.meta.clone()
	if err := n.checkCount(count, count-before, changed); err != nil || validateOnly {
		return err
	}
	all := t.more(count)
	if err := n.openNew(all[before:]); err != nil {
		return err
	}
	changed.topic(topic).Partitions = count
	if err := n.saveOr(changed, all[before:]); err != nil {
		return err
	}
	t.partitions.Store(&all)
	return nil
}

// createInternal makes the coordinators' topics that are missing, and their writers.
func (n *Node) createInternal() error {
	var missing []NewTopic
	for _, name := range internalNames {
		if n.catalog.Load().byName[name] == nil {
			missing = append(missing, NewTopic{Name: name, Partitions: 1, Settings: map[string]string{
				"cleanup.policy": "compact", "segment.bytes": "16777216", "max.message.bytes": "134217728",
				"message.timestamp.type": "CreateTime",
			}})
		}
	}
	if _, errs := n.Create(missing, false); errors.Join(errs...) != nil {
		return errors.Join(errs...)
	}
	n.keyLogs = map[string]*keyLog{}
	for _, name := range internalNames {
		n.keyLogs[name] = newKeyLog(n.catalog.Load().byName[name].Partition(0))
	}
	return nil
}
