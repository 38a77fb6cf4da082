// Package guard stands before REST APIs that have no authentication of their own: it asks for users
// of the console, holds them to their roles and writes down what they change.
package guard

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
)

// Access says who may use an API that others than this machine reach. All are required, but for
// TLS where a proxy in front has it.
type Access struct {
	Users *auth.Users
	TLS   *tls.Config
	// Audit is told of everything that is not only read, before it is done.
	Audit api.Audit
}

// Needed is the role that a request asks for.
type Needed func(*http.Request) api.Role

// Guard asks for a user before each request. All fields are required.
type Guard struct {
	*Access
	Next http.Handler
	// Needed: what a viewer may do changes nothing.
	Needed Needed
	// Act is what the audit log calls it, before the method.
	Act    string
	Logger *slog.Logger
}

const (
	// maxBody is that of the APIs themselves.
	maxBody = 4 << 20
	// recordTime bounds the writing of an audit entry.
	recordTime = 5 * time.Second
	// maxDetail bounds an entry's detail, in bytes.
	maxDetail = 4096
)

// ServeHTTP implements http.Handler.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, err := g.user(r)
	needed := g.Needed(r)
	if err == nil && !user.Role.Includes(needed) {
		err = fmt.Errorf("%w: %s is %s; %s %s needs the role %s", api.ErrForbidden, user.Name, user.Role, r.Method, r.URL.Path, needed)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	if needed == api.Viewer {
		g.Next.ServeHTTP(w, r)
		return
	}
	g.recorded(w, r, user)
}

// user of a bearer token, or of HTTP's basic authentication with a password or a token.
func (g *Guard) user(r *http.Request) (api.User, error) {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return g.Users.Token(strings.TrimSpace(token), from)
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return api.User{}, fmt.Errorf("%w: give a token (Authorization: Bearer …), or user and password", api.ErrUnauthenticated)
	}
	if user, err := g.Users.Token(password, from); err == nil {
		return user, nil
	}
	return g.Users.Password(r.Context(), name, password, from)
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusForbidden
	switch {
	case errors.Is(err, api.ErrUnauthenticated):
		status = http.StatusUnauthorized
		w.Header().Add("WWW-Authenticate", `Basic realm="pabal"`)
		w.Header().Add("WWW-Authenticate", "Bearer")
	case errors.Is(err, api.ErrBusy):
		status = http.StatusTooManyRequests
	case errors.Is(err, api.ErrUnavailable):
		status = http.StatusServiceUnavailable
	case errors.Is(err, api.ErrInvalid):
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error_code": status, "message": err.Error()}) // who asked is gone
}

// recorded does what is asked with an audit entry before it, without which it is refused, and
// one with its outcome after it.
func (g *Guard) recorded(w http.ResponseWriter, r *http.Request, user api.User) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, fmt.Errorf("%w: the request's body: %w", api.ErrInvalid, err))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	entry := api.AuditEntry{
		At: time.Now(), User: user.Name, Role: user.Role, From: user.From,
		Act: g.Act + " " + r.Method, Target: r.URL.Path, Detail: settingNames(body), Outcome: "begun",
	}
	if err := g.record(r.Context(), entry); err != nil {
		refuse(w, fmt.Errorf("%w: nothing was done, because the audit log cannot be written: %w", api.ErrUnavailable, err))
		return
	}
	answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	g.Next.ServeHTTP(answer, r)
	entry.At, entry.Outcome = time.Now(), "done"
	if answer.status >= http.StatusBadRequest {
		entry.Outcome = fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status))
	}
	if err := g.record(r.Context(), entry); err != nil {
		g.Logger.Error("audit log: the outcome of an act is not in it", "act", entry.Act, "target", entry.Target, "user", user.Name, "outcome", entry.Outcome, "error", err)
	}
}

func (g *Guard) record(ctx context.Context, e api.AuditEntry) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return g.Audit.Record(ctx, e)
}

// settingNames are what a configuration sets, without the values: they may be secrets.
func settingNames(body []byte) string {
	fields := map[string]json.RawMessage{}
	if len(body) == 0 {
		return ""
	}
	if json.Unmarshal(body, &fields) != nil {
		return fmt.Sprintf("(%d bytes)", len(body))
	}
	inner := map[string]json.RawMessage{}
	if json.Unmarshal(fields["config"], &inner) == nil {
		for name := range inner {
			fields["config."+name] = nil
		}
		delete(fields, "config")
	}
	text := strings.Join(slices.Sorted(maps.Keys(fields)), " ")
	if len(text) > maxDetail {
		text = fmt.Sprintf("(%d settings)", len(fields))
	}
	return text
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
