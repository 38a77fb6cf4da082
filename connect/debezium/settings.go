package debezium

import (
	"errors"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
)

// Settings are the options that all connectors have, ready for use. Those that only one part of a
// connector reads are in Values.
type Settings struct {
	Values config.Values
	// Naming of topics.
	Naming Naming
	// SchemaNames and FieldNames make names valid.
	SchemaNames, FieldNames Adjuster
	// Tombstones follow deletions.
	Tombstones bool
	// Skipped operations are left out.
	Skipped map[Op]bool
	// SkipUnchanged leaves out updates that change no visible column.
	SkipUnchanged bool
	// Transactions say whether records carry the place in their transaction, and whether its begin
	// and end are records of their own.
	Transactions bool
	// ContextHeaders say whether each record names its connector and task.
	ContextHeaders bool
	// Heartbeat is how often there is one; 0 is never.
	Heartbeat time.Duration
	// MaxBatch is how many records a batch has at most; MaxQueue and MaxQueueBytes how much waits,
	// where 0 bytes leaves it to the memory that the task has.
	MaxBatch, MaxQueue int
	MaxQueueBytes      int64
}

// NewSettings of a configuration that a definition with CommonKeys parsed. strategy is the default
// of topic.naming.strategy.
func NewSettings(v config.Values, strategy string) (*Settings, error) {
	s := &Settings{
		Values:         v,
		SchemaNames:    SchemaAdjuster(v.String("schema.name.adjustment.mode")),
		FieldNames:     FieldAdjuster(v.String("field.name.adjustment.mode")),
		Tombstones:     v.Bool("tombstones.on.delete"),
		Skipped:        map[Op]bool{},
		SkipUnchanged:  v.Bool("skip.messages.without.change"),
		Transactions:   v.Bool("provide.transaction.metadata"),
		ContextHeaders: v.Bool("extended.headers.enabled"),
		Heartbeat:      v.Millis("heartbeat.interval.ms"),
		MaxBatch:       int(v.Int("max.batch.size")),
		MaxQueue:       int(v.Int("max.queue.size")),
		MaxQueueBytes:  v.Int("max.queue.size.in.bytes"),
	}
	if v.Set("topic.naming.strategy") {
		strategy = v.String("topic.naming.strategy")
	}
	s.Naming = Naming{
		Prefix: v.String("topic.prefix"), Delimiter: v.String("topic.delimiter"), Strategy: strategy,
		HeartbeatPrefix: v.String("topic.heartbeat.prefix"), HeartbeatName: v.String("topic.heartbeat.name"),
		TransactionName: v.String("topic.transaction"),
	}
	for _, op := range v.List("skipped.operations") {
		if op = strings.ToLower(op); op != "none" {
			s.Skipped[Op(op)] = true
		}
	}
	if s.Naming.Prefix == "" {
		return nil, errors.New("topic.prefix is missing")
	}
	return s, nil
}
