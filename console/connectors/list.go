package connectors

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/console/api"
)

// expanded is a connector as a list has it.
type expanded struct {
	Info   connect.ConnectorInfo   `json:"info"`
	Status connect.ConnectorStatus `json:"status"`
}

// Connectors implements api.Connectors.
func (e *Engine) Connectors(ctx context.Context) (api.ConnectorList, error) {
	list, err := e.Watch(ctx)
	if err == nil {
		list.Problems = append(list.Problems, e.addLags(ctx, list.Items)...)
	}
	return list, err
}

func (e *Engine) summary(name string, x expanded) api.ConnectorSummary {
	s := api.ConnectorSummary{
		Name: name, Class: x.Info.Config["connector.class"], Type: x.Info.Type, State: x.Status.Connector.State,
		Workers: []string{}, Tasks: len(x.Status.Tasks), Problem: firstLine(x.Status.Connector.Trace), Lag: -1, BehindMillis: -1,
	}
	if s.State == "" {
		s.State = "UNASSIGNED"
	}
	if s.Type == "sink" {
		s.Group = e.kafka.Group("connect-" + name)
		if own := x.Info.Config["consumer.override.group.id"]; own != "" {
			s.Group = e.kafka.Group(own)
		}
	}
	units := []connect.UnitStatus{x.Status.Connector}
	for _, t := range x.Status.Tasks {
		units = append(units, t.UnitStatus)
		if t.State == "FAILED" {
			s.Failed++
			if s.Problem == "" {
				s.Problem = firstLine(t.Trace)
			}
		}
	}
	if s.Failed > 0 {
		s.State = "FAILED"
	}
	for _, u := range units {
		if u.WorkerID != "" && !slices.Contains(s.Workers, u.WorkerID) {
			s.Workers = append(s.Workers, u.WorkerID)
		}
	}
	slices.Sort(s.Workers)
	return s
}

func firstLine(trace string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(trace), "\n")
	return line
}

// lagsAtOnce bounds how many groups are asked for at the same time.
const lagsAtOnce = 8

// addLags of sinks; problems are said once.
func (e *Engine) addLags(ctx context.Context, all []api.ConnectorSummary) (problems []string) {
	if e.groups == nil {
		return nil
	}
	var mu sync.Mutex
	var asking sync.WaitGroup
	slots := make(chan struct{}, lagsAtOnce)
	for i := range all {
		if all[i].Group == "" {
			continue
		}
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			lag, err := e.lag(ctx, all[i].Group)
			mu.Lock()
			defer mu.Unlock()
			all[i].Lag = lag
			if err != nil && len(problems) == 0 {
				problems = append(problems, "lag of "+all[i].Name+": "+err.Error())
			}
		})
	}
	asking.Wait()
	return problems
}

// lag of a group, -1 where there is no such group yet.
func (e *Engine) lag(ctx context.Context, group string) (int64, error) {
	g, err := e.groups.Group(ctx, group)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return -1, nil
	case err != nil:
		return -1, err
	}
	return g.Lag, nil
}
