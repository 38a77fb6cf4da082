package outbox

import (
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// Message is the keys of
// io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent.
var Message = config.Definition{Keys: []config.Key{{
	Name: "fields.null.include", Type: config.Boolean, Default: "false",
	Doc: "Whether fields that are null are kept, as bytes that are null.",
}}}

// messageSchema is that of what pg_logical_emit_message writes, as the connector makes it.
const messageSchema = "io.debezium.connector.postgresql.MessageValue"

// logicalMessage makes logical messages look like rows of an outbox table: an EventRouter after it
// routes them, and no table is needed.
type logicalMessage struct {
	content   expander
	envelopes messageSchemas
}

// NewMessage makes one.
func NewMessage(c config.Values) (plugin.Transform, error) {
	return &logicalMessage{content: expander{keepNull: c.Bool("fields.null.include")}}, nil
}

func (t *logicalMessage) Apply(r *plugin.Record) (bool, error) {
	if r.ValueSchema == nil || r.ValueSchema.Name != messageSchema || r.Value == nil {
		return true, nil
	}
	value, err := smt.Struct(r.Value, "Retrieve a record value")
	if err != nil {
		return false, err
	}
	message, err := smt.Struct(value.Get("message"), "Retrieve content of a logical decoding message")
	if err != nil {
		return false, err
	}
	content, ok := message.Get("content").([]byte)
	if !ok {
		return false, fmt.Errorf("The content of a logical decoding message is non-binary: %s", smt.Kind(message.Get("content"))) //nolint:staticcheck // Debezium's own words
	}
	after, row, err := t.content.expand(string(content))
	if err != nil {
		return false, fmt.Errorf("Unable to parse logical decoding message content: %w", err) //nolint:staticcheck // see above
	}
	s, err := t.envelopes.of(value.Schema, after)
	if err != nil {
		return false, err
	}
	out := data.NewStruct(s)
	for i, f := range s.Fields {
		switch f.Name {
		case "after":
			out.Values[i] = row
		case "op":
			out.Values[i] = "c" // as if the row had been inserted
		default:
			out.Values[i] = value.Get(f.Name)
		}
	}
	r.KeySchema, r.Key, r.ValueSchema, r.Value = nil, nil, s, out
	return true, nil
}

// messageSchemas keeps the schemas of envelopes by those of their rows.
type messageSchemas struct{ envelopeSchemas }

func (k *messageSchemas) of(value, after *data.Schema) (*data.Schema, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := [2]*data.Schema{value, after}
	if s, ok := k.all[key]; ok {
		return s, nil
	}
	b := smt.NewBuilder()
	b.Schema.Name = value.Name + ".Envelope"
	b.Schema.Fields = slices.DeleteFunc(slices.Clone(value.Fields), func(f data.Field) bool { return f.Name == "message" })
	b.Add("after", after)
	s, err := b.Build()
	if err != nil {
		return nil, err
	}
	if k.all == nil || len(k.all) >= mostShapes {
		k.all = map[[2]*data.Schema]*data.Schema{}
	}
	k.all[key] = s
	return s, nil
}
