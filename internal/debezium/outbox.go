package debezium

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The tables have placeholders, $BYTES and $DATETIME, for the types that each database names
// in its own way.
var (
	//go:embed sql/outbox-tables.sql
	outboxTables string
	//go:embed sql/outbox-changes.sql
	outboxChanges string
)

// outboxRouter is an event router for the rows of one table or collection.
type outboxRouter struct {
	table   string
	options map[string]string
}

// sqlRouters has the main options of Debezium's event router for tables, by the tables of
// sql/*-tables.sql.
var sqlRouters = []outboxRouter{
	{"box_plain", nil},
	{"box_headers", map[string]string{"table.fields.additional.placement": "type:header:eventType,tenant:header,at:header,price:header:cost,day:header,flag:header,meta:header,raw:header,aggregateid:header",
		"table.op.invalid.behavior": "error"}},
	{"box_envelope", map[string]string{"table.fields.additional.placement": "type:envelope:eventType,tenant:envelope,tenant:header:who",
		"table.field.event.timestamp": "at", "table.field.event.schema.version": "version"}},
	{"box_expanded", map[string]string{"table.expand.json.payload": "true"}},
	{"box_nulls", map[string]string{"table.expand.json.payload": "true", "table.json.payload.null.behavior": "optional_bytes"}},
	{"box_routed", map[string]string{"table.field.event.id": "code", "table.field.event.key": "ref", "table.field.event.payload": "body", "route.by.field": "kind",
		"route.topic.regex": `(.*)-(.*)`, "route.topic.replacement": "$PREFIX.$2.$1", "route.tombstone.on.empty.payload": "true"}},
}

// mongoRouters has those for collections.
var mongoRouters = []outboxRouter{
	{"box_plain", nil},
	{"box_headers", map[string]string{"collection.fields.additional.placement": "type:header:eventType,tenant:header,at:header,price:header:cost,flag:header,aggregateid:header"}},
	{"box_envelope", map[string]string{"collection.fields.additional.placement": "type:envelope:eventType,tenant:envelope,tenant:header:who",
		"collection.field.event.timestamp": "at", "collection.field.event.schema.version": "version"}},
	{"box_expanded", map[string]string{"collection.expand.json.payload": "true"}},
	{"box_routed", map[string]string{"collection.field.event.key": "ref", "collection.field.event.payload": "body", "route.by.field": "kind",
		"route.topic.regex": `(.*)-(.*)`, "route.topic.replacement": "$PREFIX.$2.$1", "route.tombstone.on.empty.payload": "true"}},
}

// timedTopic is where the time of records is that of a column, so that it is compared, too.
const timedTopic = ".Envelope"

// routed is the settings of a connector with the routers, each for its own table's topic; what
// passes by them stays as it is. The topics all begin with the prefix.
func routed(class, prefix string, routers []outboxRouter, more map[string]string) map[string]string {
	out := maps.Clone(more)
	var transforms, predicates []string
	for _, r := range routers {
		of := "of_" + r.table
		transforms, predicates = append(transforms, r.table), append(predicates, of)
		out["predicates."+of+".type"] = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"
		out["predicates."+of+".pattern"] = `.*\.` + r.table
		for key, value := range r.options {
			out["transforms."+r.table+"."+key] = strings.ReplaceAll(value, "$PREFIX", prefix)
		}
		out["transforms."+r.table+".type"], out["transforms."+r.table+".predicate"] = class, of
		if replacement := "transforms." + r.table + ".route.topic.replacement"; out[replacement] == "" && prefix != "outbox" {
			out[replacement] = prefix + ".event.${routedByValue}"
		}
	}
	out["transforms"], out["predicates"] = strings.Join(transforms, ","), strings.Join(predicates, ",")
	return out
}

const (
	tableRouter      = "io.debezium.transforms.outbox.EventRouter"
	collectionRouter = "io.debezium.connector.mongodb.transforms.outbox.MongoEventRouter"
)

// compareTimes of the records whose time a column tells.
func compareTimes(t testing.TB, reference, ours Topics) {
	t.Helper()
	found := 0
	for _, topic := range slices.Sorted(maps.Keys(reference)) {
		if !strings.HasSuffix(topic, timedTopic) {
			continue
		}
		for i := range min(len(reference[topic]), len(ours[topic])) {
			found++
			if a, b := reference[topic][i].Time, ours[topic][i].Time; a != b {
				t.Error(fmt.Sprintf("%s, record %d: the reference has the time %d, ours %d", topic, i, a, b))
			}
		}
	}
	if found == 0 {
		t.Errorf("there is no record in a topic like *%s", timedTopic)
	}
}
