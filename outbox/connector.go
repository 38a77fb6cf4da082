package outbox

import (
	"regexp"
	"strconv"
	"strings"
)

// Connector is a connector for change data capture that publishes outboxes in one
// PostgreSQL database, as relays would: Debezium's source and its outbox event router,
// followed by a transform of Pabal's own (OutboxEvent), which makes CloudEvents of the
// headers. All but SSLMode is required. Outboxes with rows and without (ByMessage) are the same to it.
// Rows that are a relay's it leaves out: a Sweeper makes a new outbox a connector's when it starts,
// and Move one that is in use.
type Connector struct {
	// Host, Port, User, Password and Database of PostgreSQL. Password may be a reference,
	// such as ${env:PGPASSWORD}, and so may the others.
	Host           string
	Port           uint16
	User, Password string
	Database       string
	// SSLMode is libpq's; "prefer" where empty.
	SSLMode string
	// Schemas that have an outbox.
	Schemas []string
	// Slot is the name of the replication slot and of the publication, which the connector
	// makes where they are missing.
	Slot string
}

// Config is the connector's configuration. Its snapshot publishes the rows that are there when
// the connector comes, and all that are left where its slot was lost: consumers know those that
// had been published before by their ids.
func (c Connector) Config() map[string]string {
	var tables []string
	for _, schema := range c.Schemas {
		tables = append(tables, regexp.QuoteMeta(schema)+`\.pabal_outbox`)
	}
	m := map[string]string{
		"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1", "plugin.name": "pgoutput",
		"database.hostname": c.Host, "database.port": strconv.Itoa(int(c.Port)), "database.user": c.User,
		"database.password": c.Password, "database.dbname": c.Database,
		"topic.prefix": c.Slot, "slot.name": c.Slot, "publication.name": c.Slot, "publication.autocreate.mode": "filtered",
		"table.include.list": strings.Join(tables, ","), "snapshot.mode": "when_needed",
		// Outboxes without rows: messages are under the tables' names.
		"message.prefix.include.list": strings.Join(tables, ","),
		// What is caused by a message must not come before the row that it tells of is seen. Ours; Debezium
		// leaves it unheeded.
		"visible.transactions.only": "true",
		// Rows are inserted, and deleted once they are published; that is no message.
		"skipped.operations": "u,d,t", "tombstones.on.delete": "false",
		"key.converter":                         "org.apache.kafka.connect.storage.StringConverter",
		"value.converter":                       "org.apache.kafka.connect.converters.ByteArrayConverter",
		"header.converter":                      "org.apache.kafka.connect.storage.StringConverter",
		"transforms":                            "decode,outbox,event",
		"transforms.decode.type":                "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent",
		"transforms.decode.fields.null.include": "true",
		"transforms.outbox.type":                "io.debezium.transforms.outbox.EventRouter",
		"transforms.outbox.route.by.field":      "topic", "transforms.outbox.route.topic.replacement": "${routedByValue}",
		"transforms.outbox.table.field.event.id": "event_id", "transforms.outbox.table.field.event.key": "key",
		"transforms.outbox.table.fields.additional.placement": strings.Join([]string{
			"event_id:header:ce_id", "type:header:ce_type", "source:header:ce_source", "time:header:ce_time",
			"correlation_id:header:ce_correlationid", "causation_id:header:ce_causationid", "traceparent:header:ce_traceparent",
			"content_type:header:content-type", "headers:header:pabal-headers", "way:header:pabal-way",
			"payload_encoding:header:pabal-encoding",
		}, ","),
		"transforms.outbox.table.field.additional.missing": "ignore", // a row has no encoding, a message leaves out what is empty
		"transforms.event.type":                            "dev.pabal.connect.transforms.OutboxEvent",
		// Where topics are made by the connector: dead letters go to some that nobody made.
		"topic.creation.default.replication.factor": "-1", "topic.creation.default.partitions": "-1",
	}
	if c.SSLMode != "" {
		m["database.sslmode"] = c.SSLMode
	}
	return m
}

// MongoConnector is a connector that publishes the outbox of one database of a MongoDB replica set, as
// a relay would; its documents stay.
type MongoConnector struct {
	// URL is the connection string, or a reference such as ${env:MONGODB_URL}.
	URL string
	// Database that has the outbox.
	Database string
	// Prefix begins the names of what the connector makes for itself.
	Prefix string
}

// Config is the connector's configuration.
func (c MongoConnector) Config() map[string]string {
	return map[string]string{
		"connector.class": "io.debezium.connector.mongodb.MongoDbConnector", "tasks.max": "1",
		"mongodb.connection.string": c.URL, "topic.prefix": c.Prefix,
		"collection.include.list": regexp.QuoteMeta(c.Database) + `\.pabal_outbox`,
		"skipped.operations":      "u,d,t", "tombstones.on.delete": "false",
		"key.converter":    "org.apache.kafka.connect.storage.StringConverter",
		"value.converter":  "org.apache.kafka.connect.converters.ByteArrayConverter",
		"header.converter": "org.apache.kafka.connect.storage.StringConverter",
		"transforms":       "outbox,event", "transforms.outbox.type": "io.debezium.connector.mongodb.transforms.outbox.MongoEventRouter",
		"transforms.outbox.route.by.field": "topic", "transforms.outbox.route.topic.replacement": "${routedByValue}",
		"transforms.outbox.collection.field.event.id": "eventId", "transforms.outbox.collection.field.event.key": "key",
		"transforms.outbox.collection.fields.additional.placement": strings.Join([]string{
			"eventId:header:ce_id", "type:header:ce_type", "source:header:ce_source", "time:header:ce_time",
			"correlationId:header:ce_correlationid", "causationId:header:ce_causationid", "traceparent:header:ce_traceparent",
			"contentType:header:content-type", "headers:header:pabal-headers",
		}, ","),
		"transforms.outbox.collection.field.additional.missing": "ignore", // headers, where there are none
		"transforms.event.type":                                 "dev.pabal.connect.transforms.OutboxEvent",
	}
}
