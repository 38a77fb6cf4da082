package server

import (
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
)

// settings are those of the broker that what answers requests goes by. They cannot be
// changed while it runs.
type settings struct {
	autoCreate, deleteTopics bool

	fetchBytes                int
	groupSize, metadataBytes  int
	minSession, maxSession    time.Duration
	rebalanceDelay            time.Duration // negative: none
	offsetsRetention          time.Duration
	txnTimeout, txnExpiration time.Duration
}

func readSettings(n *node.Node) settings {
	is := func(name string) bool { return n.BrokerSetting(name) == "true" }
	number := func(name string) int64 {
		value, _ := strconv.ParseInt(n.BrokerSetting(name), 10, 64) // was checked
		return value
	}
	millis := func(name string) time.Duration { return time.Duration(number(name)) * time.Millisecond }
	s := settings{
		autoCreate: is("auto.create.topics.enable"), deleteTopics: is("delete.topic.enable"),
		fetchBytes: int(number("fetch.max.bytes")),
		groupSize:  int(number("group.max.size")), metadataBytes: int(number("offset.metadata.max.bytes")),
		minSession: millis("group.min.session.timeout.ms"), maxSession: millis("group.max.session.timeout.ms"),
		rebalanceDelay:   millis("group.initial.rebalance.delay.ms"),
		offsetsRetention: time.Duration(number("offsets.retention.minutes")) * time.Minute,
		txnTimeout:       millis("transaction.max.timeout.ms"), txnExpiration: millis("transactional.id.expiration.ms"),
	}
	if s.rebalanceDelay == 0 {
		s.rebalanceDelay = -1
	}
	return s
}
