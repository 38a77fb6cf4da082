package debezium

import "github.com/pabal-dev/pabal/connect/data"

// Op is what happened to a row.
type Op string

// Operations.
const (
	Create   Op = "c"
	Update   Op = "u"
	Delete   Op = "d"
	Read     Op = "r" // by a snapshot
	Truncate Op = "t"
	Message  Op = "m"
)

// Fields of an envelope, by their places.
const (
	EnvelopeBefore = iota
	EnvelopeAfter
	EnvelopeSource
	EnvelopeTransaction
	EnvelopeOp
	EnvelopeTSMillis
	EnvelopeTSMicros
	EnvelopeTSNanos
	envelopeFields
)

// EnvelopeSchema is that of a table's changes. The name ends with ".Envelope".
func EnvelopeSchema(name string, value, source *data.Schema) *data.Schema {
	s := data.StructOf(name,
		data.Field{Name: "before", Schema: value},
		data.Field{Name: "after", Schema: value},
		data.Field{Name: "source", Schema: source},
		data.Field{Name: "transaction", Schema: TransactionBlock},
		data.Field{Name: "op", Schema: data.Of(data.String)},
		data.Field{Name: "ts_ms", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "ts_us", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "ts_ns", Schema: data.OptionalOf(data.Int64)},
	)
	s.Version = 2
	return s
}

// envelope is a struct and its values in one piece of memory.
type envelope struct {
	data.Struct
	values [envelopeFields]any
}

// newEnvelope of the parts; before, after and transaction may be nil.
func newEnvelope(r *room, s *data.Schema, op Op, before, after, source, transaction *data.Struct, now *Instant) *data.Struct {
	e := r.newEnvelope()
	e.Schema, e.Values = s, e.values[:]
	if before != nil {
		e.values[EnvelopeBefore] = before
	}
	if after != nil {
		e.values[EnvelopeAfter] = after
	}
	if source != nil {
		e.values[EnvelopeSource] = source
	}
	if transaction != nil {
		e.values[EnvelopeTransaction] = transaction
	}
	e.values[EnvelopeOp] = op.value()
	e.values[EnvelopeTSMillis], e.values[EnvelopeTSMicros], e.values[EnvelopeTSNanos] = now.Millis, now.Micros, now.Nanos
	return &e.Struct
}

// value is boxed once for all.
func (o Op) value() any {
	switch o {
	case Create:
		return createValue
	case Update:
		return updateValue
	case Delete:
		return deleteValue
	case Read:
		return readValue
	}
	return string(o)
}

var createValue, updateValue, deleteValue, readValue any = "c", "u", "d", "r"
