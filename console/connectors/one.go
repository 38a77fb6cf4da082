package connectors

import (
	"context"
	"slices"
	"sync"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/console/api"
)

// Connector implements api.Connectors.
func (e *Engine) Connector(ctx context.Context, name string) (api.Connector, error) {
	at := connectorPath(name)
	var x expanded
	if err := e.rest.get(ctx, at, &x.Info); err != nil {
		return api.Connector{}, err
	}
	var topics map[string]struct {
		Topics []string `json:"topics"`
	}
	var offsets offsetsBody
	var statusErr, topicsErr, offsetsErr, knownErr error
	var known connect.Reports
	together(
		func() { statusErr = e.rest.get(ctx, at+"/status", &x.Status) },
		func() { topicsErr = e.rest.get(ctx, at+"/topics", &topics) },
		func() { known, knownErr = e.reports(ctx) },
		func() { offsetsErr = e.rest.get(ctx, at+"/offsets", &offsets) },
	)
	c := api.Connector{
		ConnectorSummary: e.summary(name, x), Trace: x.Status.Connector.Trace, TaskList: tasksOf(x.Status), Config: x.Info.Config,
		Topics: topics[name].Topics, Offsets: offsets.Offsets,
	}
	e.addKnown(&c, known)
	if knownErr != nil {
		c.Problems = append(c.Problems, "progress: "+knownErr.Error())
	}
	if statusErr != nil {
		c.Problems = append(c.Problems, "status: "+statusErr.Error())
	}
	if topicsErr != nil {
		c.Problems = append(c.Problems, "topics: "+topicsErr.Error())
	}
	if offsetsErr != nil {
		c.OffsetsProblem = offsetsErr.Error()
	}
	if c.Group != "" && e.groups != nil {
		lag, err := e.lag(ctx, c.Group)
		if c.Lag = lag; err != nil {
			c.Problems = append(c.Problems, "lag: "+err.Error())
		}
	}
	return c, nil
}

func tasksOf(s connect.ConnectorStatus) []api.ConnectorTask {
	all := []api.ConnectorTask{}
	for _, t := range s.Tasks {
		all = append(all, api.ConnectorTask{Task: t.ID, State: t.State, Worker: t.WorkerID, Trace: t.Trace})
	}
	return all
}

// addKnown of the reports what is of one connector.
func (e *Engine) addKnown(c *api.Connector, known connect.Reports) {
	c.Slots = slices.DeleteFunc(e.slots(known.Databases), func(s api.ConnectorSlot) bool { return s.Connector != c.Name || s.Deleted })
	for _, s := range c.Slots {
		if s.Problem != "" {
			c.Alarms = append(c.Alarms, s.Problem)
		}
	}
	for _, l := range logs(known.Databases) {
		if l.Connector != c.Name {
			continue
		}
		if c.Log = &l; l.Problem != "" {
			c.Alarms = append(c.Alarms, l.Problem)
		}
	}
	mine := slices.DeleteFunc(known.Databases, func(d connect.DatabaseReport) bool { return d.Connector != c.Name })
	c.Problems = append(c.Problems, databaseProblems(mine)...)
	one := []api.ConnectorSummary{c.ConnectorSummary}
	addProgress(one, known.Tasks)
	c.ConnectorSummary = one[0]
	for i := range c.TaskList {
		for _, t := range known.Tasks {
			if t.Connector == c.Name && t.Task == c.TaskList[i].Task {
				c.TaskList[i].Progress = progressOf(t.Progress)
			}
		}
	}
}

func together(parts ...func()) {
	var wg sync.WaitGroup
	for _, f := range parts {
		wg.Go(f)
	}
	wg.Wait()
}
