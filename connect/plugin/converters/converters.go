// Package converters has the converters of package converter as plugins, by the class names of
// Kafka Connect and Debezium and with their options, for keys and values and for headers.
package converters

import (
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// version of Apache Kafka whose behaviour the converters have.
const version = "4.0.0"

// Plugins are the converters of keys and values.
func Plugins() []plugin.ConverterPlugin {
	return slices.Concat(kafka(), debezium(), registries())
}

// kafka are those of Kafka Connect, which are header converters, too.
func kafka() []plugin.ConverterPlugin {
	const prefix = "org.apache.kafka.connect.converters."
	return []plugin.ConverterPlugin{
		{Info: info("org.apache.kafka.connect.json.JsonConverter", jsonConfig), New: newJSON},
		{Info: info("org.apache.kafka.connect.storage.StringConverter", stringConfig), New: always(converter.String{})},
		{Info: info(prefix+"ByteArrayConverter", config.Definition{}), New: always(converter.ByteArray{})},
		{Info: info(prefix+"ShortConverter", config.Definition{}), New: always(converter.Number{Type: data.Int16})},
		{Info: info(prefix+"IntegerConverter", config.Definition{}), New: always(converter.Number{Type: data.Int32})},
		{Info: info(prefix+"LongConverter", config.Definition{}), New: always(converter.Number{Type: data.Int64})},
		{Info: info(prefix+"FloatConverter", config.Definition{}), New: always(converter.Number{Type: data.Float32})},
		{Info: info(prefix+"DoubleConverter", config.Definition{}), New: always(converter.Number{Type: data.Float64})},
		{Info: info(prefix+"BooleanConverter", config.Definition{}), New: always(converter.Boolean{})},
	}
}

// info has the aliases that Kafka Connect gives: the class without its package, and that without
// "Converter".
func info(class string, d config.Definition) plugin.Info {
	simple := class[strings.LastIndex(class, ".")+1:]
	short := strings.TrimSuffix(strings.TrimSuffix(simple, "Converter"), "Header")
	return plugin.Info{Class: class, Aliases: []string{simple, short}, Version: version, Config: d}
}

func always(c converter.Converter) func(config.Values, bool) (converter.Converter, error) {
	return func(config.Values, bool) (converter.Converter, error) { return c, nil }
}

var stringConfig = config.Definition{Keys: []config.Key{
	{
		Name: "converter.encoding", Type: config.String, Default: "UTF-8", Importance: config.High,
		Unsupported: "text is UTF-8", Doc: "Character set of the text.",
	},
}}

var jsonConfig = config.Definition{Keys: []config.Key{
	{
		Name: "schemas.enable", Type: config.Boolean, Default: "true", Importance: config.High, Group: "Schemas", Label: "Enable Schemas",
		Doc: "Whether each key and value has its schema with it: {\"schema\":…,\"payload\":…}.",
	},
	{
		Name: "schemas.cache.size", Type: config.Int, Default: "1000", Importance: config.High, Group: "Schemas", Label: "Schema Cache Size",
		Doc: "How many schemas are remembered as JSON.",
	},
	{
		Name: "decimal.format", Type: config.String, Default: "BASE64", Importance: config.Low, Group: "Serialization", Label: "Decimal Format",
		Check: config.OneOf("BASE64", "NUMERIC"), Recommended: []string{"BASE64", "NUMERIC"},
		Doc: "How decimals are written: BASE64 is the bytes of the unscaled number, NUMERIC a number.",
	},
	{
		Name: "replace.null.with.default", Type: config.Boolean, Default: "true", Importance: config.Low, Group: "Serialization", Label: "Replace null with default",
		Doc: "Whether a field that is null and has a default is written as its default.",
	},
}}

func newJSON(c config.Values, _ bool) (converter.Converter, error) {
	return &converter.JSON{
		Schemas: c.Bool("schemas.enable"), MostSchemas: int(c.Int("schemas.cache.size")),
		NumericDecimals: strings.EqualFold(c.String("decimal.format"), "NUMERIC"),
		KeepNull:        !c.Bool("replace.null.with.default"),
	}, nil
}
