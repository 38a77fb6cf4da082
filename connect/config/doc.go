// Package config defines, parses and checks the configurations of connectors, transforms and
// converters: maps of text under the keys that Kafka Connect and Debezium use.
package config
