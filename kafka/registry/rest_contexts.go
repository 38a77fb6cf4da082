package registry

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

type contextKey struct{}

// Resource is the path of a request to Handler in parts, without its context: what Handler goes by, for
// those who decide who may ask.
func Resource(r *http.Request) []string {
	_, path, _ := cutContext(r)
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[i] = plain
		}
	}
	return parts
}

// cutContext cuts a path, as it was sent, into the name of a context, "" for the default one, and the
// path within that. Below is false where the context itself is meant.
func cutContext(r *http.Request) (name, path string, below bool) {
	path = strings.TrimRight(r.URL.EscapedPath(), "/")
	rest, ok := strings.CutPrefix(path, "/contexts/")
	if !ok {
		return "", path, true
	}
	name, rest, below = strings.Cut(rest, "/")
	return name, "/" + rest, below
}

// within takes the context of a path out of it.
func within(r *http.Request) (*http.Request, error) {
	name, path, below := cutContext(r)
	name, err := url.PathUnescape(name)
	if err != nil {
		return r, &core.Error{Code: http.StatusBadRequest, Message: err.Error()}
	}
	context, err := contextName(name)
	if err != nil {
		return r, err
	}
	if !below && r.Method == http.MethodDelete {
		return r, nil
	}
	if path == "" {
		path = "/"
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return r, &core.Error{Code: http.StatusBadRequest, Message: err.Error()}
	}
	out := r.Clone(contextWith(r, context))
	out.URL.Path, out.URL.RawPath = plain, path
	return out, nil
}

func contextWith(r *http.Request, name string) context.Context {
	return context.WithValue(r.Context(), contextKey{}, name)
}

// contextName takes "name", ".name" and ":.name:".
func contextName(given string) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(given, ":"), ":")
	if strings.Contains(name, ":") {
		return "", &core.Error{Code: http.StatusBadRequest, Message: "Context name '" + given + "' cannot contain a colon"}
	}
	if !strings.HasPrefix(name, ".") {
		name = "." + name
	}
	return name, nil
}

// qualified is a subject of a request in the context of its path; empty stands for the context.
func qualified(r *http.Request, subject string) string {
	context, _ := r.Context().Value(contextKey{}).(string)
	if context == "" || context == core.DefaultContext || strings.HasPrefix(subject, ":.") || strings.HasPrefix(subject, core.AnyContext) {
		return core.Normalize(subject)
	}
	return core.Join(context, subject)
}

// subject of a path, or the one it is an alias of.
func (a *api) subject(r *http.Request) string {
	subject := qualified(r, r.PathValue("subject"))
	_ = a.registry.look(func(s *core.State) error {
		subject = s.Alias(subject)
		return nil
	})
	return subject
}
