package connect

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// ConnectorInfo is a connector as the REST API shows it, its secrets masked.
type ConnectorInfo struct {
	Name   string            `json:"name"`
	Config map[string]string `json:"config"`
	Tasks  []TaskID          `json:"tasks"`
	Type   string            `json:"type"`
}

// TaskID names a task.
type TaskID struct {
	Connector string `json:"connector"`
	Task      int    `json:"task"`
}

// ConnectorStatus is what a connector and its tasks do.
type ConnectorStatus struct {
	Name      string       `json:"name"`
	Connector UnitStatus   `json:"connector"`
	Tasks     []TaskStatus `json:"tasks"`
	Type      string       `json:"type"`
}

// UnitStatus is what a connector does. State is RUNNING, PAUSED, STOPPED, FAILED, RESTARTING or
// UNASSIGNED; Trace is why it failed.
type UnitStatus struct {
	State    string `json:"state"`
	WorkerID string `json:"worker_id"`
	Trace    string `json:"trace,omitempty"`
	Version  string `json:"version,omitempty"`
}

// TaskStatus is what a task does.
type TaskStatus struct {
	ID int `json:"id"`
	UnitStatus
}

// TaskInfo is a task's configuration, its secrets masked.
type TaskInfo struct {
	ID     TaskID            `json:"id"`
	Config map[string]string `json:"config"`
}

// PluginInfo is a plugin as the REST API lists it.
type PluginInfo struct {
	Class   string `json:"class"`
	Type    string `json:"type"`
	Version string `json:"version,omitempty"`
}

// definition is all keys of a class, for masking.
func (w *Worker) definition(class string) config.Definition {
	k := w.kinds.connectors[class]
	if k.connector == nil {
		return sourceKeys
	}
	return k.common().With(k.connector.Info().Config.Keys...)
}

// Connectors are the names of all, sorted.
func (w *Worker) Connectors() []string { return append([]string{}, w.board.names()...) }

// Info of a connector; ErrNotFound.
func (w *Worker) Info(name string) (ConnectorInfo, error) {
	e, ok := w.board.get(name)
	if !ok {
		return ConnectorInfo{}, notFound(name)
	}
	class := e.props["connector.class"]
	out := ConnectorInfo{Name: name, Config: maskedAll(w.definition(class), e.props), Tasks: []TaskID{}, Type: w.kinds.connectors[class].typeName()}
	tasks, _ := w.tasksOf(name, e) // Status says why there are none
	for n := range tasks {
		out.Tasks = append(out.Tasks, TaskID{name, n})
	}
	return out, nil
}

func notFound(name string) error {
	return problem{ErrNotFound, "Connector " + name + " not found"}
}

// Status of a connector; ErrNotFound.
func (w *Worker) Status(name string) (ConnectorStatus, error) {
	e, ok := w.board.get(name)
	if !ok {
		return ConnectorStatus{}, problem{ErrNotFound, "No status found for connector " + name}
	}
	own, ok := w.board.status(unitID{name, whole})
	if !ok {
		own = unitStatus{State: stateUnassigned, WorkerID: w.cfg.ID}
	}
	out := ConnectorStatus{Name: name, Connector: own.view(), Tasks: []TaskStatus{}, Type: w.kinds.connectors[e.props["connector.class"]].typeName()}
	tasks, _ := w.tasksOf(name, e)
	for n := range tasks {
		s, ok := w.board.status(unitID{name, n})
		if !ok {
			s = unitStatus{State: stateUnassigned, WorkerID: w.cfg.ID}
		}
		out.Tasks = append(out.Tasks, TaskStatus{n, s.view()})
	}
	return out, nil
}

func (s unitStatus) view() UnitStatus {
	return UnitStatus{State: s.State, WorkerID: s.WorkerID, Trace: s.Trace, Version: s.Version}
}

// TaskStatus of one task; ErrNotFound.
func (w *Worker) TaskStatus(name string, task int) (TaskStatus, error) {
	all, err := w.Status(name)
	if err == nil && task >= 0 && task < len(all.Tasks) {
		return all.Tasks[task], nil
	}
	return TaskStatus{}, problem{ErrNotFound, "No status found for task " + unitID{name, task}.String()}
}

// Tasks are the configurations of a connector's tasks; ErrNotFound.
func (w *Worker) Tasks(name string) ([]TaskInfo, error) {
	e, ok := w.board.get(name)
	if !ok {
		return nil, notFound(name)
	}
	out := []TaskInfo{}
	tasks, _ := w.tasksOf(name, e)
	d := w.definition(e.props["connector.class"])
	for n, props := range tasks {
		out = append(out, TaskInfo{TaskID{name, n}, maskedAll(d, props)})
	}
	return out, nil
}

// Topics that a connector has used since they were reset; ErrNotFound.
func (w *Worker) Topics(name string) ([]string, error) {
	if _, ok := w.board.get(name); !ok {
		return nil, notFound(name)
	}
	return append([]string{}, w.board.topicsOf(name)...), nil
}

// Plugins that this worker knows, sorted; connectors only, or all kinds.
func (w *Worker) Plugins(connectorsOnly bool) []PluginInfo {
	out := []PluginInfo{}
	add := func(kind string, i plugin.Info) { out = append(out, PluginInfo{i.Class, kind, i.Version}) }
	set := w.kinds.set
	for _, s := range set.Sources {
		add("source", s.Info())
	}
	for _, s := range set.Sinks {
		add("sink", s.Info())
	}
	if !connectorsOnly {
		for _, p := range set.Converters {
			add("converter", p.Info)
		}
		for _, p := range set.Headers {
			add("header_converter", p.Info)
		}
		for _, p := range set.Transforms {
			add("transformation", p.Info)
		}
		for _, p := range set.Predicates {
			add("predicate", p.Info)
		}
	}
	slices.SortFunc(out, func(a, b PluginInfo) int { return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Type, b.Type)) })
	return out
}

func (w *Worker) classList() string {
	var all []string
	for _, p := range w.Plugins(true) {
		all = append(all, p.Class)
	}
	return strings.Join(all, ", ")
}

// PluginKeys are the keys of any plugin; ErrNotFound.
func (w *Worker) PluginKeys(class string) ([]ConfigKeyInfo, error) {
	d, ok := w.pluginDefinition(class)
	if !ok {
		return nil, problem{ErrNotFound, "Unknown plugin " + class + "."}
	}
	out := []ConfigKeyInfo{}
	order := map[string]int{}
	for _, key := range d.Keys {
		order[key.Group]++
		out = append(out, infoOf(d, key, order[key.Group], nil, nil).Definition)
	}
	return out, nil
}

func (w *Worker) pluginDefinition(class string) (config.Definition, bool) {
	if k, ok := w.kinds.connectors[class]; ok {
		return w.definition(class), k.connector != nil
	}
	if p, ok := w.kinds.converters[class]; ok {
		return p.Config, true
	}
	if p, ok := w.kinds.headers[class]; ok {
		return p.Config, true
	}
	for _, p := range w.kinds.set.Transforms {
		if slices.Contains(classes(p.Info), class) {
			return p.Config, true
		}
	}
	for _, p := range w.kinds.set.Predicates {
		if slices.Contains(classes(p.Info), class) {
			return p.Config, true
		}
	}
	return config.Definition{}, false
}
