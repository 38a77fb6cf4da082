package converters

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// debeziumVersion whose behaviour the converters have.
const debeziumVersion = "3.6.1.Final"

// debezium are those of Debezium.
func debezium() []plugin.ConverterPlugin {
	const prefix = "io.debezium.converters."
	all := []plugin.ConverterPlugin{
		{Info: plugin.Info{Class: prefix + "ByteArrayConverter", Config: delegateConfig}, New: newDelegate},
		{Info: plugin.Info{Class: prefix + "BinaryDataConverter", Config: delegateConfig}, New: newDelegate},
		{Info: plugin.Info{Class: prefix + "CloudEventsConverter", Config: cloudEventsConfig}, New: newCloudEvents},
	}
	for i := range all {
		all[i].Version = debeziumVersion
		if simple := strings.TrimPrefix(all[i].Class, prefix); simple != "ByteArrayConverter" { // that name is Kafka Connect's
			all[i].Aliases = []string{simple, strings.TrimSuffix(simple, "Converter")}
		}
	}
	return all
}

const delegateKey = "delegate.converter.type"

var delegateConfig = config.Definition{
	Keys: []config.Key{{
		Name: delegateKey, Type: config.Class, Importance: config.Low,
		Check: func(v any) error {
			class, _ := v.(string)
			if _, ok := findKafka(class); class != "" && !ok {
				return fmt.Errorf("Class %s could not be found.", class) //nolint:staticcheck // Kafka Connect's own words
			}
			return nil
		},
		Doc: "Class of the converter for what is not bytes, such as heartbeats; its options follow with the prefix " + delegateKey + ".",
	}},
	Patterns: []string{delegateKey + ".*"},
}

func findKafka(class string) (plugin.ConverterPlugin, bool) {
	all := kafka()
	i := slices.IndexFunc(all, func(p plugin.ConverterPlugin) bool { return p.Class == class })
	if i < 0 {
		return plugin.ConverterPlugin{}, false
	}
	return all[i], true
}

// delegate writes bytes as they are, and has another converter for the rest.
type delegate struct {
	converter.ByteArray
	other converter.Converter // nil without
}

func newDelegate(c config.Values, key bool) (converter.Converter, error) {
	p, ok := findKafka(c.String(delegateKey))
	if !ok {
		return delegate{}, nil
	}
	values, err := p.Config.Must(within(c.All(), delegateKey+"."))
	if err != nil {
		return nil, err
	}
	other, err := p.New(values, key)
	return delegate{other: other}, err
}

func within(all map[string]string, prefix string) map[string]string {
	out := map[string]string{}
	for key, value := range all {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			out[name] = value
		}
	}
	return out
}

// Encode bytes, or let the other converter do it.
func (d delegate) Encode(topic string, s *data.Schema, value any) ([]byte, error) {
	b, isBytes := value.([]byte)
	if (s == nil || s.Type == data.Bytes) && (value == nil || isBytes) {
		return b, nil
	}
	if d.other == nil {
		return nil, fmt.Errorf("%w: a value of topic %s is %T and not bytes: set %s to a converter for those", data.ErrData, topic, value, delegateKey)
	}
	return d.other.Encode(topic, s, value)
}

const noAvro = "there is no Avro converter: use json"

var cloudEventsConfig = config.Definition{
	Keys: []config.Key{
		serializer("serializer.type", "How events are written: json."),
		serializer("data.serializer.type", "How the data of events is written: json. Options of the JSON converter for it have the prefix json."),
		{
			Name: "opentelemetry.tracing.attributes.enable", Type: config.Boolean, Default: "false", Importance: config.High,
			Unsupported: "converters do not see the headers that traces are in", Doc: "Whether events have the attribute traceparent.",
		},
		{
			Name: "extension.attributes.enable", Type: config.Boolean, Default: "true", Importance: config.High,
			Doc: "Whether events have the operation, the source and the transaction as attributes iodebezium….",
		},
		{
			Name: "schema.name.adjustment.mode", Type: config.String, Default: "avro", Importance: config.Low, Check: config.OneOf("none", "avro", "avro_unicode"),
			Doc: "How names of schemas are made fit for Avro. Events in JSON have none.",
		},
		{Name: "schema.cloudevents.name", Type: config.String, Importance: config.Low, Doc: "Name of the schema of events. Events in JSON have none."},
		{
			Name: "schema.data.name.source.header.enable", Type: config.Boolean, Default: "false", Importance: config.Low,
			Unsupported: "converters do not see headers", Doc: "Whether a header has the name of the data's schema.",
		},
		{
			Name: "metadata.source", Type: config.List, Importance: config.High, Check: checkMetadata,
			Default: "value,id:generate,type:generate,traceparent:header,dataSchemaName:generate",
			Doc:     "Where events get their metadata from: value is the envelope; id and type are generated.",
		},
	},
	Patterns: []string{"json.*"},
}

func serializer(name, doc string) config.Key {
	return config.Key{
		Name: name, Type: config.String, Default: "json", Importance: config.High, Doc: doc, Recommended: []string{"json"},
		Check: func(v any) error {
			switch text, _ := v.(string); strings.ToLower(text) {
			case "json":
				return nil
			case "avro":
				return errors.New(noAvro)
			}
			return errors.New("it must be json")
		},
	}
}

// checkMetadata refuses what only headers have.
func checkMetadata(v any) error {
	list, _ := v.([]string)
	if len(list) == 0 || !strings.EqualFold(list[0], "value") {
		return errors.New("the first must be value: metadata of headers is not supported, because converters do not see headers")
	}
	generated := map[string]bool{}
	for _, one := range list[1:] {
		field, source, _ := strings.Cut(one, ":")
		switch field {
		case "id", "type":
			if !strings.EqualFold(source, "generate") {
				return fmt.Errorf("%s must be generated: %s:generate", field, field)
			}
			generated[field] = true
		case "traceparent", "dataSchemaName": // not used unless enabled, which is refused
		default:
			return fmt.Errorf("Field `%s` is not allowed to set custom source", field) //nolint:staticcheck // Debezium's own words
		}
	}
	if !generated["id"] || !generated["type"] {
		return errors.New("id and type must be generated: value,id:generate,type:generate")
	}
	return nil
}

func newCloudEvents(c config.Values, key bool) (converter.Converter, error) {
	values, err := jsonConfig.Must(within(c.All(), "json."))
	if err != nil {
		return nil, err
	}
	made, err := newJSON(values, key)
	if err != nil {
		return nil, err
	}
	return &converter.CloudEvents{Data: made.(*converter.JSON), NoExtensions: !c.Bool("extension.attributes.enable")}, nil
}
