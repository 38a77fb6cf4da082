package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/internal/restapi"
	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

// ContentType of the API's answers.
const ContentType = "application/vnd.schemaregistry.v1+json"

// Version of Confluent's registry whose API this is.
const Version = "8.0.0"

// Handler is the REST API. Requests of pages of other origins are refused; who may ask is for the
// caller to decide before.
func (r *Registry) Handler() http.Handler {
	a := &api{registry: r, mux: http.NewServeMux()}
	a.routes()
	return http.NewCrossOriginProtection().Handler(a)
}

type api struct {
	registry *Registry
	mux      *http.ServeMux
}

// handler answers a body, or an error.
type handler func(*http.Request) (any, error)

// text is a body that is no JSON of its own, such as a schema.
type text string

// nothing is the answer 204.
type nothing struct{}

func (a *api) routes() {
	for pattern, h := range map[string]handler{
		"GET /{$}":                                                  a.root,
		"POST /{$}":                                                 a.root,
		"GET /v1/metadata/id":                                       a.clusterID,
		"GET /v1/metadata/version":                                  a.version,
		"GET /schemas":                                              a.schemas,
		"GET /schemas/types":                                        a.types,
		"GET /schemas/ids/{id}":                                     a.byID,
		"GET /schemas/ids/{id}/schema":                              a.textByID,
		"GET /schemas/ids/{id}/subjects":                            a.subjectsByID,
		"GET /schemas/ids/{id}/versions":                            a.versionsByID,
		"GET /schemas/guids/{guid}":                                 a.byGUID,
		"GET /schemas/guids/{guid}/ids":                             a.idsByGUID,
		"GET /subjects":                                             a.subjects,
		"POST /subjects/{subject}":                                  a.lookup,
		"DELETE /subjects/{subject}":                                a.deleteSubject,
		"GET /subjects/{subject}/versions":                          a.versions,
		"POST /subjects/{subject}/versions":                         a.register,
		"GET /subjects/{subject}/versions/{version}":                a.byVersion,
		"DELETE /subjects/{subject}/versions/{version}":             a.deleteVersion,
		"GET /subjects/{subject}/versions/{version}/schema":         a.textByVersion,
		"GET /subjects/{subject}/versions/{version}/referencedby":   a.referencedBy,
		"POST /compatibility/subjects/{subject}/versions":           a.compatible,
		"POST /compatibility/subjects/{subject}/versions/{version}": a.compatible,
		"GET /config":                                               a.config,
		"PUT /config":                                               a.setConfig,
		"DELETE /config":                                            a.deleteConfig,
		"GET /config/{subject}":                                     a.config,
		"PUT /config/{subject}":                                     a.setConfig,
		"DELETE /config/{subject}":                                  a.deleteConfig,
		"GET /mode":                                                 a.mode,
		"PUT /mode":                                                 a.setMode,
		"DELETE /mode":                                              a.deleteMode,
		"GET /mode/{subject}":                                       a.mode,
		"PUT /mode/{subject}":                                       a.setMode,
		"DELETE /mode/{subject}":                                    a.deleteMode,
		"GET /contexts":                                             a.contexts,
		"DELETE /contexts/{context}":                                a.deleteContext,
	} {
		a.mux.Handle(pattern, a.wrap(h))
	}
}

// ServeHTTP takes a slash at the end of a path as if it were not there, and a path that begins with
// /contexts/.name as the same path in that context.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, err := within(r)
	if err != nil {
		refuse(w, err)
		return
	}
	if status, body, refused := restapi.Refusal(a.mux, a.registry.cfg.Local, r); refused {
		answer(w, status, body)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, a.registry.cfg.Limits.Request)
	a.mux.ServeHTTP(w, r)
}

func (a *api) wrap(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := h(r)
		if err != nil {
			if status := refuse(w, err); status >= http.StatusInternalServerError {
				a.registry.cfg.Logger.Warn("schema registry: a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
			}
			return
		}
		answer(w, http.StatusOK, body)
	})
}

func refuse(w http.ResponseWriter, err error) int {
	var refused *core.Error
	if !errors.As(err, &refused) {
		refused = &core.Error{Code: http.StatusInternalServerError, Message: err.Error()}
	}
	answer(w, refused.Status(), restapi.Error{Code: refused.Code, Message: refused.Message})
	return refused.Status()
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", ContentType)
	switch b := body.(type) {
	case nothing:
		w.WriteHeader(http.StatusNoContent)
	case text:
		w.WriteHeader(status)
		_, _ = io.WriteString(w, string(b))
	default:
		w.WriteHeader(status)
		restapi.WriteJSON(w, body)
	}
}

// read reads the JSON of a request.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("there is something behind the end of the JSON")
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &core.Error{Code: core.SchemaTooLarge, Message: fmt.Sprintf("The request is too large: it has more than %d bytes", large.Limit)}
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the request has no body")
	}
	return &core.Error{Code: http.StatusBadRequest, Message: "The request is not the JSON that it should be: " + err.Error()}
}

// flag is a query parameter that is true or not.
func flag(r *http.Request, name string) bool {
	return strings.EqualFold(r.URL.Query().Get(name), "true")
}

// number is a query parameter; otherwise where there is none.
func number(r *http.Request, name string, otherwise int) (int, error) {
	given := r.URL.Query().Get(name)
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(given, 10, 32)
	if err != nil {
		return 0, &core.Error{Code: http.StatusBadRequest, Message: fmt.Sprintf("%s=%s is no number", name, given)}
	}
	return int(n), nil
}

// page cuts ?offset= and ?limit= out of a list, which is never null.
func page[V any](r *http.Request, all []V, most int) (any, error) {
	offset, err := number(r, "offset", 0)
	if err != nil {
		return nil, err
	}
	limit, err := number(r, "limit", most)
	if err != nil {
		return nil, err
	}
	if limit <= 0 || limit > most {
		limit = most
	}
	all = all[min(max(offset, 0), len(all)):]
	return append([]V{}, all[:min(limit, len(all))]...), nil
}
