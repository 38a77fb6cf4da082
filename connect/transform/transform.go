// Package transform changes records on their way between a connector and Kafka: the single message
// transforms and predicates of Kafka Connect and Debezium, by their class names and options, and
// the Chain that a connector's configuration makes of them.
//
// Regular expressions are Go's: what Java's can do more, such as looking ahead, is refused.
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
