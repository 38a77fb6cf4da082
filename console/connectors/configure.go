package connectors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/console/api"
)

// settings of a class: a check of nothing but the class tells what may be chosen, too.
func (e *Engine) settings(ctx context.Context, class string) ([]api.ConnectorSetting, error) {
	var found connect.ConfigInfos
	at := "/connector-plugins/" + url.PathEscape(class) + "/config/validate"
	err := e.rest.do(ctx, http.MethodPut, at, map[string]string{"connector.class": class, "name": "new"}, &found)
	if errors.Is(err, api.ErrInvalid) {
		err = fmt.Errorf("%w: there is no connector of the class %q", api.ErrNotFound, class)
	}
	var all []api.ConnectorSetting
	for _, one := range found.Configs {
		all = append(all, settingOf(one))
	}
	return all, err
}

func settingOf(c connect.ConfigInfo) api.ConnectorSetting {
	d := c.Definition
	s := api.ConnectorSetting{
		Name: d.Name, Type: d.Type, Required: d.Required, Importance: d.Importance, Documentation: d.Documentation,
		Label: d.DisplayName, Recommended: c.Value.Recommended,
	}
	if d.DefaultValue != nil {
		s.Default = *d.DefaultValue
	}
	if d.Group != nil {
		s.Group = *d.Group
	}
	return s
}

// CreateConnector implements api.Connectors.
func (e *Engine) CreateConnector(ctx context.Context, c api.ConnectorConfig) (api.ConnectorChecked, error) {
	if c.Connector == "" {
		c.Connector = c.Config["name"]
	}
	if c.Connector == "" {
		return api.ConnectorChecked{}, api.BadField("connector", "is missing: give the connector a name")
	}
	checked, err := e.check(ctx, c)
	if err != nil || c.DryRun {
		return checked, err
	}
	if err := checked.Refused(); err != nil {
		return checked, err
	}
	body := map[string]any{"name": c.Connector, "config": c.Config}
	return checked, e.rest.do(ctx, http.MethodPost, "/connectors", body, nil)
}

// ConfigureConnector implements api.Connectors.
func (e *Engine) ConfigureConnector(ctx context.Context, c api.ConnectorConfig) (api.ConnectorChecked, error) {
	if err := e.rest.get(ctx, connectorPath(c.Connector), &connect.ConnectorInfo{}); err != nil {
		return api.ConnectorChecked{}, err // a PUT would create it
	}
	checked, err := e.check(ctx, c)
	if err != nil || c.DryRun {
		return checked, err
	}
	if err := checked.Refused(); err != nil {
		return checked, err
	}
	return checked, e.rest.do(ctx, http.MethodPut, connectorPath(c.Connector)+"/config", c.Config, nil)
}

// check a configuration; a key may be wrong in several ways.
func (e *Engine) check(ctx context.Context, c api.ConnectorConfig) (api.ConnectorChecked, error) {
	out := api.ConnectorChecked{Connector: c.Connector, DryRun: c.DryRun, Problems: []api.ConnectorProblem{}}
	class := strings.TrimSpace(c.Config["connector.class"])
	if class == "" {
		out.Problems = append(out.Problems, api.ConnectorProblem{Setting: "connector.class", Detail: "is missing: it says which connector this is"})
		return out, nil
	}
	config := maps.Clone(c.Config)
	switch own := config["name"]; own {
	case "", c.Connector:
		config["name"] = c.Connector
	default:
		out.Problems = append(out.Problems, api.ConnectorProblem{Setting: "name", Detail: "is " + own + ", and the connector is " + c.Connector})
		return out, nil
	}
	var found connect.ConfigInfos
	if err := e.rest.do(ctx, http.MethodPut, "/connector-plugins/"+url.PathEscape(class)+"/config/validate", config, &found); err != nil {
		return out, err
	}
	for _, one := range found.Configs {
		for _, text := range one.Value.Errors {
			out.Problems = append(out.Problems, api.ConnectorProblem{Setting: one.Value.Name, Detail: text})
		}
	}
	out.Warnings = found.Warnings
	return out, nil
}
