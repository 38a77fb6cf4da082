package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect"
)

// list is the names, or with ?expand= what is wanted of each.
func (a *api) list(r *http.Request) (int, any, error) {
	names := a.Worker.Connectors()
	expand := r.URL.Query()["expand"]
	if len(expand) == 0 {
		return http.StatusOK, names, nil
	}
	out := map[string]map[string]any{}
	for _, name := range names {
		one := map[string]any{}
		if slices.Contains(expand, "status") {
			if s, err := a.Worker.Status(name); err == nil {
				one["status"] = s
			}
		}
		if slices.Contains(expand, "info") {
			if i, err := a.Worker.Info(name); err == nil {
				one["info"] = i
			}
		}
		out[name] = one
	}
	return http.StatusOK, out, nil
}

type createRequest struct {
	Name    string `json:"name"`
	Config  texts  `json:"config"`
	Initial string `json:"initial_state"`
}

func (a *api) create(r *http.Request) (int, any, error) {
	var req createRequest
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	name := strings.TrimSpace(req.Name)
	if name == "" {
		name = strings.TrimSpace(req.Config["name"])
	}
	initial, err := initialState(req.Initial)
	if err != nil {
		return 0, nil, err
	}
	info, err := a.Worker.Create(r.Context(), name, req.Config, initial)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, located{location(name), info}, nil
}

func initialState(text string) (connect.Target, error) {
	switch t := connect.Target(strings.ToUpper(text)); t {
	case "", "RUNNING":
		return connect.Started, nil
	case connect.Paused, connect.Stopped:
		return t, nil
	}
	return "", invalid("initial_state is RUNNING, PAUSED or STOPPED, not " + text)
}

func location(name string) string { return "/connectors/" + url.PathEscape(name) }

func (a *api) info(r *http.Request) (int, any, error) {
	info, err := a.Worker.Info(r.PathValue("name"))
	return http.StatusOK, info, err
}

func (a *api) config(r *http.Request) (int, any, error) {
	info, err := a.Worker.Info(r.PathValue("name"))
	return http.StatusOK, info.Config, err
}

func (a *api) status(r *http.Request) (int, any, error) {
	s, err := a.Worker.Status(r.PathValue("name"))
	return http.StatusOK, s, err
}

func (a *api) put(r *http.Request) (int, any, error) {
	var given texts
	if err := read(r, &given); err != nil {
		return 0, nil, err
	}
	name := r.PathValue("name")
	info, created, err := a.Worker.Put(r.Context(), name, given)
	if err != nil {
		return 0, nil, err
	}
	if created {
		return http.StatusCreated, located{location(name), info}, nil
	}
	return http.StatusOK, info, nil
}

func (a *api) patch(r *http.Request) (int, any, error) {
	var changes textChanges
	if err := read(r, &changes); err != nil {
		return 0, nil, err
	}
	info, err := a.Worker.Patch(r.Context(), r.PathValue("name"), changes)
	return http.StatusOK, info, err
}

func (a *api) remove(r *http.Request) (int, any, error) {
	return http.StatusNoContent, nil, a.Worker.Delete(r.Context(), r.PathValue("name"))
}

func (a *api) target(t connect.Target) handler {
	status := http.StatusAccepted
	if t == connect.Stopped {
		status = http.StatusNoContent
	}
	return func(r *http.Request) (int, any, error) {
		return status, nil, a.Worker.SetTarget(r.Context(), r.PathValue("name"), t)
	}
}

func (a *api) restart(r *http.Request) (int, any, error) {
	q := r.URL.Query()
	includeTasks, onlyFailed := q.Get("includeTasks") == "true", q.Get("onlyFailed") == "true"
	status, err := a.Worker.Restart(r.Context(), r.PathValue("name"), includeTasks, onlyFailed)
	if err != nil {
		return 0, nil, err
	}
	if !includeTasks && !onlyFailed {
		return http.StatusNoContent, nil, nil
	}
	return http.StatusAccepted, status, nil
}

func (a *api) tasks(r *http.Request) (int, any, error) {
	all, err := a.Worker.Tasks(r.PathValue("name"))
	return http.StatusOK, all, err
}

func task(r *http.Request) (int, error) {
	n, err := strconv.Atoi(r.PathValue("task"))
	if err != nil {
		return 0, noPath
	}
	return n, nil
}

// notThere is what cannot be found.
type notThere string

const noPath notThere = "HTTP 404 Not Found"

func (e notThere) Error() string { return string(e) }

func (notThere) Is(target error) bool { return target == connect.ErrNotFound }

func (a *api) taskStatus(r *http.Request) (int, any, error) {
	n, err := task(r)
	if err != nil {
		return 0, nil, err
	}
	s, err := a.Worker.TaskStatus(r.PathValue("name"), n)
	return http.StatusOK, s, err
}

func (a *api) restartTask(r *http.Request) (int, any, error) {
	n, err := task(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, a.Worker.RestartTask(r.Context(), r.PathValue("name"), n)
}

func (a *api) topics(r *http.Request) (int, any, error) {
	name := r.PathValue("name")
	return http.StatusOK, map[string]any{name: map[string]any{"topics": a.Worker.Topics(name)}}, nil
}

func (a *api) resetTopics(r *http.Request) (int, any, error) {
	a.Worker.ResetTopics(r.PathValue("name"))
	return http.StatusAccepted, nil, nil
}
