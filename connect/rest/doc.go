// Package rest is Kafka Connect's REST API over a worker: paths, status codes and JSON are those
// of Kafka Connect 4.x, so that its clients work. Changes go to the leader of the group; other
// workers pass them on.
package rest
