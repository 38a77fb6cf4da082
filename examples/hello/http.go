package hello

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/journal"
)

// host answers for one variant. key is the Idempotency-Key; "" is none.
type host interface {
	Ask(ctx context.Context, id, key string, command Command) (Reply, error)
	Read(ctx context.Context, id string) (State, error)
}

// entityHost is that of entities, which take commands as they come.
type entityHost struct{ *Host }

func (h entityHost) Ask(ctx context.Context, id, _ string, command Command) (Reply, error) {
	return h.Host.Ask(ctx, id, command)
}

// Read does not wait for commands under way.
func (h entityHost) Read(ctx context.Context, id string) (State, error) {
	view, err := h.Host.Read(ctx, id)
	return view.State, err
}

// routes is the API of one variant:
//
//	POST   /sourced/{id}/hello {"message": "Hello"}
//	PUT    /sourced/{id}/state {"state": "ANGRY"}
//	POST   /sourced/{id}/reset
//	DELETE /sourced/{id}
//	GET    /sourced/{id}/count, /sourced/{id}/total-count, /sourced/{id}
func routes(mux *http.ServeMux, variant string, host host) {
	handle := func(pattern string, read func(*http.Request) (Command, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			command, err := read(r)
			if err != nil {
				refuse(w, http.StatusBadRequest, err.Error(), "")
				return
			}
			reply, err := host.Ask(r.Context(), r.PathValue("id"), r.Header.Get("Idempotency-Key"), command)
			respond(w, reply, err)
		})
	}
	at := "/" + variant + "/{id}"
	handle("POST "+at+"/hello", func(r *http.Request) (Command, error) {
		body, err := decode[struct{ Message string }](r)
		return Hello{body.Message}, err
	})
	handle("PUT "+at+"/state", func(r *http.Request) (Command, error) {
		body, err := decode[struct{ State Mood }](r)
		return ChangeState{body.State}, err
	})
	handle("POST "+at+"/reset", func(*http.Request) (Command, error) { return ResetCount{}, nil })
	handle("DELETE "+at, func(*http.Request) (Command, error) { return Forget{}, nil })
	handle("GET "+at+"/count", func(*http.Request) (Command, error) { return GetCount{}, nil })
	handle("GET "+at+"/total-count", func(*http.Request) (Command, error) { return GetTotalCount{}, nil })
	mux.HandleFunc("GET "+at, func(w http.ResponseWriter, r *http.Request) {
		state, err := host.Read(r.Context(), r.PathValue("id"))
		respond(w, state, err)
	})
}

const maxBody = 64 << 10

// decode refuses fields that it does not know: a misspelt one would be lost.
func decode[T any](r *http.Request) (body T, err error) {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return body, errors.New("the body is not what is wanted: " + err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return body, errors.New("the body goes on behind the JSON value")
	}
	return body, nil
}

func respond(w http.ResponseWriter, body any, err error) {
	var refusal *entity.Refusal
	switch {
	case err == nil:
		write(w, http.StatusOK, "application/json", body)
	case errors.As(err, &refusal):
		refuse(w, http.StatusConflict, refusal.Reason, refusal.Code)
	case errors.Is(err, journal.ErrPersistenceID):
		refuse(w, http.StatusBadRequest, err.Error(), "")
	default:
		refuse(w, http.StatusServiceUnavailable, err.Error(), "")
	}
}

// refuse answers with an RFC 9457 problem.
func refuse(w http.ResponseWriter, status int, detail, code string) {
	write(w, status, "application/problem+json", struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code,omitempty"`
	}{http.StatusText(status), status, detail, code})
}

func write(w http.ResponseWriter, status int, contentType string, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who is gone needs no answer
}

// newServer serves on a listener from Start to Stop.
func newServer(listener net.Listener, handler http.Handler, log *slog.Logger) *step {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	done := make(chan struct{})
	return &step{
		func(context.Context) error {
			go func() {
				defer close(done)
				if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
					log.Error("HTTP server ended", "error", err)
				}
			}()
			return nil
		},
		func(ctx context.Context) error {
			err := server.Shutdown(ctx)
			if err != nil {
				err = errors.Join(err, server.Close())
			}
			<-done
			return err
		},
	}
}
