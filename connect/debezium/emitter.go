package debezium

import (
	"reflect"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Headers of the two records that a changed primary key becomes.
const (
	OldKeyHeader = "__debezium.oldkey"
	NewKeyHeader = "__debezium.newkey"
)

// Change of a row. Rows have a value per column of the Table; they belong to the records from
// then on.
type Change struct {
	Op    Op
	Table *Table
	// Before and After are nil where there is none, or the database does not tell it.
	Before, After []any
	Source        *data.Struct
	// At is where the source is after the change.
	At plugin.Position
	// End says that a transaction ends with the change.
	End bool
	// Bytes is about how much memory the change takes; 0 is unknown.
	Bytes int
}

// Emitter makes records of changes. One goroutine uses it.
type Emitter struct {
	// Transactions are those that changes belong to, unless a snapshot read them.
	Transactions *Transactions

	settings *Settings
	context  []plugin.Header
	now      Instant
	at       plugin.Position
	shared   room
	room     *room // of the change under way
}

// NewEmitter for the records of one run of a task that starts at a position. context is what
// ContextHeaders made; nil is none.
func NewEmitter(s *Settings, context []plugin.Header, start plugin.Position) *Emitter {
	return &Emitter{Transactions: NewTransactions(s), settings: s, context: context, at: start}
}

// Now sets the time that records say they were made at: once per batch is often enough.
func (e *Emitter) Now(t time.Time) { e.now.Set(t) }

// Moved says that the source is at a position though no change brought it there.
func (e *Emitter) Moved(at plugin.Position) { e.at = at }

// Append the records of a change: none where its operation is skipped, else up to three. All but
// the last carry the position before the change, so that a source that starts there makes all of
// them again.
func (e *Emitter) Append(out []plugin.SourceRecord, c *Change) []plugin.SourceRecord {
	if e.now.Nanos == nil {
		e.Now(time.Now())
	}
	if e.room = nil; c.Bytes > 0 && c.Bytes <= mostShared {
		e.room = &e.shared
	}
	from := len(out)
	switch c.Op {
	case Create, Read:
		out = e.record(out, c, c.Op, c.Table.keyIn(e.room, c.After), nil, c.Table.valueIn(e.room, c.After), nil)
	case Update:
		out = e.update(out, c)
	case Delete:
		out = e.delete(out, c, c.Table.keyIn(e.room, c.Before), c.Table.valueIn(e.room, c.Before), nil)
	case Truncate:
		out = e.record(out, c, Truncate, nil, nil, nil, nil)
	}
	for i := from; i < len(out); i++ {
		out[i].At = e.at
	}
	if last := len(out) - 1; last >= from {
		out[last].At, out[last].End, out[last].Bytes = c.At, c.End, c.Bytes
	}
	e.at = c.At
	return out
}

func (e *Emitter) update(out []plugin.SourceRecord, c *Change) []plugin.SourceRecord {
	newKey := c.Table.keyIn(e.room, c.After)
	same := c.Table.Key == nil || c.Before == nil || c.Table.sameKey(c.Before, c.After)
	var oldKey *data.Struct
	if !same {
		oldKey = c.Table.keyIn(e.room, c.Before)
	}
	before, after := c.Table.valueIn(e.room, c.Before), c.Table.valueIn(e.room, c.After)
	if e.settings.SkipUnchanged && before != nil && after != nil && reflect.DeepEqual(before.Values, after.Values) {
		return out
	}
	if same {
		return e.record(out, c, Update, newKey, before, after, nil)
	}
	out = e.delete(out, c, oldKey, before, []plugin.Header{{Key: NewKeyHeader, Schema: c.Table.Key, Value: newKey}})
	return e.record(out, c, Create, newKey, nil, after, []plugin.Header{{Key: OldKeyHeader, Schema: c.Table.Key, Value: oldKey}})
}

func (e *Emitter) delete(out []plugin.SourceRecord, c *Change, key, before *data.Struct, headers []plugin.Header) []plugin.SourceRecord {
	n := len(out)
	out = e.record(out, c, Delete, key, before, nil, headers)
	if len(out) == n || !e.settings.Tombstones {
		return out
	}
	tombstone := out[n]
	tombstone.ValueSchema, tombstone.Value = nil, nil
	return append(out, tombstone)
}

func (e *Emitter) record(out []plugin.SourceRecord, c *Change, op Op, key, before, after *data.Struct, headers []plugin.Header) []plugin.SourceRecord {
	if e.settings.Skipped[op] {
		return out
	}
	var transaction *data.Struct
	if op != Read {
		transaction = e.Transactions.Event(c.Table.name)
	}
	r := plugin.SourceRecord{Record: plugin.Record{
		Topic: c.Table.Topic, Partition: plugin.NoPartition, Timestamp: plugin.NoTimestamp,
		ValueSchema: c.Table.Envelope,
		Value:       newEnvelope(e.room, c.Table.Envelope, op, before, after, c.Source, transaction, &e.now),
		Headers:     e.context,
	}}
	if key != nil {
		r.KeySchema, r.Key = c.Table.Key, key
	}
	if headers != nil {
		r.Headers = append(headers, e.context...)
	}
	return append(out, r)
}

// equalValue avoids reflection for the types that keys mostly have.
func equalValue(a, b any) bool {
	switch v := a.(type) {
	case int64, int32, int16, int8, string, bool, nil:
		return v == b
	}
	return reflect.DeepEqual(a, b)
}
