package debezium

import (
	"strings"
	"unicode/utf16"
)

// Strategies of naming topics, by the class names of topic.naming.strategy.
const (
	SchemaStrategy         = "io.debezium.schema.SchemaTopicNamingStrategy"
	DefaultStrategy        = "io.debezium.schema.DefaultTopicNamingStrategy"
	SchemaUnicodeStrategy  = "io.debezium.schema.SchemaUnicodeTopicNamingStrategy"
	DefaultUnicodeStrategy = "io.debezium.schema.DefaultUnicodeTopicNamingStrategy"
)

// Naming names topics. The zero value of its optional fields is their default.
type Naming struct {
	// Prefix is topic.prefix.
	Prefix string
	// Delimiter between the parts of a name; "" is ".".
	Delimiter string
	// Strategy is a class name; "" is SchemaStrategy.
	Strategy string
	// HeartbeatPrefix; "" is "__debezium-heartbeat".
	HeartbeatPrefix string
	// HeartbeatName is the whole name of the heartbeats' topic, where it is set.
	HeartbeatName string
	// TransactionName is that of the topic of transactions, after the Prefix; "" is "transaction".
	TransactionName string
}

// Changes is the topic of a table's changes.
func (n Naming) Changes(id TableID) string {
	first := id.Schema
	if n.Strategy == DefaultStrategy || n.Strategy == DefaultUnicodeStrategy {
		first = id.Catalog
	}
	return n.sanitize(n.join(n.Prefix, first, id.Table))
}

// SchemaChanges is the topic of changes of tables' definitions.
func (n Naming) SchemaChanges() string { return n.Prefix }

// Heartbeat is the topic of heartbeats.
func (n Naming) Heartbeat() string {
	if n.HeartbeatName != "" {
		return n.HeartbeatName
	}
	return n.join(or(n.HeartbeatPrefix, "__debezium-heartbeat"), n.Prefix)
}

// Transactions is the topic of transactions' begins and ends.
func (n Naming) Transactions() string {
	return n.join(n.Prefix, or(n.TransactionName, "transaction"))
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

func (n Naming) join(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		if strings.TrimSpace(part) == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(or(n.Delimiter, "."))
		}
		b.WriteString(part)
	}
	return b.String()
}

// maxTopic is Kafka's limit of a topic's name.
const maxTopic = 249

func (n Naming) sanitize(topic string) string {
	unicode := n.Strategy == SchemaUnicodeStrategy || n.Strategy == DefaultUnicodeStrategy
	replace := func(c uint16) string {
		if unicode {
			return escaped(c)
		}
		return "_"
	}
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(topic)) {
		if topicCharacter(c) && !(unicode && c == '_') {
			b.WriteByte(byte(c))
			continue
		}
		b.WriteString(replace(c))
	}
	switch out := b.String(); {
	case len(out) > maxTopic:
		return out[:maxTopic]
	case out == ".", out == "..":
		return strings.Repeat(replace('.'), len(out))
	default:
		return out
	}
}

func topicCharacter(c uint16) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}
