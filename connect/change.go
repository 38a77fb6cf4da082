package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Create a connector; ErrConflict where there is one of that name, ErrInvalid where the
// configuration is wrong.
func (w *Worker) Create(ctx context.Context, name string, given map[string]string, target Target) (ConnectorInfo, error) {
	info, _, err := w.edit(ctx, name, target, func(_ entry, there bool) (map[string]string, error) {
		if there {
			return nil, problem{ErrConflict, fmt.Sprintf("Connector %s already exists", name)}
		}
		return maps.Clone(given), nil
	})
	return info, err
}

// Put creates a connector, or replaces its configuration.
func (w *Worker) Put(ctx context.Context, name string, given map[string]string) (info ConnectorInfo, created bool, err error) {
	return w.edit(ctx, name, "", func(old entry, there bool) (map[string]string, error) {
		if !there {
			return maps.Clone(given), nil
		}
		return unmask(w.definition(old.props["connector.class"]), given, old.props), nil
	})
}

// Patch changes some keys of a configuration; a nil removes one.
func (w *Worker) Patch(ctx context.Context, name string, changes map[string]*string) (ConnectorInfo, error) {
	info, _, err := w.edit(ctx, name, "", func(old entry, there bool) (map[string]string, error) {
		if !there {
			return nil, notFound(name)
		}
		props := maps.Clone(old.props)
		for key, value := range changes {
			if value == nil {
				delete(props, key)
				continue
			}
			props[key] = *value
		}
		return unmask(w.definition(old.props["connector.class"]), props, old.props), nil
	})
	return info, err
}

// edit writes the configuration that wanted makes of the stored one. It is checked, which may
// take long, before it is written, and again where the stored one has changed meanwhile. What edit
// returns has the tasks that there were before.
func (w *Worker) edit(ctx context.Context, name string, target Target, wanted func(old entry, there bool) (map[string]string, error)) (info ConnectorInfo, created bool, err error) {
	for {
		old, there, err := w.stored(ctx, name)
		if err != nil {
			return ConnectorInfo{}, false, err
		}
		props, err := wanted(old, there)
		if err != nil {
			return ConnectorInfo{}, false, err
		}
		if props, err = w.checked(ctx, name, props); err != nil {
			return ConnectorInfo{}, false, err
		}
		before, err := w.Info(name)
		if err != nil {
			before.Tasks = []TaskID{}
		}
		err = w.change(ctx, func(context.Context) ([]*kgo.Record, error) {
			if now, still := w.board.get(name); still != there || !maps.Equal(now.props, old.props) {
				return nil, errChanged
			}
			return w.configuration(name, props, target)
		})
		if errors.Is(err, errChanged) {
			continue
		}
		if err != nil {
			return before, false, err
		}
		info, err = w.Info(name)
		info.Tasks = before.Tasks
		return info, !there, err
	}
}

// errChanged: what a change was decided on is not what is stored any more.
var errChanged = errors.New("the configuration has changed meanwhile")

func (w *Worker) stored(ctx context.Context, name string) (entry, bool, error) {
	if err := w.configs.Sync(ctx); err != nil {
		return entry{}, false, fmt.Errorf("%w: %w", ErrUnready, err)
	}
	e, ok := w.board.get(name)
	return e, ok, nil
}

// checked is a configuration that can be stored.
func (w *Worker) checked(ctx context.Context, name string, props map[string]string) (map[string]string, error) {
	if props == nil {
		props = map[string]string{}
	}
	if own, ok := props["name"]; ok && own != name {
		return nil, problem{ErrInvalid, fmt.Sprintf("Connector name configuration (%s) doesn't match connector name in the URL (%s)", own, name)}
	}
	if name != "" {
		props["name"] = name
	}
	if err := stillMasked(props); err != nil {
		return nil, err
	}
	return props, w.accept(ctx, name, props)
}

// configuration is what is stored of one.
func (w *Worker) configuration(name string, props map[string]string, target Target) ([]*kgo.Record, error) {
	var records []*kgo.Record
	if target != "" { // also Started: an earlier connector of the name may have left another
		r, err := w.targetRecord(name, target)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	value, err := json.Marshal(connectorValue{props})
	if err != nil {
		return nil, err
	}
	return append(records, w.configRecord(connectorKey+name, value)), nil
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
	return w.change(ctx, func(context.Context) ([]*kgo.Record, error) {
		if _, there := w.board.get(name); !there {
			return nil, notFound(name)
		}
		w.ResetTopics(name)
		return []*kgo.Record{w.configRecord(connectorKey+name, nil), w.configRecord(targetKey+name, nil)}, nil
	})
}

// SetTarget starts, pauses or stops a connector; ErrNotFound.
func (w *Worker) SetTarget(ctx context.Context, name string, target Target) error {
	return w.change(ctx, func(context.Context) ([]*kgo.Record, error) {
		if _, there := w.board.get(name); !there {
			return nil, problem{ErrNotFound, "Unknown connector " + name}
		}
		r, err := w.targetRecord(name, target)
		return []*kgo.Record{r}, err
	})
}

func (w *Worker) targetRecord(name string, target Target) (*kgo.Record, error) {
	v := targetValue{State: target, V2: target}
	if target == Stopped {
		v.State = Paused // for a Kafka Connect that does not know it
	}
	value, err := json.Marshal(v)
	return w.configRecord(targetKey+name, value), err
}

// Restart a connector, and its tasks where wanted; ErrNotFound. Without either choice it is the
// connector itself. What is restarted is said as it was chosen: it may run again by now.
func (w *Worker) Restart(ctx context.Context, name string, includeTasks, onlyFailed bool) (status ConnectorStatus, err error) {
	wanted := restartValue{OnlyFailed: onlyFailed, IncludeTasks: includeTasks}
	err = w.change(ctx, func(context.Context) ([]*kgo.Record, error) {
		if _, there := w.board.get(name); !there {
			return nil, problem{ErrNotFound, "Unknown connector: " + name}
		}
		if status, err = w.restarted(name, wanted); err != nil {
			return nil, err
		}
		value, err := json.Marshal(wanted)
		return []*kgo.Record{w.configRecord(restartKey+name, value)}, err
	})
	if err != nil {
		return ConnectorStatus{}, err
	}
	return status, nil
}

// restarted is the status with what is chosen to be restarted.
func (w *Worker) restarted(name string, wanted restartValue) (ConnectorStatus, error) {
	status, err := w.Status(name)
	if err != nil {
		return status, err
	}
	chosen := map[unitID]bool{}
	w.board.mu.Lock()
	for _, id := range w.board.restartedBy(name, wanted) {
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
	return w.change(ctx, func(context.Context) ([]*kgo.Record, error) {
		if _, there := w.board.get(name); !there {
			return nil, problem{ErrNotFound, "Unknown connector: " + name}
		}
		if _, err := w.TaskStatus(name, task); err != nil {
			return nil, problem{ErrNotFound, "Unknown task: " + unitID{name, task}.String()}
		}
		return []*kgo.Record{w.configRecord(restartTaskKey+unitID{name, task}.String(), []byte(`{}`))}, nil
	})
}

// ResetTopics forgets which topics a connector has used.
func (w *Worker) ResetTopics(name string) {
	for _, topic := range w.board.topicsOf(name) {
		w.writeStatus(topicStatusKey+topic+":connector-"+name, nil)
	}
}
