package connect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
)

const (
	inspectEvery   = 15 * time.Second
	inspectTimeout = 10 * time.Second
	inspectAtOnce  = 4
	// mostGone bounds how many deleted connectors are remembered.
	mostGone = 100
)

// keepInspecting asks the databases of the connectors that are this worker's, also of those that
// are stopped, and of deleted ones until what they made there is gone.
func (w *Worker) keepInspecting() {
	gone := map[string]map[string]string{} // configurations of deleted connectors
	mine := map[string]map[string]string{}
	tick := time.NewTicker(inspectEvery)
	defer tick.Stop()
	for {
		for name, props := range mine {
			if _, ok := w.board.get(name); !ok && len(gone) < mostGone {
				gone[name] = props
			}
		}
		mine = w.inspected()
		for name := range gone {
			if _, again := w.board.get(name); again {
				delete(gone, name)
			}
		}
		w.inspect(mine, gone)
		select {
		case <-tick.C:
		case <-w.look:
		case <-w.life.Done():
			return
		}
	}
}

// inspected are the configurations of the connectors that this worker asks the databases of.
func (w *Worker) inspected() map[string]map[string]string {
	out := map[string]map[string]string{}
	for id, s := range w.wanted() {
		if id.task != whole {
			continue
		}
		switch w.kinds.connectors[s.props["connector.class"]].source.(type) {
		case plugin.Inspector, plugin.LogInspector:
			out[id.connector] = s.props
		}
	}
	return out
}

func (w *Worker) inspect(mine, gone map[string]map[string]string) {
	var mu sync.Mutex
	found := map[string]DatabaseReport{}
	var asking sync.WaitGroup
	slots := make(chan struct{}, inspectAtOnce)
	ask := func(name string, props map[string]string, deleted bool) {
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			d := w.inspectOne(name, props)
			d.Deleted = deleted
			mu.Lock()
			defer mu.Unlock()
			found[name] = d
		})
	}
	for name, props := range mine {
		ask(name, props, false)
	}
	for name, props := range gone {
		ask(name, props, true)
	}
	asking.Wait()
	for name := range gone {
		if d := found[name]; d.Problem == "" && !ownsSlot(d) {
			delete(gone, name)
			delete(found, name)
		}
	}
	w.watching.Lock()
	defer w.watching.Unlock()
	w.databases = found
}

func ownsSlot(d DatabaseReport) bool {
	for _, s := range d.Slots {
		if s.Own {
			return true
		}
	}
	return false
}

func (w *Worker) inspectOne(name string, props map[string]string) (d DatabaseReport) {
	d = DatabaseReport{Connector: name, WorkerID: w.cfg.ID, At: time.Now().UTC()}
	ctx, cancel := context.WithTimeout(w.life, inspectTimeout)
	defer cancel()
	inspection, err := w.askDatabase(ctx, name, props)
	if err != nil {
		d.Problem = hide(err, props).Error()
		return d
	}
	d.Inspection = inspection
	return d
}

func (w *Worker) askDatabase(ctx context.Context, name string, props map[string]string) (_ plugin.Inspection, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the connector panicked: %v", p)
		}
	}()
	kind := w.kinds.connectors[props["connector.class"]]
	given, err := resolve(props)
	if err != nil {
		return plugin.Inspection{}, err
	}
	own, err := kind.connector.Info().Config.Must(given)
	if err != nil {
		return plugin.Inspection{}, err
	}
	if inspector, ok := kind.source.(plugin.Inspector); ok {
		return inspector.Inspect(ctx, own)
	}
	offset, err := w.firstOffset(ctx, name)
	if err != nil {
		return plugin.Inspection{}, err
	}
	return kind.source.(plugin.LogInspector).InspectLog(ctx, own, offset)
}

// firstOffset that a connector stored; nil is none.
func (w *Worker) firstOffset(ctx context.Context, connector string) (map[string]any, error) {
	all, err := w.offsets.of(ctx, connector)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return readJSON(all[0].Offset)
}
