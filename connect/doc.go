// Package connect runs connectors as Kafka Connect's distributed workers do: the same
// configurations, topics and records, so that what ran there runs here. Workers of one group
// share the connectors and take over from one that is gone. Sources are exactly-once: records
// and the source's offset are one Kafka transaction, and who took a task over fences who had it.
//
// The REST API is package rest. Connectors, transforms and converters are plugins.
package connect
