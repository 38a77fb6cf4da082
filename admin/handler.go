package admin

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/inbox"
)

// HandlerConfig says who may use a Handler.
type HandlerConfig struct {
	// Token must come with every request, as "Authorization: Bearer …". Where it
	// is empty, requests over loopback need none, and all others are refused.
	Token string
	// Hosts are names under which the service may be called, beside "localhost"
	// and IP addresses: a name that is not ours in the Host header is that of a
	// page in somebody's browser.
	Hosts []string
	// Logger gets a line per act; slog.Default() where nil.
	Logger *slog.Logger
}

// Bounds of requests and answers.
const (
	maxBody        = 64 << 10
	maxAnswer      = 16 << 20
	requestTimeout = 10 * time.Second
	// rebuildTimeout is for a step of a rebuild: a swap tries for 30 s.
	rebuildTimeout = 35 * time.Second
)

// Handler is api over HTTP, for a Client; Streams too where api has them. It is mounted without the prefix:
//
//	mux.Handle("/admin/", http.StripPrefix("/admin", admin.Handler(local, config)))
//
// Errors are problem JSON (RFC 9457).
func Handler(api API, c HandlerConfig) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	h := handler{api: api, log: c.Logger}
	h.apps, _ = api.(Streams)
	mux := http.NewServeMux()
	patterns := map[string]func(*http.Request) (any, error){
		"GET /status":                         h.status,
		"GET /outbox/rows":                    h.rows,
		"POST /outbox/replay":                 h.replay,
		"POST /outbox/relay":                  h.relay,
		"GET /consumers/{consumer}/positions": h.positions,
		"GET /consumers/{consumer}/marks":     h.marks,
		"GET /consumers/{consumer}/waiting":   h.waiting,
		"POST /consumers/{consumer}/replay":   h.startReplay,
		"POST /consumers/{consumer}/release":  h.release,
		"GET /entity-types":                   h.entityTypes,
		"GET /entities":                       h.entities,
		"GET /entities/{id}":                  h.entity,
		"GET /entities/{id}/events":           h.events,
		"GET /entities/{id}/states":           h.states,
		"GET /projections":                    h.projections,
		"POST /projections/{name}/pause":      h.pauseProjection,
		"POST /projections/{name}/reset":      h.resetProjection,
		"GET /saga-counts":                    h.sagaCounts,
		"GET /sagas":                          h.sagas,
		"GET /saga":                           h.saga,
		"POST /saga":                          h.actOnSaga,
		"GET /streams/{application}":          h.streamsTopology,
		"GET /streams/{application}/entries":  h.queryStore,
		"POST /streams/{application}/pause":   h.pauseStreams,
	}
	for pattern, fn := range patterns {
		mux.HandleFunc(pattern, answering(requestTimeout, fn))
	}
	mux.HandleFunc("POST /projections/{name}/rebuild", answering(rebuildTimeout, h.rebuildProjection))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, fmt.Errorf("%w: there is nothing at %s %q", ErrNotFound, r.Method, r.URL.Path))
	})
	return newGuard(c).protect(mux)
}

type handler struct {
	api  API
	apps Streams // nil where api has none
	log  *slog.Logger
}

func (h handler) status(r *http.Request) (any, error) { return h.api.Status(r.Context()) }

func (h handler) rows(r *http.Request) (any, error) {
	q, err := readRowQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return h.api.Rows(r.Context(), q)
}

func (h handler) positions(r *http.Request) (any, error) {
	all, err := h.api.Positions(r.Context(), r.PathValue("consumer"))
	return append([]inbox.Position{}, all...), err
}

func (h handler) marks(r *http.Request) (any, error) {
	ids, err := readMarkQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	all, err := h.api.Marks(r.Context(), r.PathValue("consumer"), ids...)
	return append([]inbox.StoredMark{}, all...), err
}

func (h handler) waiting(r *http.Request) (any, error) {
	q, err := readWaitingQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	q.Consumer = r.PathValue("consumer")
	return h.api.Waiting(r.Context(), q)
}

// Bodies of the acts.
type (
	replayBody struct {
		IDs []int64 `json:"ids,omitempty"`
		// All must be said: a list that is empty by mistake replays nothing.
		All bool `json:"all,omitempty"`
	}
	relayBody struct {
		Paused bool   `json:"paused"`
		Reason string `json:"reason,omitempty"`
	}
	releaseBody struct {
		Topic string `json:"topic"`
		Key   string `json:"key"`
	}
	count struct {
		Count int64 `json:"count"`
	}
)

func (h handler) replay(r *http.Request) (any, error) {
	body, err := read[replayBody](r)
	if err != nil {
		return nil, err
	}
	if body.All == (len(body.IDs) > 0) {
		return nil, fmt.Errorf("%w: either ids or all of them", ErrInvalid)
	}
	n, err := h.api.Replay(r.Context(), body.IDs...)
	h.did(r, "FAILED rows replayed", err, "rows", n, "all", body.All)
	return count{n}, err
}

func (h handler) relay(r *http.Request) (any, error) {
	body, err := read[relayBody](r)
	if err != nil {
		return nil, err
	}
	if body.Paused {
		err = h.api.PauseRelay(r.Context(), body.Reason)
	} else {
		err = h.api.ResumeRelay(r.Context())
	}
	h.did(r, "relay paused or resumed", err, "paused", body.Paused, "reason", body.Reason)
	return struct{}{}, err
}

func (h handler) startReplay(r *http.Request) (any, error) {
	body, err := read[ReplayRequest](r)
	if err != nil {
		return nil, err
	}
	body.Consumer = r.PathValue("consumer")
	replay, err := h.api.StartReplay(r.Context(), body)
	h.did(r, "replay begun", err, "consumer", body.Consumer, "topic", body.Topic, "partition", body.Partition, "offset", body.Offset)
	return replay, err
}

func (h handler) release(r *http.Request) (any, error) {
	body, err := read[releaseBody](r)
	if err != nil {
		return nil, err
	}
	n, err := h.api.Release(r.Context(), r.PathValue("consumer"), body.Topic, body.Key)
	h.did(r, "parked key released", err, "consumer", r.PathValue("consumer"), "topic", body.Topic, "key", body.Key, "rows", n)
	return count{n}, err
}

// did leaves a line of an act in the log.
func (h handler) did(r *http.Request, what string, err error, args ...any) {
	args = append(args, "from", r.RemoteAddr)
	if err != nil {
		h.log.Warn("admin: failed: "+what, append(args, "error", err)...)
		return
	}
	h.log.Info("admin: "+what, args...)
}
