package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/pabal-dev/pabal/admin"
)

// ProjectionList is the projections of all services.
type ProjectionList struct {
	Items []Projection `json:"items"`
	// Problems are services that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// Projection is a projection of a service: what its database knows, and what its
// instances say.
type Projection struct {
	Service string `json:"service"`
	admin.ProjectionInfo
	// State is "running", "paused", "failed" or "away", where no instance runs it.
	State string `json:"state"`
	// LagEvents is the sum of the instances', of which there are more where LagMore is
	// set; LagMicros is the longest. -1 where no instance knows.
	LagEvents int64                `json:"lagEvents"`
	LagMore   bool                 `json:"lagMore,omitempty"`
	LagMicros int64                `json:"lagMicros"`
	Instances []ProjectionInstance `json:"instances"`
}

// ProjectionInstance is the part of a projection that runs in an instance.
type ProjectionInstance struct {
	Instance string `json:"instance"`
	admin.ProjectionStatus
}

// Failed says whether an instance does not go on.
func (p Projection) Failed() bool {
	return slices.ContainsFunc(p.Instances, func(i ProjectionInstance) bool { return i.Problem != "" })
}

// Rebuild is the one under way, nil for none.
func (p Projection) Rebuild() *admin.RebuildStatus {
	for _, i := range p.Instances {
		if i.ProjectionStatus.Rebuild != nil {
			return i.ProjectionStatus.Rebuild
		}
	}
	return nil
}

// Projections asks all services that have projections, at the same time.
func (e Engines) Projections(ctx context.Context) (ProjectionList, error) {
	services, err := e.Services.Services(ctx)
	if err != nil {
		return ProjectionList{}, err
	}
	list := ProjectionList{Items: RunningProjections(services)}
	names, away := thoseWith(services, func(s *admin.Status) bool { return s.HasProjections })
	problems := askEach(ctx, e.Services, names, func(s admin.API) ([]admin.ProjectionInfo, error) { return s.Projections(ctx) }, list.add)
	list.Problems = append(problems, away...)
	list.sort()
	return list, nil
}

// add joins what a service's database knows with what its instances say.
func (l *ProjectionList) add(service string, stored []admin.ProjectionInfo) {
	for _, info := range stored {
		i := slices.IndexFunc(l.Items, func(p Projection) bool { return p.Service == service && p.Name == info.Name })
		if i < 0 {
			i, l.Items = len(l.Items), append(l.Items, Projection{Service: service, LagEvents: -1, LagMicros: -1, Instances: []ProjectionInstance{}})
		}
		info.Running = nil // it is among the instances
		info.Source = cmp.Or(info.Source, l.Items[i].Source)
		l.Items[i].ProjectionInfo = info
		l.Items[i].State = stateOf(l.Items[i])
	}
}

func (l *ProjectionList) sort() {
	slices.SortFunc(l.Items, func(a, b Projection) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name))
	})
	slices.Sort(l.Problems)
}

// RunningProjections are those that run in the instances, by service and name, with
// what the instances know.
func RunningProjections(services []Service) []Projection {
	list := ProjectionList{Items: []Projection{}}
	for _, s := range services {
		if s.Status == nil {
			continue
		}
		for _, status := range s.Status.Projections {
			list.run(s.Name, ProjectionInstance{s.Instance, status})
		}
	}
	list.sort()
	return list.Items
}

func (l *ProjectionList) run(service string, of ProjectionInstance) {
	i := slices.IndexFunc(l.Items, func(p Projection) bool { return p.Service == service && p.Name == of.Name })
	if i < 0 {
		i, l.Items = len(l.Items), append(l.Items, Projection{
			Service: service, LagEvents: -1, LagMicros: -1,
			ProjectionInfo: admin.ProjectionInfo{Name: of.Name, Workers: []string{}, Ranges: []admin.ProjectionRange{}},
		})
	}
	p := &l.Items[i]
	p.Instances = append(p.Instances, of)
	p.Paused = p.Paused || of.State == "paused"
	p.Source = cmp.Or(p.Source, of.Source)
	p.LagMicros = max(p.LagMicros, of.LagMicros)
	p.LagEvents = max(p.LagEvents, 0) + max(of.LagEvents, 0)
	p.LagMore = p.LagMore || of.LagMore
	p.State = stateOf(*p)
}

func stateOf(p Projection) string {
	switch {
	case p.Failed():
		return "failed"
	case p.Paused:
		return "paused"
	case len(p.Instances) == 0 && len(p.Workers) == 0:
		return "away"
	}
	return "running"
}
