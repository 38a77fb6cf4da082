package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/streams"
)

// StreamsApp is what a Local needs of a *streams.App.
type StreamsApp interface {
	Stats() streams.Stats
	Topology() *streams.Topology
	// Handler answers queries; see LocalConfig.Streams.
	Handler(opts ...streams.QueryOption) http.Handler
	Pause()
	Resume()
}

var (
	_ StreamsApp = (*streams.App)(nil)
	_ Streams    = (*Local)(nil)
)

// statsFor is how long figures are good: rates are those of at least so long.
const statsFor = time.Second

// localStreams is an application of this process.
type localStreams struct {
	StreamsApp
	id      string
	now     func() time.Time
	queries http.Handler
	sources map[string]bool // names of nodes

	mu   sync.Mutex
	at   time.Time
	last StreamsStatus
}

func newLocalStreams(app StreamsApp, now func() time.Time) *localStreams {
	l := &localStreams{StreamsApp: app, id: app.Stats().ApplicationID, now: now, queries: app.Handler(), sources: map[string]bool{}}
	for _, n := range app.Topology().Graph().Nodes {
		l.sources[n.Name] = n.Kind == "Source" && !n.Global
	}
	return l
}

// status is that of the last second, or a new one.
func (l *localStreams) status() StreamsStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age := l.now().Sub(l.at); l.at.IsZero() || age < 0 || age >= statsFor {
		l.last, l.at = streamsStatus(l.Stats(), l.sources), l.now()
	}
	return l.last
}

// streamsStatuses asks the applications at the same time: each may keep one waiting.
func (l *Local) streamsStatuses() []StreamsStatus {
	all := make([]StreamsStatus, len(l.streams))
	var asking sync.WaitGroup
	for i, app := range l.streams {
		asking.Go(func() { all[i] = app.status() })
	}
	asking.Wait()
	slices.SortFunc(all, func(a, b StreamsStatus) int { return cmp.Compare(a.Application, b.Application) })
	return all
}

func streamsStatus(s streams.Stats, sources map[string]bool) StreamsStatus {
	out := StreamsStatus{
		Application: s.ApplicationID, State: string(s.State), Problem: s.Error[:min(len(s.Error), maxProblem)], Paused: s.Paused, Workers: s.Workers,
		Records: s.Records, Commits: s.Commits, Aborts: s.Aborts, CommitMs: s.CommitMs, LongestCommitMs: s.LongestCommitMs,
		MemoryBytes: s.MemoryBytes, MemoryLimit: s.MemoryLimit, DiskBytes: s.DiskBytes, Tasks: []StreamsTask{}, Nodes: []StreamsNode{},
	}
	nodes := map[string]StreamsNode{}
	for _, t := range s.Tasks {
		task := StreamsTask{Task: t.Task, Worker: t.Worker, State: t.State, Lag: t.Lag, Processed: t.Processed, Produced: t.Produced,
			Skipped: t.Skipped, DeadLetters: t.Dead, Inputs: []StreamsInput{}, Stores: []StreamsStore{}}
		if t.Stream != nil {
			task.StreamTime = *t.Stream
		}
		for _, d := range t.Dropped {
			task.Dropped = append(task.Dropped, StreamsDrop{d.Node, d.Reason, d.Count})
		}
		for _, in := range t.Inputs {
			task.Inputs = append(task.Inputs, StreamsInput{in.Topic, in.Partition, in.Position, in.End, in.Queued})
		}
		for _, st := range t.Stores {
			task.Stores = append(task.Stores, StreamsStore{st.Name, st.Keys, st.Bytes})
		}
		for _, n := range t.Nodes {
			sum := nodes[n.Name]
			nodes[n.Name] = StreamsNode{n.Name, sum.Count + n.Count, sum.Rate + n.Rate}
			if sources[n.Name] {
				out.Rate += n.Rate
			}
		}
		out.Lag += t.Lag
		out.Tasks = append(out.Tasks, task)
	}
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		out.Nodes = append(out.Nodes, nodes[name])
	}
	for _, g := range s.Globals {
		out.Globals = append(out.Globals, StreamsGlobal{g.Store, g.Topic, g.Keys, g.Bytes})
	}
	for _, r := range s.Restores {
		out.Restores = append(out.Restores, StreamsRestore{r.Task, r.Store, r.Topic, r.Standby, r.Records, r.Lag, r.Done, r.Problem})
	}
	return out
}

// StreamsTopology implements Streams.
func (l *Local) StreamsTopology(ctx context.Context, application string) (StreamsTopology, error) {
	app, err := l.streamsApp(application)
	if err != nil {
		return StreamsTopology{}, err
	}
	t := StreamsTopology{Application: application, Description: app.Topology().Describe(), Graph: app.Topology().Graph()}
	var all struct {
		Stores []streams.StoreInfo `json:"stores"`
	}
	err = app.ask(ctx, "/stores", nil, &all)
	t.Stores = append([]streams.StoreInfo{}, all.Stores...)
	return t, err
}

// QueryStore implements Streams.
func (l *Local) QueryStore(ctx context.Context, q StoreQuery) (StorePage, error) {
	page := StorePage{Entries: []StoreEntry{}}
	if err := q.check(); err != nil {
		return page, err
	}
	app, err := l.streamsApp(q.Application)
	if err != nil {
		return page, err
	}
	at := "/stores/" + url.PathEscape(q.Store) + "/entries"
	if q.Key == nil {
		return page, app.ask(ctx, at, q.parameters(), &page)
	}
	at = "/stores/" + url.PathEscape(q.Store) + "/keys/" + keySegment(*q.Key)
	var found struct { // an entry, or the windows of a key
		StoreEntry
		StorePage
	}
	if err := app.ask(ctx, at, q.parameters(), &found); err != nil {
		return page, err
	}
	if page = found.StorePage; page.Entries == nil {
		page.Entries = []StoreEntry{found.StoreEntry}
	}
	return page, nil
}

// keySegment is a key within a path; dots alone would be taken for a way up.
func keySegment(key string) string {
	if strings.Trim(key, ".") == "" {
		return strings.ReplaceAll(key, ".", "%2E")
	}
	return url.PathEscape(key)
}

// parameters as streams.App.Handler takes them.
func (q StoreQuery) parameters() url.Values {
	v := writeStoreQuery(q)
	for _, name := range []string{"store", "key", "stale"} {
		v.Del(name)
	}
	if q.Stale {
		v.Set("stale", "-1")
	}
	return v
}

// PauseStreams implements Streams.
func (l *Local) PauseStreams(_ context.Context, application string) error {
	app, err := l.streamsApp(application)
	if err == nil {
		app.Pause()
		app.forget()
	}
	return err
}

// ResumeStreams implements Streams.
func (l *Local) ResumeStreams(_ context.Context, application string) error {
	app, err := l.streamsApp(application)
	if err == nil {
		app.Resume()
		app.forget()
	}
	return err
}

// forget has the next status show what was done.
func (l *localStreams) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = time.Time{}
}

func (l *Local) streamsApp(id string) (*localStreams, error) {
	for _, app := range l.streams {
		if app.id == id {
			return app, nil
		}
	}
	return nil, fmt.Errorf("%w: instance %s of %s runs no application %q", ErrNotFound, l.cfg.Instance, l.cfg.Name, id)
}

// ask asks the handler of the application, in this process.
func (l *localStreams) ask(ctx context.Context, path string, v url.Values, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path+"?"+v.Encode(), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	w := &answered{header: http.Header{}, status: http.StatusOK}
	l.queries.ServeHTTP(w, r)
	if w.status == http.StatusOK {
		return json.Unmarshal(w.body.Bytes(), answer)
	}
	var p problem
	if json.Unmarshal(w.body.Bytes(), &p) != nil || p.Detail == "" {
		p.Detail = "status " + strconv.Itoa(w.status)
	}
	switch w.status {
	case http.StatusBadRequest:
		return fmt.Errorf("%w: %s", ErrInvalid, p.Detail)
	case http.StatusNotFound:
		return fmt.Errorf("%w: %s", ErrNotFound, p.Detail)
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, p.Detail)
}

// answered keeps an answer in memory; those of queries are bounded.
type answered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(p []byte) (int, error) { return a.body.Write(p) }
