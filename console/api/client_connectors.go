package api

import "context"

var _ Connectors = (*Client)(nil)

// Connectors implements Connectors.
func (c *Client) Connectors(ctx context.Context) (ConnectorList, error) {
	return get[ConnectorList](ctx, c, "connectors", nil)
}

// Connector implements Connectors.
func (c *Client) Connector(ctx context.Context, name string) (Connector, error) {
	return get[Connector](ctx, c, path("connectors", name), nil)
}

// ConnectorPlugins implements Connectors.
func (c *Client) ConnectorPlugins(ctx context.Context) (ConnectorPluginList, error) {
	return get[ConnectorPluginList](ctx, c, "connector-plugins", nil)
}

// ConnectorPlugin implements Connectors.
func (c *Client) ConnectorPlugin(ctx context.Context, class string) (ConnectorPlugin, error) {
	return get[ConnectorPlugin](ctx, c, path("connector-plugins", class), nil)
}

// CreateConnector implements Connectors.
func (c *Client) CreateConnector(ctx context.Context, config ConnectorConfig) (ConnectorChecked, error) {
	return post[ConnectorChecked](ctx, c, "connectors", config)
}

// ConfigureConnector implements Connectors.
func (c *Client) ConfigureConnector(ctx context.Context, config ConnectorConfig) (ConnectorChecked, error) {
	return post[ConnectorChecked](ctx, c, path("connectors", config.Connector, "config"), config)
}

// ActOnConnector implements Connectors.
func (c *Client) ActOnConnector(ctx context.Context, a ActOnConnector) (ConnectorDone, error) {
	return post[ConnectorDone](ctx, c, path("connectors", a.Connector, "act"), a)
}

// DeleteConnector implements Connectors.
func (c *Client) DeleteConnector(ctx context.Context, d DeleteConnector) (ConnectorDone, error) {
	return post[ConnectorDone](ctx, c, path("connectors", d.Connector, "delete"), d)
}

// SetConnectorOffsets implements Connectors.
func (c *Client) SetConnectorOffsets(ctx context.Context, o SetConnectorOffsets) (ConnectorDone, error) {
	return post[ConnectorDone](ctx, c, path("connectors", o.Connector, "offsets"), o)
}
