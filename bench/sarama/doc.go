// Package sarama runs the client IBM/sarama, as it is, against the broker of package kafka/broker and
// Apache Kafka. Its tests are in the benchmarks' module, so that sarama is no dependency of ours.
package sarama
