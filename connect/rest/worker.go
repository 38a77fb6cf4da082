package rest

import (
	"log/slog"
	"net/http"
	"strings"
)

type rootBody struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Cluster string `json:"kafka_cluster_id"`
}

func (a *api) root(r *http.Request) (int, any, error) {
	id, err := a.Worker.ClusterID(r.Context())
	return http.StatusOK, rootBody{Version, "pabal", id}, err
}

type healthBody struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func (a *api) health(*http.Request) (int, any, error) {
	if err := a.Worker.Ready(); err != nil {
		return http.StatusServiceUnavailable, healthBody{"starting", "Worker is still starting up."}, nil
	}
	return http.StatusOK, healthBody{"healthy", "Worker has completed startup and is ready to handle requests."}, nil
}

func (a *api) plugins(r *http.Request) (int, any, error) {
	return http.StatusOK, a.Worker.Plugins(r.URL.Query().Get("connectorsOnly") != "false"), nil
}

func (a *api) pluginKeys(r *http.Request) (int, any, error) {
	keys, err := a.Worker.PluginKeys(r.PathValue("class"))
	return http.StatusOK, keys, err
}

func (a *api) validate(r *http.Request) (int, any, error) {
	var given texts
	if err := read(r, &given); err != nil {
		return 0, nil, err
	}
	infos, err := a.Worker.Validate(r.Context(), r.PathValue("class"), given)
	return http.StatusOK, infos, err
}

// root is the one logger there is.
const rootLogger = "root"

type loggerBody struct {
	Level        string `json:"level"`
	LastModified *int64 `json:"last_modified"`
}

func (a *api) loggers(*http.Request) (int, any, error) {
	if a.Level == nil {
		return http.StatusOK, map[string]loggerBody{}, nil
	}
	return http.StatusOK, map[string]loggerBody{rootLogger: {Level: levelName(a.Level.Level())}}, nil
}

func (a *api) logger(r *http.Request) (int, any, error) {
	if a.Level == nil || r.PathValue("logger") != rootLogger {
		return 0, nil, noPath
	}
	return http.StatusOK, loggerBody{Level: levelName(a.Level.Level())}, nil
}

func (a *api) setLogger(r *http.Request) (int, any, error) {
	var body struct {
		Level string `json:"level"`
	}
	if err := read(r, &body); err != nil {
		return 0, nil, err
	}
	level, ok := levels[strings.ToUpper(body.Level)]
	switch {
	case body.Level == "":
		return 0, nil, invalid("Desired 'level' parameter was not specified in request.")
	case !ok:
		return 0, nil, notThere("invalid log level '" + body.Level + "'.")
	case a.Level == nil, r.PathValue("logger") != rootLogger:
		return 0, nil, noPath
	}
	a.Level.Set(level)
	return http.StatusOK, []string{rootLogger}, nil
}

var levels = map[string]slog.Level{
	"ERROR": slog.LevelError, "WARN": slog.LevelWarn, "INFO": slog.LevelInfo, "DEBUG": slog.LevelDebug, "TRACE": slog.LevelDebug,
}

func levelName(l slog.Level) string { return l.String() }
