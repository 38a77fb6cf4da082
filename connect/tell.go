package connect

import (
	"bytes"
	"encoding/json"
	"time"
)

// tellEvery is how often the other workers are told how tasks and databases are. They, and the
// consoles beside them, need not reach this worker for that.
const tellEvery = 10 * time.Second

// reportKey begins the keys of reports in the topic of statuses; they are ours.
const reportKey = "pabal-report-"

// told is a record of it: one of both.
type told struct {
	Task     *TaskReport     `json:"task,omitempty"`
	Database *DatabaseReport `json:"database,omitempty"`
}

// keepTelling the other workers what has changed.
func (w *Worker) keepTelling() {
	before := map[string][]byte{}
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			before = w.tell(before)
		case <-w.life.Done():
			return // who has the tasks next tells of them
		}
	}
}

// tell what differs from before, and returns what the others know then.
func (w *Worker) tell(before map[string][]byte) map[string][]byte {
	r, now := w.own(), map[string][]byte{}
	put := func(key string, one told) {
		if value, err := json.Marshal(one); err == nil {
			now[key] = value
		}
	}
	for i := range r.Tasks {
		put(reportKey+"task-"+unitID{r.Tasks[i].Connector, r.Tasks[i].Task}.String(), told{Task: &r.Tasks[i]})
	}
	for i := range r.Databases {
		put(reportKey+"database-"+r.Databases[i].Connector, told{Database: &r.Databases[i]})
	}
	for key, value := range now {
		if !bytes.Equal(before[key], value) {
			w.writeStatus(key, value)
		}
	}
	for key, value := range before {
		if _, still := now[key]; !still && bytes.Equal(w.board.toldOf(key), value) { // else somebody else has it
			w.writeStatus(key, nil)
		}
	}
	return now
}
