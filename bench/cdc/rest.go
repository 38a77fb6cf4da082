package cdc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"
)

// patience bounds every wait for a worker.
const patience = 3 * time.Minute

// historyTopic is where Debezium keeps the definitions of MariaDB's tables.
const historyTopic = "schema.history.internal.kafka.topic"

// create a connector; it may still be starting.
func (w *worker) create(ctx context.Context, name string, config map[string]string) error {
	config = maps.Clone(config)
	maps.Copy(config, map[string]string{
		"tasks.max": "1", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1",
		"key.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
		"key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
	})
	if config[historyTopic] != "" {
		config["schema.history.internal.kafka.bootstrap.servers"] = w.broker
	}
	maps.Copy(config, w.settings)
	return w.ask(ctx, http.MethodPost, "/connectors", map[string]any{"name": name, "config": config}, nil)
}

// halt stops a connector and waits until it has no tasks.
func (w *worker) halt(ctx context.Context, name string) error {
	if err := w.ask(ctx, http.MethodPut, "/connectors/"+name+"/stop", nil, nil); err != nil {
		return err
	}
	return await(ctx, name+" to stop", func() (bool, error) {
		s, err := w.status(ctx, name)
		return s.Connector.State == "STOPPED" && len(s.Tasks) == 0, err
	})
}

func (w *worker) resume(ctx context.Context, name string) error {
	return w.ask(ctx, http.MethodPut, "/connectors/"+name+"/resume", nil, nil)
}

func (w *worker) remove(ctx context.Context, name string) error {
	return w.ask(ctx, http.MethodDelete, "/connectors/"+name, nil, nil)
}

type status struct {
	Connector state
	Tasks     []state
}

type state struct{ State, Trace string }

// status of a connector; an error where it has failed.
func (w *worker) status(ctx context.Context, name string) (s status, err error) {
	if err := w.ask(ctx, http.MethodGet, "/connectors/"+name+"/status", nil, &s); err != nil {
		return s, err
	}
	for _, one := range append(s.Tasks, s.Connector) {
		if one.State == "FAILED" {
			return s, fmt.Errorf("connector %s has failed: %s", name, one.Trace)
		}
	}
	return s, nil
}

// ask the worker, again where its group comes together just now.
func (w *worker) ask(ctx context.Context, method, path string, body, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return await(ctx, "an answer to "+method+" "+path, func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, method, w.url+path, bytes.NewReader(sent))
		if err != nil {
			return false, err
		}
		request.Header.Set("Content-Type", "application/json")
		got, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, err
		}
		defer got.Body.Close()
		answer, err := io.ReadAll(got.Body)
		switch {
		case err != nil:
			return false, err
		case got.StatusCode == http.StatusConflict || got.StatusCode == http.StatusServiceUnavailable,
			got.StatusCode == http.StatusNotFound && method == http.MethodGet: // not everywhere yet
			return false, nil
		case got.StatusCode >= 300:
			return false, fmt.Errorf("%s %s: %s: %s", method, path, got.Status, answer)
		case into == nil:
			return true, nil
		}
		return true, json.Unmarshal(answer, into)
	})
}

// await looks until something is so.
func await(ctx context.Context, what string, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waited %s for %s", patience, what))
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := so(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
