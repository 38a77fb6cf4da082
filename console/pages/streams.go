package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

type streamsBody struct{ part[api.StreamsList] }

func (h *handler) streams(ctx context.Context, _ *http.Request) (content, error) {
	c := content{template: "streams", title: "Streams", section: "streams"}
	if h.Engines.Streams == nil {
		c.body = streamsBody{}
		return c, nil
	}
	c.body = streamsBody{ask(h.Engines.Streams.StreamsApps(ctx))}
	return c, nil
}

// applicationBody is one stream processing application.
type applicationBody struct {
	Name string
	part[api.StreamsApp]
	Graph  topologyGraph
	Stores []storeLine
	Tasks  []taskLine
}

// Paused says whether an instance is.
func (b applicationBody) Paused() bool {
	return slices.ContainsFunc(b.Value.Parts, func(p api.StreamsInstance) bool { return p.Paused })
}

// taskLine is a task and where it runs.
type taskLine struct {
	Instance string
	admin.StreamsTask
}

// storeLine is a store over all instances.
type storeLine struct {
	api.StreamsStoreTotal
	Kind     string
	Global   bool
	Restores []restoreLine
}

// restoreLine is a part of a store that is being filled.
type restoreLine struct {
	Instance string
	admin.StreamsRestore
}

// Total is what the changelog had for it, as far as known.
func (r restoreLine) Total() int64 { return r.Records + max(r.Lag, 0) }

func (h *handler) application(ctx context.Context, r *http.Request) (content, error) {
	b := applicationBody{Name: r.PathValue("application")}
	c := content{template: "application", title: b.Name, section: "streams"}
	if h.Engines.Streams == nil {
		return c, errorf(api.ErrNotFound, "there is no application %s", b.Name)
	}
	app, err := h.Engines.Streams.StreamsApp(ctx, b.Name)
	b.part = ask(app, err)
	if err == nil {
		b.Graph, b.Stores, b.Tasks = topologyOf(app), storesOf(app), tasksOf(app)
	}
	c.body = b
	return c, onlyFatal(err)
}

func tasksOf(a api.StreamsApp) (lines []taskLine) {
	for _, p := range a.Parts {
		for _, t := range p.Tasks {
			lines = append(lines, taskLine{p.Instance, t})
		}
	}
	slices.SortStableFunc(lines, func(x, y taskLine) int { return strings.Compare(x.Task, y.Task) })
	return lines
}

// storesOf joins what the topology has with what the instances say.
func storesOf(a api.StreamsApp) (lines []storeLine) {
	totals := a.StoreTotals()
	find := func(name string) *storeLine {
		i := slices.IndexFunc(lines, func(l storeLine) bool { return l.Name == name })
		if i < 0 {
			i, lines = len(lines), append(lines, storeLine{StreamsStoreTotal: api.StreamsStoreTotal{Name: name, Keys: -1}})
		}
		return &lines[i]
	}
	if a.Topology != nil {
		for _, s := range a.Topology.Graph.Stores {
			l := find(s.Name)
			l.Kind, l.Global = s.Kind, s.Global
		}
	}
	for _, t := range totals {
		find(t.Name).StreamsStoreTotal = t
	}
	for _, p := range a.Parts {
		for _, r := range p.Restores {
			if !r.Standby && !r.Done || r.Problem != "" {
				l := find(r.Store)
				l.Restores = append(l.Restores, restoreLine{p.Instance, r})
			}
		}
	}
	slices.SortFunc(lines, func(x, y storeLine) int { return strings.Compare(x.Name, y.Name) })
	return lines
}

// storeBody reads a store.
type storeBody struct {
	Application, Store string
	Query              admin.StoreQuery
	Key                string
	Asked              bool
	part[admin.StorePage]
}

// storePage is how many entries a page shows.
const storePage = 50

func (h *handler) store(ctx context.Context, r *http.Request) (content, error) {
	b := storeBody{Application: r.PathValue("application"), Store: r.PathValue("store"), Key: r.URL.Query().Get("key")}
	c := content{template: "store", title: b.Store, section: "streams", body: b}
	if h.Engines.Streams == nil {
		return c, errorf(api.ErrNotFound, "there is no application %s", b.Application)
	}
	b.Query = admin.StoreQuery{Application: b.Application, Store: b.Store, Prefix: r.URL.Query().Get("prefix"), TimeFrom: param(r, "since"), TimeTo: param(r, "until"),
		Stale: param(r, "stale") == "true", Cursor: param(r, "cursor"), Limit: storePage}
	if b.Key != "" {
		b.Query.Key, b.Query.Prefix = &b.Key, ""
	}
	if b.Asked = r.URL.RawQuery != ""; !b.Asked { // nothing is read that nobody asked for
		_, err := h.Engines.Streams.StreamsApp(ctx, b.Application)
		b.Problem = problemOf(err)
		c.body = b
		return c, onlyFatal(err)
	}
	page, err := h.Engines.Streams.QueryStore(ctx, api.StoreQuery{StoreQuery: b.Query})
	b.part = ask(page, err)
	c.body = b
	return c, nil
}

// Entries for the table.
func (b storeBody) Entries() (lines []entryLine) {
	for _, e := range b.Value.Entries {
		l := entryLine{Key: plainJSON(e.Key), Error: e.Error, Value: api.Data{Format: "json", Text: prettyJSON(e.Value), Size: len(e.Value)}}
		if e.Timestamp != 0 {
			l.At = time.UnixMilli(e.Timestamp).UTC()
		}
		if e.WindowStart != nil && e.WindowEnd != nil {
			l.From, l.To = time.UnixMilli(*e.WindowStart).UTC(), time.UnixMilli(*e.WindowEnd).UTC()
		}
		lines = append(lines, l)
	}
	return lines
}

// Windowed says whether entries have windows.
func (b storeBody) Windowed() bool {
	return slices.ContainsFunc(b.Value.Entries, func(e admin.StoreEntry) bool { return e.WindowEnd != nil })
}

// entryLine is an entry as it is shown.
type entryLine struct {
	Key          string
	Value        api.Data
	Error        string
	At, From, To time.Time
}

// plainJSON is a text without its quotes, and any other value as it is.
func plainJSON(value json.RawMessage) string {
	var plain string
	if json.Unmarshal(value, &plain) == nil {
		return plain
	}
	return string(value)
}

func prettyJSON(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, value, "", "  ") != nil {
		return string(value)
	}
	return b.String()
}
