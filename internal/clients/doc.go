// Package clients runs the clients of Apache Kafka that others wrote, as they are, against the
// broker of package kafka/broker: kcat and Confluent's client for Python (librdkafka), kafkajs,
// Apache Kafka's own command-line tools and the programs of its system tests, Kafka Streams, Kafka
// Connect with Debezium and the integration tests of franz-go. What they expect is checked on
// Apache Kafka, too. docs/compatibility.md has the results.
//
// make test runs a share of it, PABAL_TEST_FULL=1 all. A client on sarama, which is no dependency
// of ours, is tested in bench/sarama.
package clients
