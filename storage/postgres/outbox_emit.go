package postgres

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/outbox"
)

var outboxEmit = statementFile("outbox_emit")

// emitMessages writes messages to the log only, and says how many.
func (tx *Tx) emitMessages(ctx context.Context, messages []outbox.Message) (int64, error) {
	contents := make([][]byte, len(messages))
	for i := range messages {
		var err error
		if contents[i], err = encodeContent(&messages[i], tx.source); err != nil {
			return 0, err
		}
	}
	return tx.Exec(ctx, tx.names.sql(outboxEmit), contents)
}

// content is a logical message: a row's columns under their names. JSON has no bytes.
type content struct {
	Topic       string  `json:"topic"`
	Key         string  `json:"key"`
	EventID     string  `json:"event_id"`
	Type        string  `json:"type"`
	Source      string  `json:"source"`
	Time        string  `json:"time"`
	Correlation string  `json:"correlation_id,omitempty"`
	Causation   string  `json:"causation_id,omitempty"`
	Traceparent string  `json:"traceparent,omitempty"`
	ContentType string  `json:"content_type,omitempty"`
	Headers     string  `json:"headers,omitempty"`
	Payload     *string `json:"payload"`
	Encoding    string  `json:"payload_encoding"` // text or base64
}

func encodeContent(m *outbox.Message, standard string) ([]byte, error) {
	headers, err := encodeHeaders(&m.Event)
	if err != nil {
		return nil, err
	}
	c := content{
		Topic: m.Topic, Key: columnKey(m.Key), EventID: m.ID, Type: m.Type, Source: cmp.Or(m.Source, standard),
		Time:        m.Time.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano), // a column has no more
		Correlation: m.CorrelationID, Causation: m.CausationID, Traceparent: m.Traceparent, ContentType: m.ContentType,
		Headers: headers, Encoding: "text",
	}
	if m.Payload != nil {
		text := string(m.Payload)
		if !utf8.ValidString(text) {
			c.Encoding, text = "base64", base64.StdEncoding.EncodeToString(m.Payload)
		}
		c.Payload = &text
	}
	return json.Marshal(c)
}
