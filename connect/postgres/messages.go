package postgres

import (
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// messageFilter says which prefixes of logical messages are captured.
type messageFilter struct{ include, exclude *debezium.Matcher }

func newMessageFilter(v config.Values) (f messageFilter, err error) {
	read := func(key string) (*debezium.Matcher, error) {
		text, _ := v.Raw(key)
		m, err := debezium.ParseMatcher(text)
		if err != nil {
			return nil, config.Problem{Key: key, Message: err.Error()}
		}
		return m, nil
	}
	if f.include, err = read("message.prefix.include.list"); err != nil {
		return f, err
	}
	f.exclude, err = read("message.prefix.exclude.list")
	return f, err
}

func (f messageFilter) captured(prefix string) bool {
	if f.include != nil {
		return f.include.Match(prefix)
	}
	return f.exclude == nil || !f.exclude.Match(prefix)
}

// messages makes records of what pg_logical_emit_message wrote.
type messages struct {
	topic             string
	key, block, value *data.Schema
	encode            func([]byte) any
}

func newMessages(o *options) *messages {
	m := &messages{topic: o.Naming.Prefix + ".message"}
	name := func(s *data.Schema, name string) *data.Schema {
		s.Name, s.Version = o.SchemaNames.Adjust("io.debezium.connector.postgresql."+name), 1
		return s
	}
	content := data.OptionalOf(data.String)
	switch o.values.Binary {
	case "base64":
		m.encode = func(b []byte) any { return base64.StdEncoding.EncodeToString(b) }
	case "base64-url-safe":
		m.encode = func(b []byte) any { return base64.URLEncoding.EncodeToString(b) }
	case "hex":
		m.encode = func(b []byte) any { return hex.EncodeToString(b) }
	default:
		content = data.OptionalOf(data.Bytes)
		m.encode = func(b []byte) any { return append([]byte{}, b...) }
	}
	prefix := data.Field{Name: "prefix", Schema: data.OptionalOf(data.String)}
	m.key = name(data.StructOf("", prefix), "MessageKey")
	m.block = name(data.StructOf("", prefix, data.Field{Name: "content", Schema: content}), "Message")
	m.value = name(data.StructOf("",
		data.Field{Name: "op", Schema: data.Of(data.String)},
		data.Field{Name: "ts_ms", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "source", Schema: sourceSchema},
		data.Field{Name: "transaction", Schema: debezium.TransactionBlock},
		data.Field{Name: "message", Schema: m.block}), "MessageValue")
	return m
}

func (m *messages) record(l *pgoutput.Logical, now time.Time, source, transaction *data.Struct) plugin.SourceRecord {
	block := &data.Struct{Schema: m.block, Values: []any{l.Prefix, m.encode(l.Content)}}
	value := &data.Struct{Schema: m.value, Values: []any{"m", now.UnixMilli(), source, nil, block}}
	if transaction != nil {
		value.Values[3] = transaction
	}
	return plugin.SourceRecord{Bytes: 500 + len(l.Content), Record: plugin.Record{
		Topic: m.topic, Partition: plugin.NoPartition, Timestamp: plugin.NoTimestamp,
		KeySchema: m.key, Key: &data.Struct{Schema: m.key, Values: []any{l.Prefix}},
		ValueSchema: m.value, Value: value,
	}}
}
