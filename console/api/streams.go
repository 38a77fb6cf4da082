package api

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/admin"
)

// Streams are the stream processing applications that services run. An application has
// the full name of its consumer group: the tenant's prefix and its id. Its instances are
// those of one or more services that announced themselves.
type Streams interface {
	// StreamsApps lists them by name.
	StreamsApps(ctx context.Context) (StreamsList, error)
	// StreamsApp is one with its instances and its topology. ErrNotFound where no
	// service runs it.
	StreamsApp(ctx context.Context, application string) (StreamsApp, error)
	// QueryStore reads a store, through any instance that can.
	QueryStore(ctx context.Context, q StoreQuery) (admin.StorePage, error)
	// PauseStreams stops processing in the instances that there are, or ends that; the
	// answer says in how many.
	PauseStreams(ctx context.Context, p PauseStreams) (Count, error)
	// ResetStreams has an application that nobody runs begin anew.
	ResetStreams(ctx context.Context, r ResetStreams) (StreamsReset, error)
}

// StreamsList are the applications of all services.
type StreamsList struct {
	Items []StreamsSummary `json:"items"`
	// Problems are services that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// StreamsSummary is an application in a list: the sums over its instances.
type StreamsSummary struct {
	// Application is its full name, which is that of its consumer group; ID the one it has
	// in its code.
	Application string `json:"application"`
	ID          string `json:"id"`
	// Services that run it.
	Services []string `json:"services"`
	// State is "running", "restoring", "rebalancing", "paused", "starting", "stopped", or
	// "failed" where an instance has a problem.
	State     string `json:"state"`
	Instances int    `json:"instances"`
	Workers   int    `json:"workers"`
	Tasks     int    `json:"tasks"`
	// Restoring tasks do not process yet.
	Restoring int `json:"restoring"`
	// Lag is how many records its tasks are behind, Rate how many its sources take per
	// second, Records how many they took since the instances started.
	Lag     int64   `json:"lag"`
	Rate    float64 `json:"rate"`
	Records int64   `json:"records"`
	// Dropped records were left out by the rules, such as late ones; DeadLetters were given
	// up; both since the tasks began.
	Dropped     int64 `json:"dropped"`
	DeadLetters int64 `json:"deadLetters"`
	MemoryBytes int64 `json:"memoryBytes"`
	DiskBytes   int64 `json:"diskBytes"`
	// Problems of instances.
	Problems []string `json:"problems,omitempty"`
}

// StreamsApp is an application whole.
type StreamsApp struct {
	StreamsSummary
	// Parts are its instances, by service and name.
	Parts []StreamsInstance `json:"parts"`
	// Topology as an instance tells it, nil where none does; TopologyProblem says why.
	Topology        *admin.StreamsTopology `json:"topology,omitempty"`
	TopologyProblem string                 `json:"topologyProblem,omitempty"`
	// Away are services that could not be asked.
	Away []string `json:"away,omitempty"`
}

// StreamsInstance is an application in a process.
type StreamsInstance struct {
	Service  string `json:"service"`
	Instance string `json:"instance"`
	admin.StreamsStatus
}

// StoreQuery selects entries of a store of an application, named in full.
type StoreQuery struct {
	admin.StoreQuery
}

// PauseStreams stops an application's processing, or ends that.
type PauseStreams struct {
	Application string `json:"application"`
	Paused      bool   `json:"paused"`
}

// ResetStreams has an application begin anew.
type ResetStreams struct {
	Application string `json:"application"`
	// To is "beginning": where the topics begin that it reads. It is the default.
	To     string `json:"to,omitempty"`
	DryRun bool   `json:"dryRun,omitempty"`
}

// StreamsReset is what a reset does.
type StreamsReset struct {
	Application string `json:"application"`
	DryRun      bool   `json:"dryRun,omitempty"`
	// Moves of its group in the topics that it reads.
	Moves []ResetMove `json:"moves"`
	// Deleted are its internal topics: repartition topics and changelogs. Kept are topics
	// with such names that may be another application's, and were left.
	Deleted []string `json:"deleted"`
	Kept    []string `json:"kept,omitempty"`
	// Notes say what is left to do.
	Notes []string `json:"notes,omitempty"`
}

// RunningStreams are the applications that run in the instances, by name.
func RunningStreams(services []Service) []StreamsApp {
	var all []StreamsApp
	for _, s := range services {
		if s.Status == nil {
			continue
		}
		for _, status := range s.Status.Streams {
			name := s.Status.Prefix + status.Application
			i := slices.IndexFunc(all, func(a StreamsApp) bool { return a.Application == name })
			if i < 0 {
				i, all = len(all), append(all, StreamsApp{StreamsSummary: StreamsSummary{Application: name, ID: status.Application}})
			}
			all[i].Parts = append(all[i].Parts, StreamsInstance{s.Name, s.Instance, status})
		}
	}
	for i := range all {
		all[i].sum()
	}
	slices.SortFunc(all, func(a, b StreamsApp) int { return cmp.Compare(a.Application, b.Application) })
	return all
}

func (a *StreamsApp) sum() {
	slices.SortFunc(a.Parts, func(x, y StreamsInstance) int {
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Instance, y.Instance))
	})
	a.Services, a.Instances = []string{}, len(a.Parts)
	for _, p := range a.Parts {
		if !slices.Contains(a.Services, p.Service) {
			a.Services = append(a.Services, p.Service)
		}
		a.Workers, a.Tasks, a.Lag, a.Rate, a.Records = a.Workers+p.Workers, a.Tasks+len(p.Tasks), a.Lag+p.Lag, a.Rate+p.Rate, a.Records+p.Records
		a.MemoryBytes, a.DiskBytes = a.MemoryBytes+p.MemoryBytes, a.DiskBytes+p.DiskBytes
		for _, t := range p.Tasks {
			if t.State != "running" {
				a.Restoring++
			}
			a.DeadLetters += t.DeadLetters
			a.Dropped += t.DroppedRecords()
		}
		if p.Problem != "" {
			a.Problems = append(a.Problems, p.Instance+": "+p.Problem)
		}
	}
	a.State = streamsState(*a)
}

// streamsState is the one that matters most to who looks.
func streamsState(a StreamsApp) string {
	count := func(states ...string) (n int) {
		for _, p := range a.Parts {
			if slices.Contains(states, p.State) {
				n++
			}
		}
		return n
	}
	paused := 0
	for _, p := range a.Parts {
		if p.Paused {
			paused++
		}
	}
	switch {
	case len(a.Problems) > 0 || count("ERROR", "PENDING_ERROR") > 0:
		return "failed"
	case count("NOT_RUNNING", "PENDING_SHUTDOWN") == len(a.Parts):
		return "stopped"
	case paused > 0:
		return "paused"
	case count("REBALANCING") > 0:
		return "rebalancing"
	case a.Restoring > 0:
		return "restoring"
	case count("RUNNING") > 0:
		return "running"
	}
	return "starting"
}

// ListStreams makes the list of what the instances say.
func ListStreams(services []Service) StreamsList {
	list := StreamsList{Items: []StreamsSummary{}}
	for _, a := range RunningStreams(services) {
		list.Items = append(list.Items, a.StreamsSummary)
	}
	_, list.Problems = thoseWith(services, func(*admin.Status) bool { return false })
	slices.Sort(list.Problems)
	return list
}

// Node sums a node over the instances.
func (a StreamsApp) Node(name string) (sum admin.StreamsNode) {
	sum.Name = name
	for _, p := range a.Parts {
		for _, n := range p.Nodes {
			if n.Name == name {
				sum.Count, sum.Rate = sum.Count+n.Count, sum.Rate+n.Rate
			}
		}
	}
	return sum
}

// StreamsStoreTotal is a store over all instances.
type StreamsStoreTotal struct {
	Name string `json:"name"`
	// Partitions that a task has; Keys is -1 where a part is unknown.
	Partitions int   `json:"partitions"`
	Keys       int64 `json:"keys"`
	Bytes      int64 `json:"bytes"`
	// Restoring parts lack Behind changelog records. Standbys are copies.
	Restoring int   `json:"restoring"`
	Behind    int64 `json:"behind"`
	Standbys  int   `json:"standbys"`
}

// StoreTotals sums the stores over the instances, by name. Of a global store, which
// every instance has whole, it is the largest.
func (a StreamsApp) StoreTotals() []StreamsStoreTotal {
	all := map[string]*StreamsStoreTotal{}
	of := func(name string) *StreamsStoreTotal {
		if all[name] == nil {
			all[name] = &StreamsStoreTotal{Name: name}
		}
		return all[name]
	}
	for _, p := range a.Parts {
		for _, t := range p.Tasks {
			for _, s := range t.Stores {
				one := of(s.Name)
				one.Partitions, one.Bytes = one.Partitions+1, one.Bytes+s.Bytes
				if one.Keys += s.Keys; s.Keys < 0 || one.Keys < 0 {
					one.Keys = -1
				}
			}
		}
		for _, g := range p.Globals {
			one := of(g.Store)
			one.Keys, one.Bytes = max(one.Keys, g.Keys), max(one.Bytes, g.Bytes)
		}
		for _, r := range p.Restores {
			one := of(r.Store)
			switch {
			case r.Standby:
				one.Standbys++
			case !r.Done:
				one.Restoring++
				one.Behind += max(r.Lag, 0)
			}
		}
	}
	var out []StreamsStoreTotal
	for _, one := range all {
		out = append(out, *one)
	}
	slices.SortFunc(out, func(x, y StreamsStoreTotal) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// internalTopic matches what follows an application's name and a dash in the names of its
// internal topics; those of foreign-key joins have no other ending.
var internalTopic = regexp.MustCompile(`.-(changelog|repartition)$|(^|-)(subscription-registration|subscription-response|KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-\d+)-topic$`)

// IsInternalTopic says whether a topic's name is that of an internal topic of the
// application; both are full names.
func IsInternalTopic(application, topic string) bool {
	rest, ok := strings.CutPrefix(topic, application+"-")
	return ok && internalTopic.MatchString(rest)
}
