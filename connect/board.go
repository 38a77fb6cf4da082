package connect

import (
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Target is what an operator wants a connector to be.
type Target string

// Targets.
const (
	Started Target = "STARTED"
	Paused  Target = "PAUSED"
	Stopped Target = "STOPPED"
)

// board is what the topics of configurations and statuses say.
type board struct {
	logger *slog.Logger

	mu         sync.Mutex
	live       bool // the past was read: restarts count from here
	connectors map[string]*entry
	statuses   map[unitID]unitStatus
	topics     map[string]map[string]bool // by connector
	restarts   map[unitID]int64
	reports    map[string]json.RawMessage // by their keys
	changed    chan struct{}              // holds one where configurations have changed
}

type entry struct {
	props  map[string]string
	target Target
}

// unitID is a task, or where the number is whole the connector itself.
type unitID struct {
	connector string
	task      int
}

const whole = -1

func (u unitID) String() string {
	if u.task == whole {
		return u.connector
	}
	return u.connector + "-" + strconv.Itoa(u.task)
}

// key is what work is shared out by: of two units never the same, which names may be.
func (u unitID) key() string { return u.connector + "/" + strconv.Itoa(u.task) }

func newBoard(logger *slog.Logger) *board {
	return &board{
		logger: logger, connectors: map[string]*entry{}, statuses: map[unitID]unitStatus{},
		topics: map[string]map[string]bool{}, restarts: map[unitID]int64{}, reports: map[string]json.RawMessage{}, changed: make(chan struct{}, 1),
	}
}

// Keys of the topic of configurations, as Kafka Connect writes them; restart-task- is ours.
const (
	connectorKey   = "connector-"
	targetKey      = "target-state-"
	restartKey     = "restart-connector-"
	restartTaskKey = "restart-task-"
)

type connectorValue struct {
	Properties map[string]string `json:"properties"`
}

// targetValue: who does not know STOPPED takes it for PAUSED.
type targetValue struct {
	State Target `json:"state"`
	V2    Target `json:"state.v2,omitempty"`
}

type restartValue struct {
	OnlyFailed   bool `json:"only-failed"`
	IncludeTasks bool `json:"include-tasks"`
}

func (b *board) applyConfig(r *kgo.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := string(r.Key)
	var err error
	switch {
	case strings.HasPrefix(key, connectorKey):
		err = b.applyConnector(key[len(connectorKey):], r.Value)
	case strings.HasPrefix(key, targetKey):
		err = b.applyTarget(key[len(targetKey):], r.Value)
	case strings.HasPrefix(key, restartTaskKey):
		b.applyTaskRestart(key[len(restartTaskKey):], r.Offset)
	case strings.HasPrefix(key, restartKey):
		err = b.applyRestart(key[len(restartKey):], r)
	default: // tasks, commits and session keys of a Kafka Connect that was here before
		return
	}
	if err != nil {
		b.logger.Error("connect: a record of the topic of configurations cannot be read and is left out", "key", key, "offset", r.Offset, "error", err)
	}
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func (b *board) applyConnector(name string, value []byte) error {
	if len(value) == 0 {
		delete(b.connectors, name)
		return nil
	}
	var v connectorValue
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	b.entry(name).props = v.Properties
	return nil
}

func (b *board) applyTarget(name string, value []byte) error {
	if len(value) == 0 {
		if e, ok := b.connectors[name]; ok {
			e.target = Started
		}
		return nil
	}
	var v targetValue
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	if v.V2 != "" {
		v.State = v.V2
	}
	b.entry(name).target = v.State
	return nil
}

// entry is made by whichever record comes first; it counts from when it has properties.
func (b *board) entry(name string) *entry {
	e, ok := b.connectors[name]
	if !ok {
		e = &entry{target: Started}
		b.connectors[name] = e
	}
	return e
}

func (b *board) applyTaskRestart(text string, offset int64) {
	cut := strings.LastIndexByte(text, '-')
	task, err := strconv.Atoi(text[cut+1:])
	if b.live && cut > 0 && err == nil {
		b.restarts[unitID{text[:cut], task}] = offset
	}
}

func (b *board) applyRestart(name string, r *kgo.Record) error {
	if !b.live {
		return nil // who was told then has done it
	}
	var v restartValue
	if err := json.Unmarshal(r.Value, &v); err != nil {
		return err
	}
	for _, id := range b.restartedBy(name, v) {
		b.restarts[id] = r.Offset
	}
	return nil
}

func (b *board) restartedBy(name string, v restartValue) []unitID {
	var out []unitID
	for id, s := range b.statuses {
		if id.connector == name && (id.task == whole || v.IncludeTasks) && (!v.OnlyFailed || s.State == stateFailed) {
			out = append(out, id)
		}
	}
	return out
}

// Keys of the topic of statuses.
const (
	connectorStatusKey = "status-connector-"
	taskStatusKey      = "status-task-"
	topicStatusKey     = "status-topic-"
)

func (b *board) applyStatus(r *kgo.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := string(r.Key)
	switch {
	case strings.HasPrefix(key, connectorStatusKey):
		b.setStatus(unitID{key[len(connectorStatusKey):], whole}, r)
	case strings.HasPrefix(key, taskStatusKey):
		name := key[len(taskStatusKey):]
		cut := strings.LastIndexByte(name, '-')
		if task, err := strconv.Atoi(name[cut+1:]); cut > 0 && err == nil {
			b.setStatus(unitID{name[:cut], task}, r)
		}
	case strings.HasPrefix(key, reportKey):
		if b.reports[key] = slices.Clone(r.Value); len(r.Value) == 0 {
			delete(b.reports, key)
		}
	case strings.HasPrefix(key, topicStatusKey):
		if topic, connector, ok := strings.Cut(key[len(topicStatusKey):], ":connector-"); ok {
			b.setTopic(connector, topic, len(r.Value) > 0)
		}
	}
}

func (b *board) setStatus(id unitID, r *kgo.Record) {
	if len(r.Value) == 0 {
		delete(b.statuses, id)
		return
	}
	var s unitStatus
	if err := json.Unmarshal(r.Value, &s); err != nil {
		b.logger.Error("connect: a status cannot be read and is left out", "key", string(r.Key), "offset", r.Offset, "error", err)
		return
	}
	b.statuses[id] = s
}

func (b *board) setTopic(connector, topic string, used bool) {
	if !used {
		delete(b.topics[connector], topic)
		return
	}
	if b.topics[connector] == nil {
		b.topics[connector] = map[string]bool{}
	}
	b.topics[connector][topic] = true
}

// names of the connectors, sorted.
func (b *board) names() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for name, e := range b.connectors {
		if e.props != nil {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// get is a copy of a connector's entry.
func (b *board) get(name string) (entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.connectors[name]
	if !ok || e.props == nil {
		return entry{}, false
	}
	return entry{maps.Clone(e.props), e.target}, true
}

func (b *board) status(id unitID) (unitStatus, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.statuses[id]
	return s, ok
}

// told are the reports of all workers.
func (b *board) told() []json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Values(b.reports))
}

func (b *board) toldOf(key string) json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reports[key]
}

func (b *board) restart(id unitID) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.restarts[id]
}

func (b *board) topicsOf(connector string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.topics[connector]))
}
