package connect

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/members"
)

// keepHerd has the units run that are this worker's, until the worker ends.
func (w *Worker) keepHerd() {
	for {
		w.reconcile()
		select {
		case <-w.board.changed:
		case <-w.joined:
		case <-w.life.Done():
			w.stopUnits()
			return
		}
	}
}

func (w *Worker) stopUnits() {
	for _, u := range w.units {
		u.want(nil)
	}
	for id, u := range w.units {
		<-u.done
		delete(w.units, id)
	}
}

// reconcile what runs here with what should.
func (w *Worker) reconcile() {
	wanted := w.wanted()
	for id, u := range w.units {
		if _, ok := wanted[id]; !ok {
			w.lookAgain(id)
			u.want(nil)
			delete(w.units, id)
			w.gone(id, u)
		}
	}
	for id, s := range wanted {
		u, ok := w.units[id]
		if !ok {
			w.lookAgain(id)
			u = w.newUnit(id)
			w.units[id] = u
		}
		u.want(s)
	}
}

// lookAgain has the databases asked soon: a connector has come or gone.
func (w *Worker) lookAgain(id unitID) {
	if id.task != whole {
		return
	}
	select {
	case w.look <- struct{}{}:
	default:
	}
}

// gone forgets the status of a unit that no worker has any more, when it has stopped.
func (w *Worker) gone(id unitID, u *unit) {
	w.herd.Go(func() {
		<-u.done
		if w.life.Err() == nil && !w.exists(id) {
			w.forget(id)
		}
	})
}

func (w *Worker) exists(id unitID) bool {
	e, ok := w.board.get(id.connector)
	if !ok {
		return false
	}
	if id.task == whole {
		return true
	}
	tasks, err := w.tasksOf(id.connector, e)
	return err == nil && id.task < len(tasks)
}

// spec is what a unit should be.
type spec struct {
	id      unitID
	props   map[string]string // of the task, secrets not resolved
	target  Target
	restart int64
	// broken is why there are no tasks.
	broken error
}

func (s *spec) equal(o *spec) bool {
	return s != nil && o != nil && s.target == o.target && s.restart == o.restart && maps.Equal(s.props, o.props) &&
		reflect.DeepEqual(s.broken, o.broken)
}

// wanted are the units of this worker.
func (w *Worker) wanted() map[unitID]*spec {
	all := map[string]*spec{}
	var work []string
	for _, name := range w.board.names() {
		e, ok := w.board.get(name)
		if !ok {
			continue
		}
		for _, s := range w.specs(name, e) {
			all[s.id.key()] = s
		}
	}
	for key := range maps.Keys(all) {
		work = append(work, key)
	}
	w.mu.Lock()
	there := w.members
	w.mu.Unlock()
	out := map[unitID]*spec{}
	for key, member := range members.Assign(there, work) {
		if member == w.cfg.ID {
			out[all[key].id] = all[key]
		}
	}
	return out
}

func (w *Worker) specs(name string, e entry) []*spec {
	tasks, err := w.tasksOf(name, e)
	id := unitID{name, whole}
	out := []*spec{{id: id, props: e.props, target: e.target, restart: w.board.restart(id), broken: err}}
	for n, props := range tasks {
		id := unitID{name, n}
		out = append(out, &spec{id: id, props: props, target: e.target, restart: w.board.restart(id)})
	}
	return out
}

// taskClass is for tools only.
const taskClass = "task.class"

// mostTasks of a connector: more is a slip of the hand, and each costs every worker memory.
const mostTasks = 1000

// tasksOf are the configurations of a connector's tasks, secrets not resolved; none where it is
// stopped. They follow from what is stored alone, so that all workers find the same.
func (w *Worker) tasksOf(name string, e entry) (_ []map[string]string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the connector panicked: %v", p)
		}
	}()
	if e.target == Stopped {
		return nil, nil
	}
	kind, ok := w.kinds.connectors[e.props["connector.class"]]
	if !ok {
		return nil, fmt.Errorf("%w: no connector has the class %q", config.ErrConfig, e.props["connector.class"])
	}
	common, _ := kind.common().Parse(e.props) // what is wrong with it fails the tasks
	own, _ := kind.connector.Info().Config.Parse(e.props)
	most := min(max(int(common.Int("tasks.max")), 1), mostTasks)
	tasks, err := kind.connector.Tasks(own, most)
	if err != nil {
		return nil, err
	}
	if len(tasks) > most {
		return nil, fmt.Errorf("%w: connector %s has made %d tasks, and tasks.max is %d", config.ErrConfig, name, len(tasks), most)
	}
	info := kind.connector.Info()
	out := make([]map[string]string, len(tasks))
	for i, task := range tasks {
		out[i] = maps.Clone(task)
		out[i][taskClass] = cmp.Or(info.TaskClass, info.Class+"Task")
	}
	return out, nil
}
