package connectors

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/console/api"
)

// reports are what our workers know beside Kafka Connect's API; nothing of another one.
func (e *Engine) reports(ctx context.Context) (connect.Reports, error) {
	var r connect.Reports
	err := e.rest.get(ctx, "/pabal/reports", &r)
	if errors.Is(err, api.ErrNotFound) || errors.Is(err, errForeign) {
		return connect.Reports{}, nil
	}
	return r, err
}

func progressOf(p connect.Progress) *api.ConnectorProgress {
	out := &api.ConnectorProgress{
		Events: p.Events, LastEvent: p.LastEvent, BehindMillis: p.BehindMillis,
		QueueBytes: p.QueueBytes, QueueLimit: p.QueueLimit, IncrementalRows: p.IncrementalRows,
	}
	if p.Snapshot != nil {
		s := api.ConnectorSnapshot(*p.Snapshot)
		out.Snapshot = &s
	}
	return out
}

// addProgress sums the tasks up: the one that is most behind counts.
func addProgress(all []api.ConnectorSummary, tasks []connect.TaskReport) {
	for _, t := range tasks {
		i := slices.IndexFunc(all, func(c api.ConnectorSummary) bool { return c.Name == t.Connector })
		if i < 0 {
			continue
		}
		c, p := &all[i], progressOf(t.Progress)
		if p.LastEvent.After(c.LastEvent) {
			c.LastEvent = p.LastEvent
		}
		c.BehindMillis = max(c.BehindMillis, p.BehindMillis)
		if p.Snapshot != nil && (c.Snapshot == nil || p.Snapshot.Running) {
			c.Snapshot = p.Snapshot
		}
	}
}

// slots of all databases, those with a problem first. A slot that several connectors see is one.
func (e *Engine) slots(databases []connect.DatabaseReport) []api.ConnectorSlot {
	type place struct{ server, name string }
	found := map[place]api.ConnectorSlot{}
	owned := map[string]bool{} // by name
	for _, d := range databases {
		for _, s := range d.Slots {
			slot := api.ConnectorSlot{
				Name: s.Name, Server: d.Server, Database: s.Database, Active: s.Active, RestartLSN: s.RestartLSN, ConfirmedLSN: s.ConfirmedLSN,
				RetainedBytes: s.RetainedBytes, WALStatus: s.WALStatus, At: d.At,
			}
			at := place{cmp.Or(d.ServerID, d.Server), s.Name}
			if s.Own {
				owned[s.Name] = true
				slot.Connector, slot.Deleted = d.Connector, d.Deleted
			}
			if old, ok := found[at]; !ok || s.Own && (old.Connector == "" || old.Deleted) {
				found[at] = slot
			}
		}
	}
	all := []api.ConnectorSlot{}
	for at, s := range found {
		if s.Connector == "" && (s.Active || owned[s.Name] && at.server == s.Server) {
			continue // another program's, or one of a server that may be known under another address, too
		}
		s.Judge(e.retained)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b api.ConnectorSlot) int {
		return cmp.Or(cmp.Compare(well(a), well(b)), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// logs of the connectors that are there.
func logs(databases []connect.DatabaseReport) (all []api.ConnectorLog) {
	for _, d := range databases {
		if d.Log == nil || d.Deleted {
			continue
		}
		l := api.ConnectorLog{
			Connector: d.Connector, Server: d.Server, Kind: d.Log.Kind, First: d.Log.First, Last: d.Log.Last, Next: d.Log.Next,
			BehindSeconds: d.Log.BehindSeconds, BehindFiles: d.Log.BehindFiles, BehindBytes: d.Log.BehindBytes, KeptSeconds: d.Log.KeptSeconds, At: d.At,
		}
		l.Judge(string(d.Log.State))
		all = append(all, l)
	}
	return all
}

func well(s api.ConnectorSlot) int {
	if s.Rule != "" {
		return 0
	}
	return 1
}

// databaseProblems are databases that could not be asked.
func databaseProblems(databases []connect.DatabaseReport) (problems []string) {
	for _, d := range databases {
		if d.Problem != "" && !d.Deleted {
			problems = append(problems, "the database of "+d.Connector+" cannot be asked how it stands: "+d.Problem)
		}
	}
	return problems
}

// Watch lists the connectors without the lag of sinks, which costs more.
func (e *Engine) Watch(ctx context.Context) (api.ConnectorList, error) {
	list := api.ConnectorList{Items: []api.ConnectorSummary{}, Slots: []api.ConnectorSlot{}}
	var all map[string]expanded
	var known connect.Reports
	var listed, reported error
	together(
		func() { listed = e.rest.get(ctx, "/connectors?expand=status&expand=info", &all) },
		func() { known, reported = e.reports(ctx) },
	)
	if listed != nil {
		return list, listed
	}
	for name, one := range all {
		list.Items = append(list.Items, e.summary(name, one))
	}
	if reported != nil {
		list.Problems = append(list.Problems, "progress: "+reported.Error())
	}
	list.Problems = append(list.Problems, databaseProblems(known.Databases)...)
	addProgress(list.Items, known.Tasks)
	list.Slots, list.Logs = e.slots(known.Databases), logs(known.Databases)
	for i := range list.Items {
		for _, l := range list.Logs {
			if l.Connector == list.Items[i].Name && l.Problem != "" {
				list.Items[i].Alarms = append(list.Items[i].Alarms, l.Problem)
			}
		}
		for _, s := range list.Slots {
			if s.Connector == list.Items[i].Name && !s.Deleted && s.Problem != "" {
				list.Items[i].Alarms = append(list.Items[i].Alarms, s.Problem)
			}
		}
	}
	api.SortConnectors(list.Items)
	return list, nil
}
