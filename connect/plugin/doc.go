// Package plugin is what connectors, transforms, predicates and converters are to the runtime:
// plugins, known by the class names of Kafka Connect and Debezium.
package plugin
