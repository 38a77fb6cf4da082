package node

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// brokerSettings are the broker's: those that are topics' defaults, and others.
var brokerSettings = newTable(append(topicDefaults(), []rule{
	{name: "auto.create.topics.enable", value: "true", kind: boolean(),
		doc: "Whether a topic that a client asks for is created."},
	{name: "default.replication.factor", value: "1", kind: only(kmsg.ConfigTypeInt, "1", "there is one broker"),
		doc: "How many replicas topics have that are created without a number."},
	{name: "delete.topic.enable", value: "true", kind: boolean(),
		doc: "Whether topics can be deleted."},
	{name: "fetch.max.bytes", value: "16777216", kind: intAtLeast(1024),
		doc: "The most bytes of one answer to a fetch."},
	{name: "group.initial.rebalance.delay.ms", value: "0", kind: intAtLeast(0),
		doc: "How long the first rebalance of an empty group waits for more members."},
	{name: "group.max.session.timeout.ms", value: "1800000", kind: intAtLeast(1),
		doc: "The longest session timeout a member of a group may ask for."},
	{name: "group.max.size", value: "10000", kind: intAtLeast(1),
		doc: "How many members a group may have."},
	{name: "group.min.session.timeout.ms", value: "6000", kind: intAtLeast(1),
		doc: "The shortest session timeout a member of a group may ask for."},
	{name: "log.cleaner.backoff.ms", value: "15000", kind: atLeast(0), dynamic: true,
		doc: "How long compaction pauses where there is nothing to do; here 5 s." + noEffect},
	{name: "log.cleaner.dedupe.buffer.size", value: "33554432", kind: atLeast(1 << 20),
		doc: "The memory for keys of the one compaction that runs at a time."},
	{name: "log.cleaner.enable", value: "true", kind: only(kmsg.ConfigTypeBoolean, "true", "the coordinators' logs need it"),
		doc: "Whether there is compaction."},
	{name: "log.cleaner.threads", value: "1", kind: intAtLeast(1), dynamic: true,
		doc: "How many compactions run at a time; here one." + noEffect},
	{name: "log.retention.check.interval.ms", value: "300000", kind: atLeast(1),
		doc: "How often segments are looked at for retention."},
	{name: "log.retention.hours", value: "168", kind: intAtLeast(-1),
		doc: "log.retention.ms in hours; that and log.retention.minutes go before it."},
	{name: "log.retention.minutes", value: "", kind: intAtLeast(-1),
		doc: "log.retention.ms in minutes; that goes before it."},
	{name: "log.roll.hours", value: "168", kind: intAtLeast(1),
		doc: "log.roll.ms in hours; that goes before it."},
	{name: "num.partitions", value: "4", kind: intAtLeast(1),
		doc: "How many partitions topics have that are created without a number."},
	{name: "offset.metadata.max.bytes", value: "4096", kind: intAtLeast(1),
		doc: "How long the text may be that is committed with an offset."},
	{name: "offsets.retention.minutes", value: "10080", kind: intAtLeast(1),
		doc: "How long a group's offsets are kept after its last member has gone."},
	{name: "producer.id.expiration.ms", value: "86400000", kind: intAtLeast(1), dynamic: true,
		doc: "How long a partition remembers an idle producer."},
	{name: "transaction.max.timeout.ms", value: "900000", kind: intAtLeast(1),
		doc: "The longest timeout that a transaction may ask for."},
	{name: "transactional.id.expiration.ms", value: "604800000", kind: intAtLeast(1),
		doc: "How long a transactional id is remembered after its last use."},
}...))

// topicDefaults are the broker's settings that are defaults of topics.
func topicDefaults() []rule {
	var rules []rule
	for _, t := range topicSettings.rules {
		if t.synonym == "" {
			continue
		}
		r := rule{name: t.synonym, value: t.value, kind: t.kind, doc: "The default of topics' " + t.name + ". " + t.doc, dynamic: true}
		rules = append(rules, r)
	}
	return rules
}

// units are settings that stand in for another one where that is not given, with the
// milliseconds of one; earlier ones go before later ones.
var units = map[string][]unit{
	"log.retention.ms": {{"log.retention.minutes", minute}, {"log.retention.hours", hour}},
	"log.roll.ms":      {{"log.roll.hours", hour}},
}

type unit struct {
	name   string
	millis int64
}

// unknownBroker says what to use instead of a name that is no setting of the broker.
func unknownBroker(name string) error {
	if t := topicSettings.byName[name]; t != nil && t.synonym != "" {
		return invalid("%s is a topic's setting; the broker's, which is the default of topics, is %s", name, t.synonym)
	}
	return invalid("%s is not a setting of this broker%s", name, like(brokerSettings, name))
}

func unknownTopic(name string) error {
	for _, t := range topicSettings.rules {
		if t.synonym == name {
			return invalid("%s is a setting of the broker; a topic's is %s", name, t.name)
		}
	}
	return invalid("%s is not a setting of topics on this broker%s", name, like(topicSettings, name))
}

// like names settings that have the last words of a name.
func like(t *table, name string) string {
	words := strings.Split(name, ".")
	var found []string
	for _, r := range t.rules {
		if len(words) > 1 && strings.HasSuffix(r.name, strings.Join(words[len(words)-2:], ".")) {
			found = append(found, r.name)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "; there is " + strings.Join(found, ", ")
}
