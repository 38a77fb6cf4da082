// Package task runs one partition of a sub-topology: it queues its input, processes it
// in order of time, keeps stream time, punctuates, and gathers what a commit needs. It
// does no I/O but through Config, and has no goroutine: its owner, one at a time, calls it.
//
// A round is Add, Process and Punctuate as often as wanted, and then a commit: Prepare,
// waiting until all that was produced is acknowledged (Produced), Offsets into the
// transaction, its end, Apply into a local.Batch, Committed. After a failure or an aborted
// transaction the task is closed, and a new one begins from what was committed.
package task

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Task is one partition of a sub-topology.
type Task struct {
	cfg    Config
	nodes  []node
	stores []*store
	queues []*queue
	inputs map[input]*queue
	// logs are the stores with changelogs of their own, by topic.
	logs map[string]*store

	now        int64 // of the wall clock, ms, when the owner's call began
	streamTime int64
	record     *kgo.Record
	current    *queue // whose record is being loaded or processed
	arrivals   int64  // numbers heads: which was there first

	stream, wall agenda
	making       int // the node that is being made
	idle         idleness
	remembered   metadata
	saidLeft     bool // of some of it that it is too much
	kept         map[string]*int64

	touched   bool // something happened that is to be committed
	requested bool // a node asked for a commit
	forward   bool // offsets of all partitions are to be committed, for the metadata
	ended     bool // nodes are closed
	failed    error
	counts    counts
	slab      []kgo.Record
}

// input is a topic partition.
type input struct {
	topic     string
	partition int32
}

// node is one of the plan's with its instance.
type node struct {
	plan     *plan.Node
	instance plan.Instance
}

// store is one of the plan's with what it has in this task.
type store struct {
	plan  *plan.Store
	space local.Space
	state plan.StateStore
	// source is the queue of the topic that stands for the changelog.
	source  *queue
	acked   offset // next one of the changelog after what was acknowledged, 0 none
	applied int64
}

// New makes the stores and nodes and runs their initialisation. The error says what could not
// be made, after everything was closed again.
func New(cfg Config) (*Task, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	t := &Task{cfg: cfg, stream: agenda{due: never}, wall: agenda{due: never},
		inputs: map[input]*queue{}, kept: map[string]*int64{}, logs: map[string]*store{}, streamTime: -1, remembered: metadata{time: -1}}
	t.tick()
	if err := t.build(); err != nil {
		t.Close()
		return nil, fmt.Errorf("task %d_%d: %w", cfg.ID.Sub, cfg.ID.Partition, err)
	}
	return t, nil
}

func (t *Task) build() error {
	t.resume()
	if err := t.openStores(); err != nil {
		return err
	}
	if err := t.makeNodes(); err != nil {
		return err
	}
	return t.makeQueues()
}

// resume takes up the times and numbers that were committed: nodes and stores ask for them when
// they are made.
func (t *Task) resume() {
	for _, start := range t.cfg.Start {
		m, err := decodeMetadata(start.Metadata)
		if err != nil {
			t.cfg.Logger.Warn("The metadata of a committed offset is not understood: the partition's time is unknown.",
				"topic", start.Topic, "partition", start.Partition, "error", err)
		}
		t.remembered.merge(m)
		t.streamTime = max(t.streamTime, m.time)
	}
	if v, ok := t.remembered.values[streamTimeKey]; ok {
		t.streamTime = max(t.streamTime, v)
	}
	t.idle.record(t.now, t.streamTime)
}

// openStores in the order in which nodes first use them, so that flushing one fills those
// after it.
func (t *Task) openStores() error {
	own := map[string]bool{}
	for _, s := range t.cfg.Sub.Stores {
		own[s.Name] = true
	}
	opened := map[string]bool{}
	open := func(all []*plan.Store) error {
		for _, s := range all {
			if s.Global != t.global() || !own[s.Name] || opened[s.Name] {
				continue
			}
			opened[s.Name] = true
			if err := t.openStore(s); err != nil {
				return fmt.Errorf("store %s: %w", s.Name, err)
			}
		}
		return nil
	}
	for _, n := range t.cfg.Sub.Nodes {
		if err := open(n.Stores); err != nil {
			return err
		}
	}
	return open(t.cfg.Sub.Stores)
}

func (t *Task) openStore(p *plan.Store) error {
	open := t.cfg.DB.Space // was restored; what is lost since then has to be restored again
	if t.cfg.Names.Changelog(p) == "" {
		open = t.cfg.DB.Renew
	}
	space, err := open(t.cfg.ID, p.Name, p.Persistent)
	if err != nil {
		return err
	}
	s := &store{plan: p, space: space}
	c := plan.StoreContext{
		Task: t.cfg.ID, Store: p, Space: space, ChangelogTopic: t.cfg.Names.Changelog(p),
		Memory: t.cfg.Memory, StreamTime: t.StreamTime,
	}
	if p.Cached {
		c.CacheBytes = t.cfg.CacheBytes
	}
	if c.ChangelogTopic != "" && p.Source == nil {
		c.Log = t.logger(c.ChangelogTopic)
		t.logs[c.ChangelogTopic] = s
	}
	err = t.protect(func() (err error) { s.state, err = p.New(c); return err })
	if err == nil {
		t.stores = append(t.stores, s)
	}
	return err
}

// logger produces to a changelog.
func (t *Task) logger(topic string) func(key, value []byte, timestamp int64, headers []kgo.RecordHeader) {
	return func(key, value []byte, timestamp int64, headers []kgo.RecordHeader) {
		r := t.newRecord()
		r.Topic, r.Partition, r.Key, r.Value, r.Headers = topic, t.cfg.ID.Partition, key, value, headers
		r.Timestamp = time.UnixMilli(timestamp)
		t.cfg.Producer(r)
	}
}

// makeNodes from the last to the first: children before their parents.
func (t *Task) makeNodes() error {
	made := map[*plan.Node]any{}
	t.nodes = make([]node, len(t.cfg.Sub.Nodes))
	for i := len(t.nodes) - 1; i >= 0; i-- {
		p := t.cfg.Sub.Nodes[i]
		children := make([]any, len(p.Children))
		for j, c := range p.Children {
			receiver, ok := made[c]
			if !ok {
				return fmt.Errorf("node %s comes after its child %s in the plan", p.Name, c.Name)
			}
			children[j] = receiver
		}
		t.nodes[i].plan, t.making = p, i
		err := t.protect(func() (err error) { t.nodes[i].instance, err = p.New(t.contextOf(), children); return err })
		if err != nil {
			return fmt.Errorf("node %s: %w", p.Name, err)
		}
		made[p] = t.nodes[i].instance.Receiver
	}
	t.stream.arrange()
	t.wall.arrange()
	return nil
}

// makeQueues for the sources' topics that have this partition.
func (t *Task) makeQueues() error {
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.plan.Kind != plan.SourceNode {
			continue
		}
		for _, topic := range n.plan.Topics {
			if err := t.readTopic(n, t.cfg.Names.Topic(topic)); err != nil {
				return fmt.Errorf("node %s: topic %s: %w", n.plan.Name, t.cfg.Names.Topic(topic), err)
			}
		}
	}
	for _, s := range t.stores {
		if s.plan.Source != nil {
			s.source = t.inputs[input{t.cfg.Names.Topic(*s.plan.Source), t.cfg.ID.Partition}]
		}
	}
	return nil
}

// readTopic reads the task's partition of it, if it has that.
func (t *Task) readTopic(n *node, topic string) error {
	partitions, err := t.cfg.Partitions(topic)
	if err != nil {
		return err
	}
	for p := range partitions {
		if p == t.cfg.ID.Partition || t.global() {
			if err := t.makeQueue(n, topic, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// global: the task fills a global store, from all partitions.
func (t *Task) global() bool { return t.cfg.ID.Partition < 0 }

func (t *Task) makeQueue(n *node, topic string, partition int32) error {
	if t.inputs[input{topic, partition}] != nil {
		return errors.New("is read twice")
	}
	q := newQueue(n.plan.Name, topic, partition)
	err := t.protect(func() (err error) { q.head, err = n.instance.Head(topic, partition); return err })
	if err != nil {
		return err
	}
	t.queues, t.inputs[input{topic, partition}] = append(t.queues, q), q
	for _, start := range t.cfg.Start {
		if start.Topic == topic && start.Partition == q.partition {
			q.position, q.committed, q.epoch = start.At, start.At, start.LeaderEpoch
			m, _ := decodeMetadata(start.Metadata) // resume said so
			q.partitionTime = m.time
		}
	}
	return nil
}

// ID of the task.
func (t *Task) ID() plan.TaskID { return t.cfg.ID }

// StreamTime is the highest time of the records processed (ms), -1 before the first.
func (t *Task) StreamTime() int64 { return t.streamTime }

// Store is the one of that name, with the changes that are not applied; nil is none.
func (t *Task) Store(name string) plan.StateStore {
	for _, s := range t.stores {
		if s.plan.Name == name {
			return s.state
		}
	}
	return nil
}

func (t *Task) tick() { t.now = t.cfg.Clock().UnixMilli() }

// End closes the nodes, whose last records and changes a commit after it contains. Call it
// before the last commit; Close alone forgets them.
func (t *Task) End() error {
	if t.ended {
		return nil
	}
	t.tick()
	t.ended = true
	var all []error
	for _, n := range t.nodes {
		if n.instance.Close == nil {
			continue
		}
		t.touched = true
		if err := t.protect(n.instance.Close); err != nil {
			all = append(all, fmt.Errorf("closing %s: %w", n.plan.Name, err))
		}
	}
	return errors.Join(all...)
}

// Close releases everything; changes that were not applied are forgotten.
func (t *Task) Close() error {
	t.cfg.Producer = func(*kgo.Record) {} // what nodes produce now comes too late
	err := t.End()
	for _, s := range t.stores {
		s.state.Discard()
		s.state.Close()
	}
	t.stores = nil
	for _, q := range t.queues {
		t.cfg.Memory.Add(-q.bytes)
	}
	t.queues, t.inputs, t.failed = nil, nil, errClosed
	return err
}

var (
	errClosed    = errors.New("the task is closed")
	errDiscarded = errors.New("the changes of the task were discarded: make a new one")
)
