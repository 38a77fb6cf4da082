package run

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// layout is what follows from a topology and the partitions of its topics: the tasks,
// and the internal topics.
type layout struct {
	names plan.Names
	// partitions of every topic read, by full name.
	partitions map[string]int32
	// tasks of each sub-topology.
	tasks map[int32]int32
	// internal topics, by full name.
	internal map[string]internalTopic
	// subOf a source topic; a topic has one, because sources of the same topic are connected.
	subOf map[string]*plan.Sub
	// resets of source topics.
	resets map[string]plan.Reset
	subs   map[int32]*plan.Sub
}

type internalTopic struct {
	partitions int32
	config     map[string]string
	changelog  bool
}

// ErrLayout is wrapped by what is wrong with the topics of an application.
var ErrLayout = errors.New("the topics do not fit the topology")

// newLayout works it out. known are the partitions of the topics that exist, by full name.
func newLayout(t *plan.Topology, names plan.Names, known map[string]int32) (*layout, error) {
	l := &layout{
		names: names, partitions: map[string]int32{}, tasks: map[int32]int32{}, internal: map[string]internalTopic{},
		subOf: map[string]*plan.Sub{}, resets: map[string]plan.Reset{}, subs: map[int32]*plan.Sub{},
	}
	repartition, err := l.sources(t, known)
	if err != nil {
		return nil, err
	}
	if err := l.spread(t, repartition); err != nil {
		return nil, err
	}
	l.describe(t, repartition)
	return l, l.checkExisting(known)
}

// sources notes the topics that must be there, and returns the repartition topics.
func (l *layout) sources(t *plan.Topology, known map[string]int32) (map[string]plan.Topic, error) {
	var problems []error
	repartition := map[string]plan.Topic{}
	need := func(topic plan.Topic) {
		name := l.names.Topic(topic)
		switch {
		case topic.Repartition:
			repartition[name] = topic
			if topic.Partitions > 0 {
				l.partitions[name] = topic.Partitions
			}
		case known[name] > 0:
			l.partitions[name] = known[name]
		default:
			problems = append(problems, fmt.Errorf("%w: the source topic %s does not exist", ErrLayout, name))
		}
	}
	for _, sub := range t.Subs {
		l.subs[sub.ID] = sub
		for _, node := range sub.Sources() {
			for _, topic := range node.Topics {
				need(topic)
				l.subOf[l.names.Topic(topic)] = sub
				l.resets[l.names.Topic(topic)] = node.Reset
			}
		}
	}
	for _, g := range t.Globals {
		need(g.Topic)
	}
	return repartition, errors.Join(problems...)
}

// spread gives each repartition topic its partitions: as many as what it is to be joined
// with has, else as the sources of the sub-topology that writes it.
func (l *layout) spread(t *plan.Topology, repartition map[string]plan.Topic) error {
	for changed := true; changed; {
		changed = false
		for _, sub := range t.Subs {
			if l.align(sub, repartition) {
				changed = true
			}
			most, complete := l.mostPartitions(sub)
			if !complete {
				continue
			}
			for _, topic := range sinkTopics(sub, l.names) {
				if _, internal := repartition[topic]; internal && l.partitions[topic] == 0 {
					l.partitions[topic] = most
					changed = true
				}
			}
		}
	}
	return l.checkSpread(t)
}

// align gives repartition topics the number that others of their copartitioned group have.
func (l *layout) align(sub *plan.Sub, repartition map[string]plan.Topic) (changed bool) {
	for _, group := range sub.Copartitioned {
		var given int32
		for _, topic := range group {
			if !topic.Repartition || topic.Partitions > 0 {
				given = max(given, l.partitions[l.names.Topic(topic)])
			}
		}
		open := given == 0 // only repartition topics: the largest, once all are known
		for _, topic := range group {
			n := l.partitions[l.names.Topic(topic)]
			if open && n == 0 {
				given = 0
				break
			}
			if open {
				given = max(given, n)
			}
		}
		for _, topic := range group {
			name := l.names.Topic(topic)
			if given > 0 && topic.Repartition && topic.Partitions == 0 && l.partitions[name] != given {
				l.partitions[name] = given
				changed = true
			}
		}
	}
	return changed
}

func (l *layout) checkSpread(t *plan.Topology) error {
	var problems []error
	for _, sub := range t.Subs {
		n, complete := l.mostPartitions(sub)
		if !complete {
			problems = append(problems, fmt.Errorf("%w: sub-topology %d reads repartition topics in a circle; give one of them its partitions", ErrLayout, sub.ID))
			continue
		}
		l.tasks[sub.ID] = n
		for _, group := range sub.Copartitioned {
			problems = append(problems, l.checkGroup(group))
		}
	}
	return errors.Join(problems...)
}

func (l *layout) checkGroup(group []plan.Topic) error {
	var text []string
	counts := map[int32]bool{}
	for _, topic := range group {
		name := l.names.Topic(topic)
		counts[l.partitions[name]] = true
		text = append(text, name+" has "+strconv.Itoa(int(l.partitions[name])))
	}
	if len(counts) < 2 {
		return nil
	}
	slices.Sort(text)
	return fmt.Errorf("%w: topics that are joined must have as many partitions as each other: %q; repartition one of them", ErrLayout, text)
}

// mostPartitions of a sub-topology's sources; false while some are not known.
func (l *layout) mostPartitions(sub *plan.Sub) (most int32, complete bool) {
	for _, node := range sub.Sources() {
		for _, topic := range node.Topics {
			n := l.partitions[l.names.Topic(topic)]
			if n == 0 {
				return 0, false
			}
			most = max(most, n)
		}
	}
	return most, most > 0
}

func sinkTopics(sub *plan.Sub, names plan.Names) (out []string) {
	for _, n := range sub.Nodes {
		if n.Kind == plan.SinkNode {
			for _, t := range n.Topics {
				out = append(out, names.Topic(t))
			}
		}
	}
	return out
}

// windowSlack is how much longer than its retention a window's changelog is kept: clocks differ.
const windowSlack = 24 * time.Hour

// describe says what the internal topics have to be like.
func (l *layout) describe(t *plan.Topology, repartition map[string]plan.Topic) {
	for name := range repartition {
		// Records are deleted once they are processed, not before.
		l.internal[name] = internalTopic{partitions: l.partitions[name], config: map[string]string{
			"cleanup.policy": "delete", "retention.ms": "-1", "message.timestamp.type": "CreateTime",
			"segment.bytes": "52428800",
		}}
	}
	for _, sub := range t.Subs {
		for _, s := range sub.Stores {
			name := l.names.Changelog(s)
			if name == "" || s.Source != nil {
				continue
			}
			l.internal[name] = internalTopic{partitions: l.tasks[sub.ID], config: changelogConfig(s), changelog: true}
			l.partitions[name] = l.tasks[sub.ID]
		}
	}
}

func changelogConfig(s *plan.Store) map[string]string {
	config := map[string]string{"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"}
	if s.Windowed {
		config["cleanup.policy"] = "compact,delete"
		config["retention.ms"] = strconv.FormatInt((s.Retention + windowSlack).Milliseconds(), 10)
	}
	for k, v := range s.ChangelogConfig {
		config[k] = v
	}
	return config
}

// checkExisting holds internal topics that are there against what they have to be.
func (l *layout) checkExisting(known map[string]int32) error {
	var problems []error
	for name, want := range l.internal {
		if n := known[name]; n > 0 && n != want.partitions {
			problems = append(problems, fmt.Errorf("%w: internal topic %s has %d partitions and needs %d: the topology or its topics changed; use another application id, or reset the application",
				ErrLayout, name, n, want.partitions))
		}
	}
	return errors.Join(problems...)
}

// inputs are the topic partitions of a task.
func (l *layout) inputs(sub *plan.Sub, partition int32) []topicPartition {
	var out []topicPartition
	for _, node := range sub.Sources() {
		for _, topic := range node.Topics {
			name := l.names.Topic(topic)
			if partition < l.partitions[name] {
				out = append(out, topicPartition{name, partition})
			}
		}
	}
	return out
}

// changelog of a store of a task.
type changelog struct {
	topicPartition
	store *plan.Store
}

// changelogs of a task's stores, own ones and source topics that stand for one.
func (l *layout) changelogs(sub *plan.Sub, partition int32) (out []changelog) {
	for _, s := range sub.Stores {
		topic := l.names.Changelog(s)
		if topic != "" && partition < l.partitions[topic] {
			out = append(out, changelog{topicPartition{topic, partition}, s})
		}
	}
	return out
}

func (l *layout) sub(id int32) *plan.Sub { return l.subs[id] }

// topicPartition has a topic's full name.
type topicPartition struct {
	topic     string
	partition int32
}

// sourceTopics are all that the group reads, sorted.
func (l *layout) sourceTopics() []string {
	out := make([]string, 0, len(l.subOf))
	for name := range l.subOf {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
