package mongodb

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// outboxRow is a document of pabal_outbox, or of its history. Times of events have
// microseconds, which MongoDB's own have not.
type outboxRow struct {
	Key bson.ObjectID `bson:"_id"`
	// ID is 0 until the row has got one; see number.
	ID int64 `bson:"id"`
	// Stamp is the server's logical clock at the insert, for the order of ids: the
	// server fills in an empty one.
	Stamp  bson.Timestamp `bson:"stamp"`
	Status outbox.Status  `bson:"status"`
	// EnqueuedAt is the writer's clock, PublishedAt the server's.
	EnqueuedAt  time.Time  `bson:"enqueuedAt"`
	PublishedAt *time.Time `bson:"publishedAt,omitempty"`
	// Aside is true for STARTED rows refused or replayed, and not there otherwise.
	Aside       bool   `bson:"aside,omitempty"`
	Attempts    int    `bson:"attempts"`
	NextAttempt *int64 `bson:"nextAttempt,omitempty"` // microseconds
	Replay      int64  `bson:"replay"`
	Reason      string `bson:"reason,omitempty"`

	Topic         string        `bson:"topic"`
	EventKey      string        `bson:"key"`
	EventID       string        `bson:"eventId"`
	Type          string        `bson:"type"`
	Source        string        `bson:"source"`
	Time          int64         `bson:"time"` // microseconds
	CorrelationID string        `bson:"correlationId"`
	CausationID   string        `bson:"causationId"`
	Traceparent   string        `bson:"traceparent"`
	ContentType   string        `bson:"contentType"`
	Headers       []headerField `bson:"headers,omitempty"`
	Payload       *[]byte       `bson:"payload"` // null for none
	Size          int64         `bson:"size"`
}

// headerField is a pair, because names of fields may not have all characters.
type headerField struct {
	Name  string `bson:"name"`
	Value string `bson:"value"`
}

// InsertOutbox implements outbox.Tx.
func (tx *Tx) InsertOutbox(ctx context.Context, messages []outbox.Message) error {
	if len(messages) == 0 {
		return nil
	}
	now := time.Now()
	rows := make([]any, len(messages))
	for i := range messages {
		rows[i] = newRow(&messages[i], tx.db.config.Source, now)
	}
	if _, err := tx.db.outbox.InsertMany(tx.Context(ctx), rows); err != nil {
		return failed("insert into the outbox", err)
	}
	tx.enqueued = true
	return nil
}

func newRow(m *outbox.Message, standard string, now time.Time) *outboxRow {
	r := &outboxRow{
		Key: bson.NewObjectID(), Status: outbox.Started, EnqueuedAt: now,
		Topic: m.Topic, EventKey: m.Key, EventID: m.ID, Type: m.Type, Source: cmp.Or(m.Source, standard), Time: m.Time.UnixMicro(),
		CorrelationID: m.CorrelationID, CausationID: m.CausationID, Traceparent: m.Traceparent, ContentType: m.ContentType,
		Payload: bytesOrNull(m.Payload), Size: int64(len(m.Payload)),
	}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		r.Headers = append(r.Headers, headerField{name, m.Headers[name]})
	}
	return r
}

// row is what a relay gets.
func (r *outboxRow) row() outbox.Row {
	return outbox.Row{
		ID: r.ID, Attempts: r.Attempts, NextAttempt: fromMicros(r.NextAttempt), Reason: r.Reason, Replay: r.Replay,
		Message: outbox.Message{Topic: r.Topic, Event: event.Event{
			ID: r.EventID, Type: r.Type, Source: r.Source, Key: r.EventKey, Time: time.UnixMicro(r.Time).UTC(),
			CorrelationID: r.CorrelationID, CausationID: r.CausationID, Traceparent: r.Traceparent, ContentType: r.ContentType,
			Headers: r.headers(), Payload: orNil(r.Payload),
		}},
	}
}

func (r *outboxRow) headers() map[string]string {
	if len(r.Headers) == 0 {
		return nil
	}
	out := make(map[string]string, len(r.Headers))
	for _, h := range r.Headers {
		out[h.Name] = h.Value
	}
	return out
}

// micros is nil for the zero time.
func micros(at time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	us := at.UnixMicro()
	return &us
}

func fromMicros(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return time.UnixMicro(*us).UTC()
}
