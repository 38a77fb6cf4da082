package debezium

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// TransactionBlock is the schema of a record's place in its transaction.
var TransactionBlock = versioned(&data.Schema{Type: data.StructType, Optional: true, Name: "event.block", Fields: []data.Field{
	{Name: "id", Schema: data.Of(data.String)},
	{Name: "total_order", Schema: data.Of(data.Int64)},
	{Name: "data_collection_order", Schema: data.Of(data.Int64)},
}})

var transactionCount = versioned(&data.Schema{Type: data.StructType, Optional: true, Name: "event.collection", Fields: []data.Field{
	{Name: "data_collection", Schema: data.Of(data.String)},
	{Name: "event_count", Schema: data.Of(data.Int64)},
}})

func versioned(s *data.Schema) *data.Schema {
	s.Version = 1
	return s
}

func transactionSchemas(a Adjuster) (key, value *data.Schema) {
	key = data.StructOf(a.Adjust("io.debezium.connector.common.TransactionMetadataKey"),
		data.Field{Name: "id", Schema: data.Of(data.String)})
	value = data.StructOf(a.Adjust("io.debezium.connector.common.TransactionMetadataValue"),
		data.Field{Name: "status", Schema: data.Of(data.String)},
		data.Field{Name: "id", Schema: data.Of(data.String)},
		data.Field{Name: "event_count", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "data_collections", Schema: &data.Schema{Type: data.Array, Optional: true, Value: transactionCount}},
		data.Field{Name: "ts_ms", Schema: data.Of(data.Int64)})
	return versioned(key), versioned(value)
}

// Transactions count the changes of each transaction, and make the records of its begin and end.
// Where provide.transaction.metadata is off, nothing is counted and no record made. One goroutine
// uses it.
type Transactions struct {
	on         bool
	topic      string
	key, value *data.Schema
	state      TransactionState
	id         any // state.id, boxed
	buckets    int // of the map that Debezium counts in
}

// NewTransactions with the settings.
func NewTransactions(s *Settings) *Transactions {
	t := &Transactions{on: s.Transactions, topic: s.Naming.Transactions(), buckets: 16}
	t.key, t.value = transactionSchemas(s.SchemaNames)
	return t
}

// State is how far the transaction under way has come, for the position to store.
func (t *Transactions) State() TransactionState { return t.state }

// Restore the transaction that was under way at a stored position.
func (t *Transactions) Restore(offset map[string]any) {
	if t.on {
		t.state = readTransaction(offset)
		t.id = t.state.id
		t.grow()
	}
}

// Begin appends the record of a transaction's begin, unless it is the one under way already, as
// it is after a restart within it.
func (t *Transactions) Begin(out []plugin.SourceRecord, id string, at time.Time, position plugin.Position) []plugin.SourceRecord {
	if !t.on || t.state.id == id {
		return out
	}
	t.state, t.id = TransactionState{id: id}, id
	return append(out, t.record("BEGIN", at, position))
}

// Event is the block of one more change in the transaction under way; nil outside of one. table
// is the table's full name.
func (t *Transactions) Event(table string) *data.Struct {
	if !t.on || t.state.id == "" {
		return nil
	}
	n := t.state.count(table)
	t.grow()
	return &data.Struct{Schema: TransactionBlock, Values: []any{t.id, t.state.total, n}}
}

// End appends the record of the end of the transaction under way, where there is one.
func (t *Transactions) End(out []plugin.SourceRecord, at time.Time, position plugin.Position) []plugin.SourceRecord {
	if !t.on || t.state.id == "" {
		return out
	}
	out = append(out, t.record("END", at, position))
	t.state, t.id = TransactionState{}, nil
	return out
}

func (t *Transactions) record(status string, at time.Time, position plugin.Position) plugin.SourceRecord {
	value := []any{status, t.id, nil, nil, at.UnixMilli()}
	if status == "END" {
		counts := make([]any, 0, len(t.state.counts))
		for _, c := range javaOrder(t.state.counts, t.buckets) {
			counts = append(counts, &data.Struct{Schema: transactionCount, Values: []any{c.table, c.n}})
		}
		value[2], value[3] = t.state.total, counts
	}
	return plugin.SourceRecord{At: position, Record: plugin.Record{
		Topic: t.topic, Partition: plugin.NoPartition, Timestamp: plugin.NoTimestamp,
		KeySchema: t.key, Key: &data.Struct{Schema: t.key, Values: []any{t.id}},
		ValueSchema: t.value, Value: &data.Struct{Schema: t.value, Values: value},
	}}
}

// grow as Java's HashMap does; it stays as large as it was once.
func (t *Transactions) grow() {
	for len(t.state.counts)*4 > t.buckets*3 {
		t.buckets *= 2
	}
}

// TransactionState is a transaction's id and how many changes each table has had in it. A copy
// does not change.
type TransactionState struct {
	id     string
	total  int64
	counts []tableCount
}

type tableCount struct {
	table string
	n     int64
}

const (
	transactionIDKey    = "transaction_id"
	transactionCountKey = "transaction_data_collection_order_"
)

// Put what Restore reads into an offset.
func (s TransactionState) Put(offset map[string]any) {
	if s.id != "" {
		offset[transactionIDKey] = s.id
	}
	for _, c := range s.counts {
		offset[transactionCountKey+c.table] = c.n
	}
}

func readTransaction(offset map[string]any) (s TransactionState) {
	s.id, _ = offset[transactionIDKey].(string)
	if s.id == "" {
		return TransactionState{}
	}
	for key, value := range offset {
		table, ok := strings.CutPrefix(key, transactionCountKey)
		if n := wholeNumber(value); ok && n > 0 {
			s.counts = append(s.counts, tableCount{table, n})
			s.total += n
		}
	}
	return s
}

// count copies, so that states handed out stay what they were.
func (s *TransactionState) count(table string) int64 {
	s.total++
	counts := make([]tableCount, len(s.counts), len(s.counts)+1)
	copy(counts, s.counts)
	s.counts = counts
	for i := range counts {
		if counts[i].table == table {
			counts[i].n++
			return counts[i].n
		}
	}
	s.counts = append(counts, tableCount{table, 1})
	return 1
}
