// Package file is Kafka Connect's FileStream connectors, for trying things: lines of a file as
// records, and records as lines of a file.
package file

// version of Kafka Connect whose connectors these are.
const version = "4.3.1"
