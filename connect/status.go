package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// States of connectors and tasks, as Kafka Connect's REST API has them.
const (
	stateUnassigned = "UNASSIGNED"
	stateRunning    = "RUNNING"
	statePaused     = "PAUSED"
	stateStopped    = "STOPPED"
	stateFailed     = "FAILED"
	stateRestarting = "RESTARTING"
)

// unitStatus is a record of the topic of statuses.
type unitStatus struct {
	State      string `json:"state"`
	Trace      string `json:"trace,omitempty"`
	WorkerID   string `json:"worker_id"`
	Generation int64  `json:"generation"`
	Version    string `json:"version,omitempty"`
}

func (id unitID) statusKey() string {
	if id.task == whole {
		return connectorStatusKey + id.connector
	}
	return taskStatusKey + id.String()
}

// report writes a status. It is told once: where Kafka is away, the state of the next one counts.
func (w *Worker) report(id unitID, state string, cause error, version string) {
	s := unitStatus{State: state, WorkerID: w.cfg.ID, Generation: w.generation.Load(), Version: version}
	if cause != nil {
		s.Trace = cause.Error()
	}
	value, err := json.Marshal(s)
	if err != nil {
		w.cfg.Logger.Error("connect: a status cannot be written", "unit", id.String(), "error", err)
		return
	}
	w.writeStatus(id.statusKey(), value)
}

// forget a unit that is no more.
func (w *Worker) forget(id unitID) { w.writeStatus(id.statusKey(), nil) }

type topicValue struct {
	Topic usedTopic `json:"topic"`
}

type usedTopic struct {
	Name      string `json:"name"`
	Connector string `json:"connector"`
	Task      int    `json:"task"`
	Since     int64  `json:"discoverTimestamp"`
}

// reportTopic says that a connector uses a topic, the first time.
func (w *Worker) reportTopic(id unitID, topic string) {
	value, err := json.Marshal(topicValue{usedTopic{topic, id.connector, id.task, time.Now().UnixMilli()}})
	if err == nil {
		w.writeStatus(topicStatusKey+topic+":connector-"+id.connector, value)
	}
}

// writeStatus is done when Kafka is there again: the last status of a task that failed counts.
func (w *Worker) writeStatus(key string, value []byte) {
	r := &kgo.Record{Topic: w.statuses.Topic(), Key: []byte(key), Value: value}
	w.writer.Produce(context.WithoutCancel(w.life), r, func(r *kgo.Record, err error) {
		if err != nil {
			w.cfg.Logger.Warn("connect: a status was not written", "key", key, "error", fmt.Errorf("topic %s: %w", r.Topic, err))
		}
	})
}
