package mongodb

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/mongodb/internal/extjson"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// keyFormat is that of ids in keys, whatever json.serialization.mode says.
var keyFormat = extjson.Format{Mode: extjson.Relaxed}

// recordOverhead is about what a record takes besides its texts.
const recordOverhead = 1200

// recorder makes records of events and documents. One goroutine uses it.
type recorder struct {
	*settings
	sources      *debezium.SourceBlocks
	sourceSchema *data.Schema
	transactions *debezium.Transactions
	incremental  *incremental.Snapshot
	context      []plugin.Header
	collections  map[namespace]*collection
	buffer       []byte
	at           *position // after the last record
	skip         int64     // how many records of the first event are sent already
	now          any       // ts_ms of the records made now
}

func newRecorder(s *settings, context []plugin.Header, at *position) (*recorder, error) {
	r := &recorder{settings: s, context: context, sourceSchema: sourceSchema(s), transactions: debezium.NewTransactions(s.Settings), collections: map[namespace]*collection{}, at: at, skip: at.sent}
	r.sources = debezium.NewSourceBlocks(r.sourceSchema, "mongodb", s.Naming.Prefix)
	r.incremental = incremental.New(incremental.Config{
		Limit: int(s.values.Int("incremental.snapshot.chunk.size")), Strategy: s.values.String("incremental.snapshot.watermarking.strategy"),
		Show: showKey,
	})
	r.setTime(time.Now())
	stored := at.stored
	if stored == nil {
		stored = at.Offset()
	}
	if at.snapshot != nil {
		return r, nil
	}
	r.transactions.Restore(stored)
	return r, r.incremental.Restore(stored, tableID)
}

func (r *recorder) setTime(now time.Time) { r.now = now.UnixMilli() }

func (r *recorder) collection(ns namespace) *collection {
	c, ok := r.collections[ns]
	if !ok {
		const remembered = 10_000
		if len(r.collections) >= remembered {
			clear(r.collections)
		}
		c = newCollection(r.settings, ns, r.sourceSchema)
		r.collections[ns] = c
	}
	return c
}

var operations = map[string]debezium.Op{"insert": debezium.Create, "update": debezium.Update, "replace": debezium.Update, "delete": debezium.Delete}

// append the records of an event: none where it is not captured. All but the last have the
// position before the event, and how many of its records there were.
func (r *recorder) append(out []plugin.SourceRecord, e *event) ([]plugin.SourceRecord, error) {
	at := r.positionOf(e)
	op, known := operations[e.operation]
	if !known {
		r.at = at
		return out, nil
	}
	c := r.collection(e.ns)
	if !c.captured || r.Skipped[op] {
		r.at = at
		return out, nil
	}
	value, size, err := r.envelope(c, op, e)
	if err != nil {
		return out, fmt.Errorf("mongodb: a change of %s: %w", c.name, err)
	}
	from := len(out)
	source := r.source(c, e, at)
	out = r.transaction(out, c, e, value, at)
	value.Values[envelopeSource] = source
	key, err := r.key(c, e.key)
	if err != nil {
		return out, fmt.Errorf("mongodb: a change of %s: %w", c.name, err)
	}
	out = append(out, r.record(c, key, value))
	if op == debezium.Delete && r.Tombstones {
		out = append(out, r.record(c, key, nil))
	}
	at.transaction = r.transactions.State()
	for i := from; i < len(out)-1; i++ {
		out[i].At = r.at.within(int64(i - from + 1))
	}
	last := &out[len(out)-1]
	last.At, last.End, last.Bytes = at, !e.transactional, size+recordOverhead
	r.at = at
	return r.skipped(out, from), nil
}

// skipped leaves out those of the first event that were sent before the restart.
func (r *recorder) skipped(out []plugin.SourceRecord, from int) []plugin.SourceRecord {
	n := min(int(r.skip), len(out)-from-1)
	r.skip = 0
	if n <= 0 {
		return out
	}
	return slices.Delete(out, from, from+n)
}

func (r *recorder) positionOf(e *event) *position {
	at := r.at.next()
	at.sec, at.ord, at.token = int64(e.time.T), int64(int32(e.time.I)), bytes.Clone(e.token) //nolint:gosec // Java's int
	if e.transactional {
		if lsid, err := (extjson.Format{Mode: extjson.Strict}).Append(nil, e.lsid); err == nil {
			at.lsid, at.txn = string(lsid), e.txn
		}
	}
	at.transaction, at.incremental = r.transactions.State(), r.incremental.State()
	return at
}

func (r *recorder) source(c *collection, e *event, at *position) *data.Struct {
	when := time.Unix(int64(e.time.T), 0)
	if e.wall != 0 {
		when = time.UnixMilli(e.wall)
	}
	s := r.sources.New(when, debezium.NoSnapshot, c.ns.db)
	s.Values[sourceCollection], s.Values[sourceOrd] = c.ns.coll, int32(e.time.I) //nolint:gosec // Java's int
	if at.lsid != "" {
		s.Values[sourceLSID], s.Values[sourceTxnNumber] = at.lsid, at.txn
	}
	if e.wall != 0 {
		s.Values[sourceWallTime] = e.wall
	}
	return s
}

// transaction appends the records of the last one's end and this one's begin, and sets the block.
func (r *recorder) transaction(out []plugin.SourceRecord, c *collection, e *event, value *data.Struct, at *position) []plugin.SourceRecord {
	if !r.Transactions {
		return out
	}
	id, when := "", time.UnixMilli(e.wall)
	if e.wall == 0 {
		when = time.Unix(int64(e.time.T), 0)
	}
	if at.lsid != "" {
		id = fmt.Sprintf("%s:%d", at.lsid, at.txn)
	}
	if before := r.at; before.lsid == "" || id == "" || before.lsid != at.lsid || before.txn != at.txn {
		out = r.transactions.End(out, when, r.at)
	}
	if id == "" {
		return out
	}
	out = r.transactions.Begin(out, id, when, r.at)
	if block := r.transactions.Event(c.name); block != nil {
		value.Values[envelopeTransaction] = block
	}
	return out
}

func (r *recorder) key(c *collection, doc bson.Raw) (*data.Struct, error) {
	id, err := doc.LookupErr(idField)
	if err != nil {
		return nil, fmt.Errorf("the event has no documentKey._id; cursor.pipeline must leave it as it is")
	}
	if r.buffer, err = keyFormat.AppendValue(r.buffer[:0], id); err != nil {
		return nil, err
	}
	return &data.Struct{Schema: c.key, Values: []any{string(r.buffer)}}, nil
}

// record without a value is a tombstone.
func (r *recorder) record(c *collection, key, value *data.Struct) plugin.SourceRecord {
	record := plugin.SourceRecord{Record: plugin.Record{
		Topic: c.topic, Partition: plugin.NoPartition, Timestamp: plugin.NoTimestamp,
		KeySchema: c.key, Key: key, Headers: r.context,
	}}
	if value != nil {
		record.ValueSchema, record.Value = c.value, value
	}
	return record
}

// read is the record of a document that a snapshot read.
func (r *recorder) read(c *collection, row *row, at *position, kind debezium.Snapshot, when time.Time, ord int64) plugin.SourceRecord {
	value := data.NewStruct(c.value)
	source := r.sources.New(when, kind, c.ns.db)
	source.Values[sourceCollection], source.Values[sourceOrd] = c.ns.coll, int32(ord) //nolint:gosec // Java's int
	value.Values[envelopeAfter], value.Values[envelopeSource] = row.text, source
	value.Values[envelopeOp], value.Values[envelopeMillis] = string(debezium.Read), r.now
	record := r.record(c, &data.Struct{Schema: c.key, Values: []any{row.key}}, value)
	record.At, record.End, record.Bytes = at, true, row.bytes+recordOverhead
	return record
}
