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

// Topics that a connector has used since they were reset.
func (w *Worker) Topics(name string) []string { return append([]string{}, w.board.topicsOf(name)...) }

// Plugins that this worker knows, by kinds in Kafka Connect's order; connectors only, or all.
func (w *Worker) Plugins(connectorsOnly bool) []PluginInfo {
	set := w.kinds.set
	var infos [6][]plugin.Info
	for _, s := range set.Sinks {
		infos[0] = append(infos[0], s.Info())
	}
	for _, s := range set.Sources {
		infos[1] = append(infos[1], s.Info())
	}
	for _, p := range set.Transforms {
		infos[2] = append(infos[2], p.Info)
	}
	for _, p := range set.Predicates {
		infos[3] = append(infos[3], p.Info)
	}
	for _, p := range set.Converters {
		infos[4] = append(infos[4], p.Info)
	}
	for _, p := range set.Headers {
		infos[5] = append(infos[5], p.Info)
	}
	out := []PluginInfo{}
	for n, kind := range []string{"sink", "source", "transformation", "predicate", "converter", "header_converter"} {
		if connectorsOnly && n > 1 {
			break
		}
		slices.SortFunc(infos[n], func(a, b plugin.Info) int { return cmp.Compare(a.Class, b.Class) })
		for _, i := range infos[n] {
			out = append(out, PluginInfo{i.Class, kind, i.Version})
		}
	}
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
	for _, key := range d.Keys {
		out = append(out, infoOf(d, key, nil, nil).Definition)
	}
	return out, nil
}

func (w *Worker) pluginDefinition(class string) (config.Definition, bool) {
	if k, ok := w.kinds.connectors[class]; ok {
		common := k.common().With()
		for i, key := range common.Keys {
			if key.Name == "connector.plugin.version" {
				common.Keys[i] = w.kinds.choices(key, k.connector.Info().Version)
			}
		}
		return k.connector.Info().Config.With(common.Keys...), true
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
