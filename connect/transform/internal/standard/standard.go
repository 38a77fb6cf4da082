// Package standard has the transforms and predicates that come with Kafka Connect.
package standard

import (
	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// version of Apache Kafka whose behaviour the transforms have.
const version = "4.0.0"

const prefix = "org.apache.kafka.connect.transforms."

// Plugins are the transforms, in the order of their names.
func Plugins() []plugin.TransformPlugin {
	all := both("Cast", castConfig, newCast)
	all = append(all, one("DropHeaders", dropHeadersConfig, newDropHeaders))
	all = append(all, both("ExtractField", extractFieldConfig, newExtractField)...)
	all = append(all, one("Filter", config.Definition{}, newFilter))
	all = append(all, both("Flatten", flattenConfig, newFlatten)...)
	all = append(all, both("HeaderFrom", headerFromConfig, newHeaderFrom)...)
	all = append(all, both("HoistField", hoistFieldConfig, newHoistField)...)
	all = append(all, both("InsertField", insertFieldConfig, newInsertField)...)
	all = append(all, one("InsertHeader", insertHeaderConfig, newInsertHeader))
	all = append(all, both("MaskField", maskFieldConfig, newMaskField)...)
	all = append(all, one("RegexRouter", regexRouterConfig, newRegexRouter))
	all = append(all, both("ReplaceField", replaceFieldConfig, newReplaceField)...)
	all = append(all, both("SetSchemaMetadata", setSchemaMetadataConfig, newSetSchemaMetadata)...)
	all = append(all, both("TimestampConverter", timestampConverterConfig, newTimestampConverter)...)
	all = append(all, one("TimestampRouter", timestampRouterConfig, newTimestampRouter))
	return append(all, one("ValueToKey", valueToKeyConfig, newValueToKey))
}

func one(name string, d config.Definition, make func(config.Values) (plugin.Transform, error)) plugin.TransformPlugin {
	return plugin.TransformPlugin{Info: info(prefix, name, d), New: make}
}

// both are the transforms of the key and of the value.
func both(name string, d config.Definition, make func(config.Values, smt.Part) (plugin.Transform, error)) []plugin.TransformPlugin {
	of := func(part smt.Part, suffix string) plugin.TransformPlugin {
		return one(name+suffix, d, func(c config.Values) (plugin.Transform, error) { return make(c, part) })
	}
	return []plugin.TransformPlugin{of(smt.Key, "$Key"), of(smt.Value, "$Value")}
}

func info(prefix, name string, d config.Definition) plugin.Info {
	return plugin.Info{Class: prefix + name, Aliases: []string{name}, Version: version, Config: d}
}

// defaultsCount is the key that many transforms have.
var defaultsCount = config.Key{
	Name: "replace.null.with.default", Type: config.Boolean, Default: "true",
	Doc: "Whether a field that is null and has a default becomes its default. Where it is false the field stays null.",
}

func withDefaults(keys ...config.Key) config.Definition {
	return config.Definition{Keys: append(keys, defaultsCount)}
}

// notEmptyList is worded as Kafka Connect's check.
func notEmptyList(v any) error {
	if list, _ := v.([]string); len(list) > 0 {
		return nil
	}
	return errEmptyList
}
