package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Create a connector; ErrConflict where there is one of that name, ErrInvalid where the
// configuration is wrong. Only the leader of the group changes anything: see Leader.
func (w *Worker) Create(ctx context.Context, name string, given map[string]string, target Target) (ConnectorInfo, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	_, there, err := w.stored(ctx, name)
	if err != nil {
		return ConnectorInfo{}, err
	}
	if there {
		return ConnectorInfo{}, problem{ErrConflict, fmt.Sprintf("Connector %s already exists", name)}
	}
	return w.put(ctx, name, given, target)
}

// Put creates a connector, or replaces its configuration.
func (w *Worker) Put(ctx context.Context, name string, given map[string]string) (info ConnectorInfo, created bool, err error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	old, there, err := w.stored(ctx, name)
	if err != nil {
		return ConnectorInfo{}, false, err
	}
	if there {
		given = unmask(w.definition(old.props["connector.class"]), given, old.props)
	}
	info, err = w.put(ctx, name, given, "")
	return info, !there, err
}

// Patch changes some keys of a configuration; a nil removes one.
func (w *Worker) Patch(ctx context.Context, name string, changes map[string]*string) (ConnectorInfo, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	old, there, err := w.stored(ctx, name)
	if err != nil {
		return ConnectorInfo{}, err
	}
	if !there {
		return ConnectorInfo{}, notFound(name)
	}
	props := maps.Clone(old.props)
	for key, value := range changes {
		if value == nil {
			delete(props, key)
			continue
		}
		props[key] = *value
	}
	props = unmask(w.definition(old.props["connector.class"]), props, old.props)
	return w.put(ctx, name, props, "")
}

func (w *Worker) stored(ctx context.Context, name string) (entry, bool, error) {
	if err := w.configs.Sync(ctx); err != nil {
		return entry{}, false, fmt.Errorf("%w: %w", ErrUnready, err)
	}
	e, ok := w.board.get(name)
	return e, ok, nil
}

// put checks and writes. What it returns has the tasks that there were before.
func (w *Worker) put(ctx context.Context, name string, given map[string]string, target Target) (ConnectorInfo, error) {
	props := maps.Clone(given)
	if props == nil {
		props = map[string]string{}
	}
	if own, ok := props["name"]; ok && own != name {
		return ConnectorInfo{}, problem{ErrInvalid, fmt.Sprintf("Connector name configuration (%s) doesn't match connector name in the URL (%s)", own, name)}
	}
	if name != "" {
		props["name"] = name
	}
	if err := stillMasked(props); err != nil {
		return ConnectorInfo{}, err
	}
	if err := w.accept(ctx, name, props); err != nil {
		return ConnectorInfo{}, err
	}
	info, err := w.Info(name)
	if err != nil {
		info.Tasks = []TaskID{}
	}
	if target != "" { // also Started: an earlier connector of the name may have left another
		if err := w.setTarget(ctx, name, target); err != nil {
			return info, err
		}
	}
	value, err := json.Marshal(connectorValue{props})
	if err != nil {
		return info, err
	}
	if err := w.write(ctx, connectorKey+name, value); err != nil {
		return info, err
	}
	tasks := info.Tasks
	info, err = w.Info(name)
	info.Tasks = tasks
	return info, err
}

// accept a configuration, or say what is wrong with it.
func (w *Worker) accept(ctx context.Context, name string, props map[string]string) error {
	class, ok := props["connector.class"]
	if !ok {
		return problem{ErrInvalid, "Connector config " + shown(props) + " contains no connector type"}
	}
	k, ok := w.kinds.connectors[class]
	if !ok {
		return problem{ErrInvalid, fmt.Sprintf("Failed to find any class that implements Connector and which name matches %s, available connectors are: %s", class, w.classList())}
	}
	found := w.validate(ctx, k, props)
	if err := found.problem(); err != nil {
		return err
	}
	for _, text := range found.Warnings {
		w.cfg.Logger.Warn("connect: a setting has no effect", "connector", name, "setting", text)
	}
	return nil
}

// shown is a configuration as Java prints maps, without secrets.
func shown(props map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(props)) {
		all = append(all, key+"="+masked(sourceKeys, key, props[key]))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// Delete a connector; its offsets stay, for one that comes under the same name.
func (w *Worker) Delete(ctx context.Context, name string) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	_, there, err := w.stored(ctx, name)
	if err != nil {
		return err
	}
	if !there {
		return notFound(name)
	}
	w.ResetTopics(name)
	if err := w.write(ctx, connectorKey+name, nil); err != nil {
		return err
	}
	return w.write(ctx, targetKey+name, nil)
}

// SetTarget starts, pauses or stops a connector; ErrNotFound.
func (w *Worker) SetTarget(ctx context.Context, name string, target Target) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	_, there, err := w.stored(ctx, name)
	if err != nil {
		return err
	}
	if !there {
		return problem{ErrNotFound, "Unknown connector " + name}
	}
	return w.setTarget(ctx, name, target)
}

func (w *Worker) setTarget(ctx context.Context, name string, target Target) error {
	v := targetValue{State: target, V2: target}
	if target == Stopped {
		v.State = Paused // for a Kafka Connect that does not know it
	}
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.write(ctx, targetKey+name, value)
}

// Restart a connector, and its tasks where wanted; ErrNotFound. Without either choice it is the
// connector itself.
func (w *Worker) Restart(ctx context.Context, name string, includeTasks, onlyFailed bool) (ConnectorStatus, error) {
	if _, ok := w.board.get(name); !ok {
		return ConnectorStatus{}, problem{ErrNotFound, "Unknown connector: " + name}
	}
	value, err := json.Marshal(restartValue{OnlyFailed: onlyFailed, IncludeTasks: includeTasks})
	if err != nil {
		return ConnectorStatus{}, err
	}
	if err := w.write(ctx, restartKey+name, value); err != nil {
		return ConnectorStatus{}, err
	}
	status, err := w.Status(name)
	if err != nil {
		return status, err
	}
	chosen := map[unitID]bool{}
	w.board.mu.Lock()
	for _, id := range w.board.restartedBy(name, restartValue{onlyFailed, includeTasks}) {
		chosen[id] = true
	}
	w.board.mu.Unlock()
	if chosen[unitID{name, whole}] {
		status.Connector.State = stateRestarting
	}
	for i := range status.Tasks {
		if chosen[unitID{name, i}] {
			status.Tasks[i].State = stateRestarting
		}
	}
	return status, nil
}

// RestartTask restarts one task; ErrNotFound.
func (w *Worker) RestartTask(ctx context.Context, name string, task int) error {
	if _, ok := w.board.get(name); !ok {
		return problem{ErrNotFound, "Unknown connector: " + name}
	}
	if _, err := w.TaskStatus(name, task); err != nil {
		return problem{ErrNotFound, "Unknown task: " + unitID{name, task}.String()}
	}
	return w.write(ctx, restartTaskKey+unitID{name, task}.String(), []byte(`{}`))
}

// ResetTopics forgets which topics a connector has used.
func (w *Worker) ResetTopics(name string) {
	for _, topic := range w.board.topicsOf(name) {
		w.writeStatus(topicStatusKey+topic+":connector-"+name, nil)
	}
}
