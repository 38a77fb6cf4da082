// Package transform changes records on their way between a connector and Kafka: the single message
// transforms and predicates of Kafka Connect and Debezium, by their class names and options, and
// the Chain that a connector's configuration makes of them.
//
// What differs from theirs, on purpose:
//   - Regular expressions are Go's. What Java's can do more, such as looking ahead, is refused
//     when the connector is created, as are replacements by groups that an expression does not have.
//   - What Kafka Connect finds wrong only when a task starts, such as InsertField without a field,
//     is a problem of the configuration here.
//   - Filter and ContentBasedRouter take the language expr instead of Groovy and JavaScript.
//   - Maps without a schema keep the order of their keys.
//   - MaskField hides a decimal by a zero of its schema's scale.
//   - A payload of EventRouter that is a JSON array is not expanded.
package transform

import (
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/debezium"
	"github.com/pabal-dev/pabal/connect/transform/internal/standard"
)

// Plugins are all transforms.
func Plugins() []plugin.TransformPlugin { return append(standard.Plugins(), debezium.Plugins()...) }

// Predicates are all predicates.
func Predicates() []plugin.PredicatePlugin { return standard.Predicates() }
