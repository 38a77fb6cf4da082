// Package outbox has Debezium's routers of outbox tables and collections: each row is a message,
// with its topic, key, headers and payload in columns.
package outbox

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// Placements of additional fields.
const (
	inHeader    = "header"
	inEnvelope  = "envelope"
	asPartition = "partition"
)

// definition is the keys; prefix is "table" or "collection", and thing what has the fields.
func definition(prefix, column, id, key string) config.Definition {
	table := func(name, def string, importance config.Importance, doc string) config.Key {
		return config.Key{Name: prefix + "." + name, Type: config.String, Default: def, Importance: importance, Group: "Table", Doc: doc}
	}
	placement := table("fields.additional.placement", "", config.High,
		"More "+column+"s for the message: name:header, name:envelope or name:partition, with :alias behind for another name, separated by commas.")
	placement.Type, placement.Check = config.List, checkAdditions
	missing := table("field.additional.missing", "error", config.Medium, "What happens where a row does not have such a "+column+": error, or ignore.")
	missing.Check, missing.Recommended = config.OneOf("error", "ignore"), []string{"error", "ignore"}
	expand := table("expand.json.payload", "false", config.Medium,
		"Whether a payload that is text of JSON becomes a struct, with a schema found out from it. Text that is no JSON stays as it is.")
	expand.Type = config.Boolean
	keys := []config.Key{
		table("field.event.id", id, config.Low, "The "+column+" with the event's id, which becomes the header id."),
		table("field.event.key", key, config.Low, "The "+column+" with the message's key."),
		table("field.event.type", "type", config.Low, "The "+column+" with the event's type."),
		table("field.event.payload", "payload", config.Low, "The "+column+" with the message's value."),
		table("field.event.timestamp", "", config.Medium, "The "+column+" with the message's time; without it, that is when the change was processed."),
		placement, missing,
		table("field.event.schema.version", "", config.Low, "The "+column+" with the version that the schema of the value gets."),
		invalidOperation, expand,
	}
	if prefix == "table" {
		keys = append(keys, nullBehavior, emptyArrayBehavior)
	}
	return config.Definition{Keys: append(keys,
		routeBy, routeRegex, routeReplacement, routeTombstone,
		untraced("tracing.span.context.field", "tracingspancontext"), untraced("tracing.operation.name", "debezium-read"),
		untraced("tracing.with.context.field.only", "false"))}
}

var invalidOperation = config.Key{
	Name: "table.op.invalid.behavior", Type: config.String, Default: "warn", Group: "Table",
	Check: config.OneOf("warn", "error", "fatal"), Recommended: []string{"warn", "error", "fatal"},
	Doc: "What happens when a row is updated, which messages are not: warn and error write to the log and skip it, fatal fails the task.",
}

var (
	nullBehavior = config.Key{
		Name: "table.json.payload.null.behavior", Type: config.String, Default: "ignore", Group: "Table",
		Check: config.OneOf("ignore", "optional_bytes"), Recommended: []string{"ignore", "optional_bytes"},
		Doc: "What becomes of null in an expanded payload: ignore leaves the field out, optional_bytes keeps it as bytes that are null.",
	}
	emptyArrayBehavior = config.Key{
		Name: "table.json.payload.empty.array.behavior", Type: config.String, Default: "ignore", Group: "Table",
		Check: config.OneOf("ignore", "optional_string"), Recommended: []string{"ignore", "optional_string"},
		Doc: "What becomes of an empty array in an expanded payload: ignore leaves the field out, optional_string keeps it as an array of text.",
	}
)

var (
	routeBy = config.Key{
		Name: "route.by.field", Type: config.String, Default: "aggregatetype", Importance: config.High, Group: "Router",
		Doc: "What has the value that topics are named after.",
	}
	routeRegex = config.Key{
		Name: "route.topic.regex", Type: config.String, Default: "(?<routedByValue>.*)", Importance: config.Low, Group: "Router", Check: smt.CheckRegex,
		Doc: "Regular expression for that value.",
	}
	routeReplacement = config.Key{
		Name: "route.topic.replacement", Type: config.String, Default: "outbox.event.${routedByValue}", Importance: config.High, Group: "Router",
		Doc: "Name of the topic, with ${routedByValue} or other groups of the expression. A value that the expression does not match is the topic itself.",
	}
	routeTombstone = config.Key{
		Name: "route.tombstone.on.empty.payload", Type: config.Boolean, Default: "false", Importance: config.High, Group: "Router",
		Doc: "Whether a message without a payload is a tombstone.",
	}
)

func untraced(name, def string) config.Key {
	return config.Key{
		Name: name, Type: config.String, Default: def, Importance: config.Low, Group: "Tracing",
		Unsupported: "no spans are made here", Doc: "Belongs to Debezium's spans of OpenTelemetry.",
	}
}

// addition is one more field.
type addition struct{ field, placement, alias string }

func checkAdditions(v any) error {
	list, _ := v.([]string)
	_, err := parseAdditions(list)
	return err
}

func parseAdditions(list []string) ([]addition, error) {
	var all []addition
	for _, text := range list {
		parts := strings.Split(text, ":")
		if len(parts) < 2 || len(parts) > 3 {
			return nil, fmt.Errorf("A comma-separated list of valid String pairs or trios is expected but got: %s", text) //nolint:staticcheck // Debezium's own words
		}
		a := addition{field: strings.TrimSpace(parts[0]), placement: strings.ToLower(strings.TrimSpace(parts[1]))}
		switch a.placement {
		case inHeader, inEnvelope, asPartition:
		default:
			return nil, fmt.Errorf("%s is to be placed in %q: it is header, envelope or partition", a.field, a.placement)
		}
		if a.alias = a.field; len(parts) == 3 {
			a.alias = strings.TrimSpace(parts[2])
		}
		all = append(all, a)
	}
	return all, nil
}
