// Package rest is Kafka Connect's REST API over a worker: paths, status codes and JSON are those
// of Kafka Connect 4.x, so that its clients work. Any worker of the group takes changes.
package rest
