// Package connectors is the console's engine for connectors: it asks Kafka Connect's REST API,
// of a worker in this process or of a Kafka Connect elsewhere. What only our workers know is
// left out where another one answers.
package connectors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
)

// Config of the engine. URL is required.
type Config struct {
	// URL of the REST API, such as http://127.0.0.1:8083.
	URL string
	// HTTP asks it; one with a bound on time where nil.
	HTTP *http.Client
	// Kafka names the groups of sinks: it has the tenant's prefix.
	Kafka kafka.Config
	// Groups has the lag of sinks; nil knows none.
	Groups api.Groups
	// RetainedAlarm is how many bytes of log a replication slot may keep before there is an
	// alarm; 1 GiB where 0.
	RetainedAlarm int64
}

// ErrConfig is wrapped by errors about a Config.
var ErrConfig = errors.New("connectors: configuration")

// Engine implements api.Connectors.
type Engine struct {
	rest   client
	kafka  kafka.Config
	groups api.Groups
	// retained is how many bytes a slot may keep.
	retained int64
}

var _ api.Connectors = (*Engine)(nil)

// askTimeout is longer than a check that waits for a database.
const askTimeout = 90 * time.Second

// New makes an engine; it asks nothing yet.
func New(c Config) (*Engine, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: %q is not the address of Kafka Connect's REST API, such as http://127.0.0.1:8083", ErrConfig, c.URL)
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: askTimeout}
	}
	if c.RetainedAlarm == 0 {
		c.RetainedAlarm = 1 << 30
	}
	return &Engine{retained: c.RetainedAlarm, rest: client{strings.TrimRight(c.URL, "/"), c.HTTP}, kafka: c.Kafka, groups: c.Groups}, nil
}

// ConnectorPlugins implements api.Connectors.
func (e *Engine) ConnectorPlugins(ctx context.Context) (api.ConnectorPluginList, error) {
	list := api.ConnectorPluginList{Items: []api.ConnectorPlugin{}}
	return list, e.rest.get(ctx, "/connector-plugins", &list.Items)
}

// ConnectorPlugin implements api.Connectors.
func (e *Engine) ConnectorPlugin(ctx context.Context, class string) (api.ConnectorPlugin, error) {
	all, err := e.ConnectorPlugins(ctx)
	if err != nil {
		return api.ConnectorPlugin{}, err
	}
	settings, err := e.settings(ctx, class)
	if err != nil {
		return api.ConnectorPlugin{}, err
	}
	p := api.ConnectorPlugin{Class: class, Settings: settings}
	for _, one := range all.Items {
		if one.Class == class || strings.HasSuffix(one.Class, "."+class) || strings.HasSuffix(one.Class, "."+class+"Connector") {
			p = one
			p.Settings = settings
			break
		}
	}
	return p, nil
}

// ActOnConnector implements api.Connectors.
func (e *Engine) ActOnConnector(ctx context.Context, a api.ActOnConnector) (api.ConnectorDone, error) {
	at := connectorPath(a.Connector)
	method, said := http.MethodPut, ""
	switch {
	case a.Do == "restart" && a.Task != nil:
		method, at = http.MethodPost, fmt.Sprintf("%s/tasks/%d/restart", at, *a.Task)
		said = fmt.Sprintf("Task %d of %s starts again.", *a.Task, a.Connector)
	case a.Do == "restart" && a.FailedOnly:
		method, at, said = http.MethodPost, at+"/restart?includeTasks=true&onlyFailed=true", "What failed of "+a.Connector+" starts again."
	case a.Do == "restart":
		method, at, said = http.MethodPost, at+"/restart?includeTasks=true", a.Connector+" and its tasks start again."
	case a.Do == "pause":
		at, said = at+"/pause", a.Connector+" pauses: its tasks keep what they have, and go on from there."
	case a.Do == "stop":
		at, said = at+"/stop", a.Connector+" stops: its tasks end, and its offsets can be changed."
	default:
		at, said = at+"/resume", a.Connector+" goes on."
	}
	return api.ConnectorDone{Connector: a.Connector, Said: said}, e.rest.do(ctx, method, at, nil, nil)
}

// DeleteConnector implements api.Connectors.
func (e *Engine) DeleteConnector(ctx context.Context, d api.DeleteConnector) (api.ConnectorDone, error) {
	done := api.ConnectorDone{Connector: d.Connector, Said: d.Connector + " is deleted. Its offsets stay for one that comes under its name."}
	return done, e.rest.do(ctx, http.MethodDelete, connectorPath(d.Connector), nil, nil)
}

// SetConnectorOffsets implements api.Connectors.
func (e *Engine) SetConnectorOffsets(ctx context.Context, o api.SetConnectorOffsets) (api.ConnectorDone, error) {
	var answer struct {
		Message string `json:"message"`
	}
	method, body := http.MethodPatch, any(offsetsBody{o.Offsets})
	if o.Reset {
		method, body = http.MethodDelete, nil
	}
	err := e.rest.do(ctx, method, connectorPath(o.Connector)+"/offsets", body, &answer)
	return api.ConnectorDone{Connector: o.Connector, Said: answer.Message}, err
}

type offsetsBody struct {
	Offsets []api.ConnectorOffset `json:"offsets"`
}

func connectorPath(name string) string { return "/connectors/" + url.PathEscape(name) }
