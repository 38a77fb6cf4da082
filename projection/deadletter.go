package projection

import (
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// Headers of a dead letter besides inbox.HeaderError, HeaderConsumer (the
// projection), HeaderAttempts, HeaderTime and HeaderOmitted. Its key is the
// persistence id and its type the manifest. It did not come from a topic, so it
// cannot be sent there again; the event is in the journal.
const (
	HeaderPersistenceID = "pabal-persistence-id"
	HeaderSeqNr         = "pabal-seq-nr"
	HeaderSerializer    = "pabal-serializer"
	HeaderManifest      = "pabal-manifest"
)

// maxLetterBytes is what fits into Kafka's default of 1 MiB with its headers.
const maxLetterBytes = 960 << 10

// unnamedType is the type of a dead letter whose manifest cannot be one.
const unnamedType = "pabal.journal-event"

// letter is always valid.
func letter(topic, projection string, i item, attempts int, reason error, at time.Time) outbox.Message {
	e := event.Event{
		ID: event.NewID(), Type: i.event.Payload.Manifest, Key: i.event.PersistenceID, Time: i.event.Time,
		ContentType: contentType(i.event.Payload.Serializer), Payload: i.event.Payload.Data,
		Headers: map[string]string{
			inbox.HeaderError:    inbox.Reason(reason),
			inbox.HeaderConsumer: projection,
			inbox.HeaderAttempts: strconv.Itoa(attempts),
			inbox.HeaderTime:     at.UTC().Format(time.RFC3339Nano),
			HeaderPersistenceID:  i.event.PersistenceID,
			HeaderSeqNr:          strconv.FormatInt(i.event.SeqNr, 10),
			HeaderSerializer:     strconv.Itoa(int(i.event.Payload.Serializer)),
			HeaderManifest:       i.event.Payload.Manifest,
		},
	}
	e.CorrelationID = e.ID
	if len(e.Payload) > maxLetterBytes {
		e.Payload, e.Headers[inbox.HeaderOmitted] = nil, "value"
	}
	if e.Validate() != nil {
		e.Type = unnamedType
	}
	return outbox.Message{Topic: topic, Event: e}
}

// contentType of what Pekko's JSON serializer wrote, or of bytes.
func contentType(serializer int32) string {
	const jackson = 31
	if serializer == jackson {
		return event.JSON.ContentType()
	}
	return "application/octet-stream"
}
