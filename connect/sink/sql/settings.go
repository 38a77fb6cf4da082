package sql

import (
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
)

// Where the key of a row comes from.
const (
	keyNone   = "none"
	keyKafka  = "kafka"
	keyRecord = "record_key"
	keyValue  = "record_value"
	keyHeader = "record_header"
)

// How rows are written.
const (
	modeInsert = "insert"
	modeUpsert = "upsert"
	modeUpdate = "update"
)

// settings is a configuration of either class, ready for use.
type settings struct {
	dialect             dialect
	keys                keyNames
	url, user, password string
	mode                string
	deletes, truncate   bool
	format              string
	underscores         bool // for the points of topics in names of tables
	keyMode             string
	keyFields           []string
	create, evolve      bool
	keepCase            bool
	zone, postgis       string
	batch               int
	include, exclude    *debezium.Matcher
	only                []string // fields to store; empty is all
}

// keyNames are how a class calls its settings, for who reads what is wrong.
type keyNames struct{ mode, fields string }

// kafkaNames are the columns of a record's place.
var kafkaNames = []string{"__connect_topic", "__connect_partition", "__connect_offset"}

// check finds what single keys do not tell.
func (s *settings) check() (problems []config.Problem) {
	add := func(key, message string) { problems = append(problems, config.Problem{Key: key, Message: message}) }
	if s.mode != modeInsert && s.keyMode == keyNone {
		add("insert.mode", s.mode+" needs a key: set "+s.keys.mode+", such as to record_key")
	}
	if s.deletes && s.keyMode != keyRecord {
		add("delete.enabled", "deletions need "+s.keys.mode+"=record_key")
	}
	if s.mode == modeUpdate && s.keyMode == keyKafka {
		add("insert.mode", "no row is there yet to be updated by a place in Kafka: use insert or upsert")
	}
	if s.keyMode == keyKafka && len(s.keyFields) != 0 && len(s.keyFields) != len(kafkaNames) {
		add(s.keys.fields, "with the mode kafka it has three names, of topic, partition and offset, or none")
	}
	if strings.TrimSpace(s.format) == "" {
		add("collection.name.format", "it must not be empty")
	}
	return problems
}

// shown says whether a field is stored.
func (s *settings) shown(topic, name string) bool {
	switch {
	case s.include != nil:
		return s.include.Match(topic + ":" + name)
	case s.exclude != nil:
		return !s.exclude.Match(topic + ":" + name)
	}
	return true
}

// fold is the column's or table's name as the database has it.
func (s *settings) fold(name string) string {
	if s.keepCase || isMySQL(s.url) {
		return name
	}
	return strings.ToLower(name)
}
