package streams

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Handler answers queries of the App's stores over HTTP, reading only:
//
//	GET /stores                            the stores, and where their partitions are
//	GET /stores/{store}/keys/{key}         a value; of a window or session store those of a key
//	GET /stores/{store}/entries            many: from, to, prefix, reverse, limit, cursor
//	GET /stores/{store}/partitions/{n}/…   bytes, for other instances
//
// Keys are text, digits or JSON. Windows and sessions are bounded by timeFrom and timeTo (ms
// since 1970, or RFC 3339). stale=<records> reads copies that lack at most so many, stale=-1
// any. What is on another instance is asked there, at its Config.Endpoint, unless opts
// leave out Routed: then the answer is a problem that names it. Failures are
// application/problem+json.
//
// Whoever mounts it says who may ask: it checks no identity. Under a path, wrap it in
// http.StripPrefix, and make the path part of Config.Endpoint. Other instances must be let in
// with what their Routed option sends.
func (a *App) Handler(opts ...QueryOption) http.Handler {
	if len(opts) == 0 {
		opts = []QueryOption{Routed(nil)}
	}
	return newHandler(a.queries(), a.cfg.Logger, opts)
}

func newHandler(app querySource, log *slog.Logger, opts []QueryOption) http.Handler {
	h := &handler{app: app, log: log, opts: opts}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stores", h.answer(h.stores))
	mux.HandleFunc("GET /stores/{store}", h.answer(h.storeInfo))
	mux.HandleFunc("GET /stores/{store}/keys/{key}", h.answer(h.key))
	mux.HandleFunc("GET /stores/{store}/entries", h.answer(h.entries))
	mux.HandleFunc("GET /stores/{store}/partitions/{partition}/get", h.answer(h.rawGet))
	mux.HandleFunc("GET /stores/{store}/partitions/{partition}/scan", h.answer(h.rawScan))
	mux.HandleFunc("/", h.answer(func(http.ResponseWriter, *http.Request) error {
		return fmt.Errorf("%w: there is GET /stores and what is below it", errNotFound)
	}))
	return mux
}

type handler struct {
	app  querySource
	log  *slog.Logger
	opts []QueryOption
}

// answer turns errors into problems.
func (h *handler) answer(do func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(w, r); err != nil {
			writeProblem(w, h.log, r, err)
		}
	}
}

// StoreInfo describes a store for people.
type StoreInfo struct {
	Name string `json:"name"`
	// Kind is key-value, window, session or versioned.
	Kind   string  `json:"kind"`
	Global bool    `json:"global,omitempty"`
	Places []Place `json:"partitions"`
}

func (h *handler) stores(w http.ResponseWriter, _ *http.Request) error {
	out := []StoreInfo{}
	add := func(s *plan.Store) error {
		info, err := h.info(s.Name)
		out = append(out, info)
		return err
	}
	for _, sub := range h.app.plan().Subs {
		for _, s := range sub.Stores {
			if err := add(s); err != nil {
				return err
			}
		}
	}
	for _, g := range h.app.plan().Globals {
		if err := add(g.Store); err != nil {
			return err
		}
	}
	return writeJSON(w, struct {
		Stores []StoreInfo `json:"stores"`
	}{out})
}

func (h *handler) storeInfo(w http.ResponseWriter, r *http.Request) error {
	info, err := h.info(r.PathValue("store"))
	if err != nil {
		return err
	}
	return writeJSON(w, info)
}

func (h *handler) info(name string) (StoreInfo, error) {
	q, err := newQuery(h.app, name, nil)
	if err != nil {
		return StoreInfo{}, err
	}
	return StoreInfo{Name: name, Kind: q.store.Kind, Global: q.store.Global, Places: q.places()}, nil
}

// Entry of a store for people.
type Entry struct {
	Key   any `json:"key"`
	Value any `json:"value"`
	// Timestamp of the value, WindowStart and WindowEnd of a window or session, in ms since
	// 1970; none is left out.
	Timestamp   int64  `json:"timestamp,omitempty"`
	WindowStart *int64 `json:"windowStart,omitempty"`
	WindowEnd   *int64 `json:"windowEnd,omitempty"`
	// Error is why the bytes could not be shown.
	Error string `json:"error,omitempty"`
}

func entryOf(e plan.RenderedEntry, err error) Entry {
	out := Entry{Key: e.Key, Value: e.Value, Timestamp: e.Timestamp}
	if e.WindowEnd != 0 {
		out.WindowStart, out.WindowEnd = &e.WindowStart, &e.WindowEnd
	}
	if err == nil {
		_, err = json.Marshal(e.Value)
	}
	if err != nil {
		out.Value, out.Error = nil, err.Error()
	}
	return out
}

// query of the request's store.
func (h *handler) query(r *http.Request) (*query, error) {
	opts := h.opts
	if s := r.URL.Query().Get("stale"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: stale is %q, expected a number of records, or -1", errInvalid, s)
		}
		opts = append(opts[:len(opts):len(opts)], AllowStale(n))
	}
	return newQuery(h.app, r.PathValue("store"), opts)
}

// key answers with the value, or with the windows of a key.
func (h *handler) key(w http.ResponseWriter, r *http.Request) error {
	q, err := h.query(r)
	if err != nil {
		return err
	}
	sel, err := selection(q, r)
	if err != nil {
		return err
	}
	if sel.Key, err = q.store.EncodeKey(r.PathValue("key")); err != nil {
		return fmt.Errorf("%w: %w", errInvalid, err)
	}
	p, err := q.partitionOf(sel.Key)
	if err != nil {
		return err
	}
	if q.store.Kind != "key-value" {
		return h.page(w, r, q, sel, []int32{p})
	}
	var found *Entry
	err = q.get(r.Context(), p, func(reader local.Reader) error {
		found = nil
		c := &cursorReader{Reader: reader}
		for e, err := range q.store.Read(c, sel) {
			entry := entryOf(e, err)
			found = &entry
			break
		}
		return c.failed
	})
	if err != nil {
		return err
	}
	if found == nil {
		return fmt.Errorf("%w: store %s has no key %q", errNotFound, q.store.Name, r.PathValue("key"))
	}
	return writeJSON(w, found)
}

func (h *handler) entries(w http.ResponseWriter, r *http.Request) error {
	q, err := h.query(r)
	if err != nil {
		return err
	}
	sel, err := selection(q, r)
	if err != nil {
		return err
	}
	ps, err := q.all()
	if err != nil {
		return err
	}
	return h.page(w, r, q, sel, ps)
}

// selection reads the bounds of a request.
func selection(q *query, r *http.Request) (sel plan.Query, err error) {
	v := r.URL.Query()
	var failed []error
	for name, to := range map[string]*[]byte{"from": &sel.From, "to": &sel.To} {
		if !v.Has(name) {
			continue
		}
		if *to, err = q.store.EncodeKey(v.Get(name)); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
	}
	if v.Has("prefix") {
		sel.Prefix = []byte(v.Get("prefix"))
	}
	for name, to := range map[string]*int64{"timeFrom": &sel.TimeFrom, "timeTo": &sel.TimeTo} {
		if *to, err = parseTime(v.Get(name)); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
	}
	if sel.Reverse, err = strconv.ParseBool(v.Get("reverse")); err != nil && v.Has("reverse") {
		failed = append(failed, fmt.Errorf("reverse is %q, expected true or false", v.Get("reverse")))
	}
	if len(failed) > 0 {
		return sel, fmt.Errorf("%w: %w", errInvalid, errors.Join(failed...))
	}
	return sel, nil
}

func parseTime(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return n, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, fmt.Errorf("%q is neither ms since 1970 nor a time such as 2026-01-31T12:00:00Z", s)
	}
	return t.UnixMilli(), nil
}
