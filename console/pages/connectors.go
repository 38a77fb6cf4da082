package pages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// connectorsBody is the list. Off says that there is nobody to run connectors.
type connectorsBody struct {
	Off bool
	part[api.ConnectorList]
}

func (h *handler) connectors(ctx context.Context, _ *http.Request) (content, error) {
	c := content{template: "connectors", title: "Connectors", section: "connectors"}
	if h.Engines.Connectors == nil {
		c.body = connectorsBody{Off: true}
		return c, nil
	}
	c.body = connectorsBody{part: ask(h.Engines.Connectors.Connectors(ctx))}
	return c, nil
}

// connectorBody is one connector.
type connectorBody struct {
	Name string
	part[api.Connector]
}

func (h *handler) connector(ctx context.Context, r *http.Request) (content, error) {
	b := connectorBody{Name: r.PathValue("connector")}
	c := content{template: "connector", title: b.Name, section: "connectors"}
	if h.Engines.Connectors == nil {
		return c, noConnectors
	}
	one, err := h.Engines.Connectors.Connector(ctx, b.Name)
	b.part = ask(one, err)
	c.body = b
	return c, onlyFatal(err)
}

var noConnectors = errorf(api.ErrNotFound, "connectors are off; `pabal up --connect=127.0.0.1:8083`, or another port, runs them")

// Progress of the tasks of a source that say how far they are.
func (b connectorBody) Progress() []api.ConnectorTask {
	return slices.DeleteFunc(slices.Clone(b.Value.TaskList), func(t api.ConnectorTask) bool { return t.Progress == nil })
}

// OffsetsText and ConfigText are what a person may change, as JSON.
func (b connectorBody) OffsetsText() string { return editable(b.Value.Offsets) }

// ConfigText is the configuration as JSON.
func (b connectorBody) ConfigText() string { return editable(b.Value.Config) }

func editable(v any) string {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSpace(text.String())
}

// Stopped says whether offsets can be changed.
func (b connectorBody) Stopped() bool { return b.Value.State == "STOPPED" }

// Leaves is what stays in the database of one that is deleted, "" for nothing that is known.
func (b connectorBody) Leaves() string {
	if class := b.Value.Class; !strings.HasSuffix(class, "PostgresConnector") || b.Value.Config["slot.drop.on.stop"] == "true" {
		return ""
	}
	slot := cmp.Or(b.Value.Config["slot.name"], "debezium")
	return "Its replication slot stays in PostgreSQL and keeps WAL back until somebody drops it: SELECT pg_drop_replication_slot('" + slot + "');"
}

// pluginsBody is what one can make a connector of.
type pluginsBody struct {
	part[api.ConnectorPluginList]
}

func (h *handler) connectorPlugins(ctx context.Context, _ *http.Request) (content, error) {
	c := content{template: "plugins", title: "Create a connector", section: "connectors"}
	if h.Engines.Connectors == nil {
		return c, noConnectors
	}
	c.body = pluginsBody{ask(h.Engines.Connectors.ConnectorPlugins(ctx))}
	return c, nil
}

// pluginBody is a form for a connector of a class.
type pluginBody struct {
	Class string
	part[api.ConnectorPlugin]
	First, More []formField
}

// formField is a setting as a form asks for it.
type formField struct {
	api.ConnectorSetting
	// Choices are what may be chosen; nil for any text.
	Choices []string
}

// Secret values are not shown while they are written.
func (f formField) Secret() bool { return f.Type == "PASSWORD" }

// About is what the setting is for, without what the field shows.
func (f formField) About() string {
	if f.Documentation == f.Label {
		return ""
	}
	return f.Documentation
}

// Heading is what people call it, "" where that is its name.
func (f formField) Heading() string {
	if f.Label == f.Name {
		return ""
	}
	return f.Label
}

func (h *handler) connectorPlugin(ctx context.Context, r *http.Request) (content, error) {
	b := pluginBody{Class: r.PathValue("class")}
	c := content{template: "plugin", title: "Create a connector", section: "connectors"}
	if h.Engines.Connectors == nil {
		return c, noConnectors
	}
	p, err := h.Engines.Connectors.ConnectorPlugin(ctx, b.Class)
	b.part = ask(p, err)
	b.First, b.More = formFields(p.Settings)
	c.body = b
	return c, onlyFatal(err)
}

// formFields are those of a form: what must be given and what matters most, and the others.
// The name and the class are asked for by themselves.
func formFields(settings []api.ConnectorSetting) (first, more []formField) {
	for _, s := range settings {
		if s.Name == "name" || s.Name == "connector.class" {
			continue
		}
		f := formField{ConnectorSetting: s, Choices: choicesOf(s)}
		if s.Required || matters(s) {
			first = append(first, f)
			continue
		}
		more = append(more, f)
	}
	slices.SortStableFunc(first, func(a, b formField) int { return cmp.Compare(required(b), required(a)) })
	slices.SortStableFunc(more, func(a, b formField) int { return cmp.Compare(a.Name, b.Name) })
	return first, more
}

func required(f formField) int {
	if f.Required {
		return 1
	}
	return 0
}

// matters says that most people want to set it: what is important and has no default.
func matters(s api.ConnectorSetting) bool {
	return s.Importance == "HIGH" && s.Default == ""
}

func choicesOf(s api.ConnectorSetting) []string {
	switch {
	case s.Type == "BOOLEAN":
		return []string{"true", "false"}
	case s.Type == "CLASS", s.Type == "LIST", s.Type == "PASSWORD":
		return nil
	}
	return s.Recommended
}
