// Package apachetest compares the broker's answers with those of Apache Kafka: the same
// requests go to both, in the oldest and in the newest version that both serve, and what
// differs must be listed with the reason.
package apachetest
