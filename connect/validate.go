package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/transform"
)

// ConfigInfos is the answer to a validation, as Kafka Connect's REST API gives it.
type ConfigInfos struct {
	Name       string       `json:"name"`
	ErrorCount int          `json:"error_count"`
	Groups     []string     `json:"groups"`
	Configs    []ConfigInfo `json:"configs"`

	// Warnings are about settings that nobody knows.
	Warnings []string `json:"warnings,omitempty"`
}

// ConfigInfo is one key of it.
type ConfigInfo struct {
	Definition ConfigKeyInfo   `json:"definition"`
	Value      ConfigValueInfo `json:"value"`
}

// ConfigKeyInfo is what a key is.
type ConfigKeyInfo struct {
	Name          string   `json:"name"`
	Type          string   `json:"type"`
	Required      bool     `json:"required"`
	DefaultValue  *string  `json:"default_value"`
	Importance    string   `json:"importance"`
	Documentation string   `json:"documentation"`
	Group         *string  `json:"group"`
	Width         string   `json:"width"`
	DisplayName   string   `json:"display_name"`
	Dependents    []string `json:"dependents"`
	Order         int      `json:"order_in_group"`
}

// ConfigValueInfo is the value of a key and what is wrong with it.
type ConfigValueInfo struct {
	Name        string   `json:"name"`
	Value       *string  `json:"value"`
	Recommended []string `json:"recommended_values"`
	Errors      []string `json:"errors"`
	Visible     bool     `json:"visible"`
}

// Validate says what a configuration of a class would be, and what is wrong with each key. It may
// ask the database that it names.
func (w *Worker) Validate(ctx context.Context, class string, given map[string]string) (ConfigInfos, error) {
	kind, ok := w.kinds.connectors[class]
	if !ok {
		return ConfigInfos{}, problem{ErrInvalid, fmt.Sprintf("Failed to find any class that implements Connector and which name matches %s, available connectors are: %s", class, w.classList())}
	}
	own, ok := given["connector.class"]
	if !ok {
		return ConfigInfos{}, problem{ErrInvalid, "Connector config " + shown(given) + " contains no connector type"}
	}
	if own != "" {
		if other, ok := w.kinds.connectors[own]; !ok || other.connector.Info().Class != kind.connector.Info().Class {
			return ConfigInfos{}, problem{ErrInvalid, fmt.Sprintf("Included connector type %s does not match request type %s", own, class)}
		}
	}
	if e, ok := w.board.get(given["name"]); ok {
		given = unmask(w.definition(class), given, e.props)
	}
	return w.validate(ctx, kind, given), nil
}

func (w *Worker) validate(ctx context.Context, k kind, given map[string]string) ConfigInfos {
	resolved, problems := resolveEach(given)
	common, wrong := k.common().Parse(resolved)
	problems = append(problems, wrong...)
	own, wrong := k.connector.Info().Config.Parse(resolved)
	problems = append(problems, wrong...)
	problems = append(problems, w.checkPlugins(k, resolved, common)...)
	problems = append(problems, k.connector.Check(ctx, own, problems)...)
	for i := range problems {
		problems[i].Message = hidden(problems[i].Message, given)
	}
	out := w.infos(k, given, problems)
	for _, key := range config.Unknown(given, k.common(), k.connector.Info().Config) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s: nobody knows this setting, it has no effect", key))
	}
	return out
}

// resolveEach is resolve with a problem for each key.
func resolveEach(given map[string]string) (map[string]string, []config.Problem) {
	out := make(map[string]string, len(given))
	var problems []config.Problem
	for key, text := range given {
		value, err := resolveText(text)
		if err != nil {
			problems = append(problems, config.Problem{Key: key, Message: "Could not resolve " + key + ": " + err.Error()})
		}
		out[key] = value
	}
	return out, problems
}

// checkPlugins makes what the connector needs, to see whether it can be made.
func (w *Worker) checkPlugins(k kind, given map[string]string, common config.Values) []config.Problem {
	var out []config.Problem
	note := func(key string, err error) {
		if err != nil {
			out = append(out, config.Problem{Key: key, Message: err.Error()})
		}
	}
	complete := w.withConverters(given)
	for _, key := range []string{keyConverter, valueConverter} {
		c, err := w.kinds.converter(complete, key)
		note(key, errors.Join(err, closeConverter(c)))
	}
	_, err := w.kinds.header(complete)
	note(headerConverter, err)
	_, problems := transform.NewChain(given, w.kinds.set)
	out = append(out, problems...)
	for prefix, read := range map[string]func() error{
		producerPrefix: func() error { _, err := producerOverrides(given); return err },
		consumerPrefix: func() error { _, err := consumerOverrides(given); return err },
	} {
		if err := read(); err != nil {
			if p, ok := err.(config.Problem); ok {
				out = append(out, p)
				continue
			}
			note(prefix, err)
		}
	}
	if most := common.Int("tasks.max"); most > mostTasks {
		note("tasks.max", fmt.Errorf("Invalid value %d for configuration tasks.max: Value must be at most %d", most, mostTasks)) //nolint:staticcheck // as Kafka says it
	}
	if w.cfg.AtLeastOnce && strings.EqualFold(common.String("exactly.once.support"), "required") && k.source != nil {
		note("exactly.once.support", errors.New("this worker writes the offsets of sources after their records, not with them"))
	}
	if k.sink != nil {
		out = append(out, checkTopics(common)...)
	} else if _, err := newCreator(w.cfg.Kafka, nil, given); err != nil {
		note(creationPrefix+"groups", err)
	}
	return out
}

func checkTopics(common config.Values) []config.Problem {
	list, regex := common.List("topics"), common.String("topics.regex")
	letters := common.String("errors.deadletterqueue.topic.name")
	switch {
	case len(list) == 0 && regex == "":
		text := "Must configure one of topics or topics.regex"
		return []config.Problem{{Key: "topics", Message: text}, {Key: "topics.regex", Message: text}}
	case len(list) > 0 && regex != "":
		text := "topics and topics.regex are mutually exclusive options, but both are set."
		return []config.Problem{{Key: "topics", Message: text}, {Key: "topics.regex", Message: text}}
	case letters != "" && slices.Contains(list, letters):
		return []config.Problem{{Key: "topics", Message: fmt.Sprintf("The DLQ topic '%s' may not be included in the list of topics ('topics=%s') consumed by the connector", letters, strings.Join(list, ","))}}
	}
	whole, err := regexp.Compile("^(?:" + regex + ")$")
	switch {
	case err != nil:
		return []config.Problem{{Key: "topics.regex", Message: fmt.Sprintf("%q is no regular expression: %v", regex, err)}}
	case regex != "" && letters != "" && whole.MatchString(letters):
		return []config.Problem{{Key: "topics.regex", Message: fmt.Sprintf("The DLQ topic '%s' may not be included in the regex matching of topics ('topics.regex=%s') consumed by the connector", letters, regex)}}
	}
	return nil
}

// infos puts definitions, values and problems together.
func (w *Worker) infos(k kind, given map[string]string, problems []config.Problem) ConfigInfos {
	info := k.connector.Info()
	out := ConfigInfos{Name: info.Class, Groups: []string{}, Configs: []ConfigInfo{}}
	wrong := map[string][]string{}
	for _, p := range problems {
		if !slices.Contains(wrong[p.Key], p.Message) {
			wrong[p.Key] = append(wrong[p.Key], p.Message)
		}
	}
	for _, d := range w.definitions(k, given) {
		for _, key := range d.Keys {
			if key.Group != "" && !slices.Contains(out.Groups, key.Group) {
				out.Groups = append(out.Groups, key.Group)
			}
			out.Configs = append(out.Configs, infoOf(d, key, given, wrong[key.Name]))
			out.ErrorCount += len(wrong[key.Name])
			delete(wrong, key.Name)
		}
	}
	for _, p := range problems { // of keys that no definition lists, such as a transform's
		if messages, ok := wrong[p.Key]; ok {
			out.Configs = append(out.Configs, infoOf(config.Definition{}, config.Key{Name: p.Key, Type: config.String}, given, messages))
			out.ErrorCount += len(messages)
			delete(wrong, p.Key)
		}
	}
	return out
}

// definitions of a connector's keys, with those of the converters that it has of its own.
func (w *Worker) definitions(k kind, given map[string]string) []config.Definition {
	common := k.common().With()
	for i, key := range common.Keys {
		common.Keys[i] = w.kinds.choices(key, k.connector.Info().Version)
	}
	out := []config.Definition{common, k.connector.Info().Config}
	for _, name := range []string{keyConverter, valueConverter} {
		d := config.Definition{Keys: slices.Clone(w.kinds.converters[given[name]].Config.Keys)}
		for i := range d.Keys {
			if d.Keys[i].Label == "" {
				d.Keys[i].Label = d.Keys[i].Name
			}
			d.Keys[i].Name = name + "." + d.Keys[i].Name
		}
		out = append(out, d)
	}
	return out
}

// choices are what forms offer for a key.
func (k *kinds) choices(key config.Key, version string) config.Key {
	switch {
	case key.Name == keyConverter, key.Name == valueConverter:
		for _, p := range k.set.Converters {
			key.Recommended = append(key.Recommended, p.Class)
		}
		key.Default = jsonClass
	case key.Name == headerConverter:
		for _, p := range k.set.Headers {
			key.Recommended = append(key.Recommended, p.Class)
		}
		key.Default = simpleHeaderClass
	case strings.HasSuffix(key.Name, ".plugin.version"):
		key.Default, key.Recommended = version, []string{version}
	}
	return key
}

func infoOf(d config.Definition, key config.Key, given map[string]string, wrong []string) ConfigInfo {
	out := ConfigInfo{
		Definition: ConfigKeyInfo{
			Name: key.Name, Type: key.Type.String(), Required: key.Required, Importance: key.Importance.String(), Documentation: key.Doc,
			Width: cmp.Or(key.Width, "NONE"), DisplayName: cmp.Or(key.Label, key.Name), Dependents: []string{}, Order: -1,
		},
		Value: ConfigValueInfo{Name: key.Name, Recommended: append([]string{}, key.Recommended...), Errors: append([]string{}, wrong...), Visible: true},
	}
	if key.Group != "" {
		out.Definition.Group, out.Definition.Order = &key.Group, key.Order
	}
	if !key.Required && (key.Default != "" || key.Blank || key.Type == config.List) {
		out.Definition.DefaultValue, out.Value.Value = &key.Default, &key.Default
	}
	if value, ok := given[key.Name]; ok {
		shown := masked(d, key.Name, value)
		out.Value.Value = &shown
	}
	return out
}

// errors of a validation, as one text.
func (c ConfigInfos) problem() error {
	if c.ErrorCount == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Connector configuration is invalid and contains the following %d error(s):", c.ErrorCount)
	for _, one := range c.Configs {
		for _, message := range one.Value.Errors {
			if !strings.Contains(message, one.Value.Name) {
				message = one.Value.Name + ": " + message
			}
			b.WriteString("\n" + message)
		}
	}
	b.WriteString("\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`")
	return problem{ErrInvalid, b.String()}
}
