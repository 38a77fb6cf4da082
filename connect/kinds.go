package connect

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// kinds are the plugins by their classes.
type kinds struct {
	set        plugin.Set
	connectors map[string]kind
	converters map[string]plugin.ConverterPlugin
	headers    map[string]plugin.HeaderPlugin
}

// kind of connector: either source or sink.
type kind struct {
	connector plugin.Connector
	source    plugin.Source
	sink      plugin.Sink
}

func newKinds(set plugin.Set) (kinds, error) {
	k := kinds{set, map[string]kind{}, map[string]plugin.ConverterPlugin{}, map[string]plugin.HeaderPlugin{}}
	for _, s := range set.Sources {
		if err := k.add(kind{connector: s, source: s}); err != nil {
			return k, err
		}
	}
	for _, s := range set.Sinks {
		if err := k.add(kind{connector: s, sink: s}); err != nil {
			return k, err
		}
	}
	k.shorten()
	for _, c := range set.Converters {
		for _, name := range classes(c.Info) {
			k.converters[name] = c
		}
	}
	for _, h := range set.Headers {
		for _, name := range classes(h.Info) {
			k.headers[name] = h
		}
	}
	return k, nil
}

func (k *kinds) add(one kind) error {
	info := one.connector.Info()
	for _, name := range append([]string{info.Class}, info.Aliases...) {
		if _, ok := k.connectors[name]; ok {
			return fmt.Errorf("%w: two plugins have the class %s", ErrConfig, name)
		}
		k.connectors[name] = one
	}
	return nil
}

// shorten adds the short names of connectors that only one has.
func (k *kinds) shorten() {
	short := map[string][]kind{}
	for class, one := range k.connectors {
		if class != one.connector.Info().Class {
			continue
		}
		for _, name := range classes(one.connector.Info()) {
			short[name] = append(short[name], one)
		}
	}
	for name, all := range short {
		if _, ok := k.connectors[name]; !ok && len(all) == 1 {
			k.connectors[name] = all[0]
		}
	}
}

// classes are the names of a plugin: Kafka Connect also takes the last part of the class, with or
// without "Connector".
func classes(i plugin.Info) []string {
	short := i.Class[strings.LastIndexByte(i.Class, '.')+1:]
	out := append([]string{i.Class}, i.Aliases...)
	if short != i.Class {
		out = append(out, short)
	}
	if s := strings.TrimSuffix(short, "Connector"); s != short && s != "" {
		out = append(out, s)
	}
	return out
}

func (k *kinds) version(class string) string {
	if one, ok := k.connectors[class]; ok {
		return one.connector.Info().Version
	}
	return ""
}

func (k kind) typeName() string {
	switch {
	case k.source != nil:
		return "source"
	case k.sink != nil:
		return "sink"
	}
	return "unknown"
}

// common are the keys that connectors of the kind have beside their own.
func (k kind) common() config.Definition {
	if k.sink != nil {
		return sinkKeys
	}
	return sourceKeys
}

// Groups of keys, as Kafka Connect's forms have them.
const (
	commonGroup     = "Common"
	transformsGroup = "Transforms"
	predicatesGroup = "Predicates"
	errorsGroup     = "Error Handling"
	creationGroup   = "Topic Creation"
	onceGroup       = "Exactly Once Support"
	offsetsGroup    = "offsets.topic"
)

var connectorKeys = []config.Key{
	{Name: "name", Type: config.String, Required: true, Importance: config.High, Group: commonGroup, Order: 1, Width: "MEDIUM", Label: "Connector name",
		Check: checkName, Doc: "Name of the connector, unique in the group."},
	{Name: "connector.class", Type: config.String, Required: true, Importance: config.High, Group: commonGroup, Order: 2, Width: "LONG", Label: "Connector class",
		Doc: "Class of the connector, or its last part."},
	pluginVersion("connector", 3, "MEDIUM", config.Medium),
	{Name: "tasks.max", Type: config.Int, Default: "1", Importance: config.High, Group: commonGroup, Order: 4, Width: "SHORT", Label: "Tasks max",
		Check: config.AtLeast(1), Doc: "How many tasks the connector may have."},
	{Name: "tasks.max.enforce", Type: config.Boolean, Default: "true", Importance: config.Low, Group: commonGroup, Order: 5, Width: "SHORT", Label: "Enforce tasks max",
		Doc: "Whether a connector that makes more tasks than that fails. It always does here."},
	{Name: keyConverter, Type: config.Class, Importance: config.Low, Group: commonGroup, Order: 6, Width: "SHORT", Label: "Key converter class",
		Doc: "Converter of keys; the worker's where it is not set."},
	pluginVersion(keyConverter, 7, "SHORT", config.Low),
	{Name: valueConverter, Type: config.Class, Importance: config.Low, Group: commonGroup, Order: 8, Width: "SHORT", Label: "Value converter class",
		Doc: "Converter of values; the worker's where it is not set."},
	pluginVersion(valueConverter, 9, "SHORT", config.Low),
	{Name: headerConverter, Type: config.Class, Importance: config.Low, Group: commonGroup, Order: 10, Width: "SHORT", Label: "Header converter class",
		Doc: "Converter of headers; SimpleHeaderConverter where it is not set."},
	pluginVersion(headerConverter, 11, "SHORT", config.Low),
	{Name: "transforms", Type: config.List, Importance: config.Low, Group: transformsGroup, Order: 12, Width: "LONG", Label: "Transforms",
		Doc: "Names of transforms, in the order in which records go through them."},
	{Name: "predicates", Type: config.List, Importance: config.Low, Group: predicatesGroup, Order: 13, Width: "LONG", Label: "Predicates",
		Doc: "Names of predicates that transforms refer to."},
	{Name: "config.action.reload", Type: config.String, Default: "restart", Importance: config.Low, Group: commonGroup, Order: 14, Width: "MEDIUM", Label: "Reload Action",
		Check: config.OneOf("none", "restart"), Doc: "What happens when a secret changes. Secrets are read when a task starts."},
	{Name: "errors.retry.timeout", Type: config.Long, Default: "0", Importance: config.Medium, Group: errorsGroup, Order: 1, Width: "MEDIUM", Label: "Retry Timeout for Errors",
		Doc: "Accepted and of no effect: what may pass by itself is always tried again, and what a record is at fault for never."},
	{Name: "errors.retry.delay.max.ms", Type: config.Long, Default: "60000", Importance: config.Medium, Group: errorsGroup, Order: 2, Width: "MEDIUM", Label: "Maximum Delay Between Retries for Errors",
		Check: config.AtLeast(0), Doc: "Accepted and of no effect: the longest pause is 15 s."},
	{Name: "errors.tolerance", Type: config.String, Default: "none", Importance: config.Medium, Group: errorsGroup, Order: 3, Width: "SHORT", Label: "Error Tolerance",
		Check: config.OneOf("none", "all"), Doc: "none: a record that cannot be converted or transformed fails the task. all: it is left out."},
	{Name: "errors.log.enable", Type: config.Boolean, Default: "false", Importance: config.Medium, Group: errorsGroup, Order: 4, Width: "SHORT", Label: "Log Errors",
		Doc: "Whether records that are left out are logged."},
	{Name: "errors.log.include.messages", Type: config.Boolean, Default: "false", Importance: config.Medium, Group: errorsGroup, Order: 5, Width: "SHORT", Label: "Log Error Details",
		Doc: "Whether the log names the topic, partition and offset of the record. Contents are never logged."},
}

// pluginVersion is a key that chooses between versions of a plugin; there is one of each here.
func pluginVersion(of string, order int, width string, importance config.Importance) config.Key {
	label := map[string]string{"connector": "Connector", keyConverter: "Key converter", valueConverter: "Value converter", headerConverter: "Header converter"}[of]
	return config.Key{Name: of + ".plugin.version", Type: config.String, Importance: importance, Group: commonGroup, Order: order, Width: width, Label: label + " version",
		Doc: "Version of the plugin. There is one of each here, and it is taken whatever is set."}
}

// checkName: names are parts of paths and of keys.
func checkName(v any) error {
	name, _ := v.(string)
	if err := config.NotEmpty(name); err != nil {
		return err
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return errors.New("String may not contain control sequences but had the following ASCII chars") //nolint:staticcheck // Kafka Connect's own words
	}
	return nil
}

// connectorPatterns are keys that other definitions have, or that are settings of clients.
var connectorPatterns = []string{
	"key.converter.*", "value.converter.*", "header.converter.*", "transforms.*", "predicates.*", "connector.plugin.*",
}

var sourceKeys = config.Definition{
	Keys: append(connectorKeys[:len(connectorKeys):len(connectorKeys)],
		config.Key{Name: "topic.creation.groups", Type: config.List, Importance: config.Low, Group: creationGroup, Order: 1, Width: "LONG", Label: "Topic Creation Groups",
			Doc: "Names of groups of topics with settings of their own, tried in this order."},
		config.Key{Name: "exactly.once.support", Type: config.String, Default: "requested", Importance: config.Medium, Group: onceGroup, Order: 2, Width: "SHORT", Label: "Exactly once support",
			Check: config.OneOf("requested", "required"), Doc: "Whether the connector is refused where records cannot be exactly-once."},
		config.Key{Name: "transaction.boundary", Type: config.String, Default: "poll", Importance: config.Medium, Group: onceGroup, Order: 3, Width: "SHORT", Label: "Transaction Boundary",
			Check: config.OneOf("poll", "interval", "connector"), Doc: "When a transaction ends: after what the source gave at once, after a time, or where the source says so."},
		config.Key{Name: "transaction.boundary.interval.ms", Type: config.Long, Importance: config.Low, Group: onceGroup, Order: 4, Width: "SHORT", Label: "Transaction boundary interval",
			Check: config.AtLeast(1), Doc: "That time; 60 s where it is not set."},
		config.Key{Name: "offsets.storage.topic", Type: config.String, Importance: config.Low, Group: offsetsGroup, Order: 1, Width: "LONG", Label: "Offsets topic",
			Unsupported: "offsets of all connectors are in the worker's offset topic", Doc: "A topic of its own for the connector's offsets."},
	),
	Patterns: append(connectorPatterns[:len(connectorPatterns):len(connectorPatterns)], "topic.creation.*", "producer.override.*"),
}

var sinkKeys = config.Definition{
	Keys: append(connectorKeys[:len(connectorKeys):len(connectorKeys)],
		config.Key{Name: "topics", Type: config.List, Importance: config.High, Group: commonGroup, Order: 4, Width: "LONG", Label: "Topics",
			Doc: "Topics to read, separated by commas."},
		config.Key{Name: "topics.regex", Type: config.String, Importance: config.High, Group: commonGroup, Blank: true, Order: 4, Width: "LONG", Label: "Topics regex",
			Doc: "Regular expression of the names of topics to read, the whole name."},
		config.Key{Name: "errors.deadletterqueue.topic.name", Type: config.String, Importance: config.Medium, Group: errorsGroup, Blank: true, Order: 6, Width: "MEDIUM", Label: "Dead Letter Queue Topic Name",
			Doc: "Topic for records that are left out."},
		config.Key{Name: "errors.deadletterqueue.topic.replication.factor", Type: config.Short, Default: "3", Importance: config.Medium, Group: errorsGroup, Order: 7, Width: "MEDIUM", Label: "Dead Letter Queue Topic Replication Factor",
			Doc: "Replicas of that topic where it is created; as many as there are brokers at most."},
		config.Key{Name: "errors.deadletterqueue.context.headers.enable", Type: config.Boolean, Default: "false", Importance: config.Medium, Group: errorsGroup, Order: 8, Width: "MEDIUM", Label: "Enable Error Context Headers",
			Doc: "Whether headers tell what was wrong."},
	),
	Patterns: append(connectorPatterns[:len(connectorPatterns):len(connectorPatterns)], "consumer.override.*", "producer.override.*", "admin.override.*"),
}
