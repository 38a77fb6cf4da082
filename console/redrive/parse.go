package redrive

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/twmb/franz-go/pkg/kgo"
)

// letter is a dead letter as the index has it.
type letter struct {
	seq int64
	place
	giver
	fingerprint string
	row         int64  // of the outbox, 0 for a consumer's
	fromTopic   string // full name
	fromPart    int32
	fromOffset  int64 // -1 for a relay's
	reason      string
	attempts    int
	at          time.Time
	event       event.Event // attributes only
	// obstacle lies in the letter itself.
	obstacle string
	failures int
	state    string
}

// place is where a dead letter lies, for ever: a new topic of the same name has
// another id.
type place struct {
	cluster, topicID, topic string
	partition               int32
	offset                  int64
}

func (p place) String() string { return fmt.Sprintf("%s/%d/%d", p.topic, p.partition, p.offset) }

// States of letters.
const (
	stateOpen     = "open"
	stateRedriven = "redriven"
	stateHandled  = "handled"
	stateRenewed  = "renewed"
)

// Bounds of what the index keeps of a letter, in bytes.
const (
	maxError = 2000
	maxName  = 300
	maxKey   = 1000
)

// reader makes letters out of records.
type reader struct {
	kafka   kafka.Config
	cluster string
}

// read never fails: what is no dead letter of ours is one with an obstacle.
func (p reader) read(r *kgo.Record, topicID string, now time.Time) letter {
	e, err := kafka.FromRecord(r)
	headers := headersOf(r)
	l := letter{
		place:     place{p.cluster, topicID, r.Topic, r.Partition, r.Offset},
		giver:     giverOf(headers, p.kafka.Local(r.Topic)),
		reason:    clean(headers[inbox.HeaderError], maxError),
		at:        givenUpAt(headers, r, now),
		event:     attributes(e),
		state:     stateOpen,
		fromTopic: r.Topic, fromOffset: -1,
	}
	l.attempts, _ = strconv.Atoi(headers[inbox.HeaderAttempts])
	l.attempts = max(0, min(l.attempts, 1<<30))
	if topic := headers[inbox.HeaderTopic]; l.known() && validTopic(topic) {
		l.fromTopic = p.kafka.Topic(topic)
	}
	switch {
	case l.outbox != "":
		l.row, l.obstacle = relayed(headers)
	case l.consumer != "":
		l.fromPart, l.fromOffset = origin(headers)
		l.obstacle = consumed(e, err, headers)
	default:
		l.obstacle = "it is no dead letter of Pabal: it names neither a consumer nor an outbox"
	}
	l.fingerprint = fingerprint(p.cluster, l.giver, l.fromTopic, l.reason)
	return l
}

// headersOf are the record's own by name; the last of two wins, as in event.
func headersOf(r *kgo.Record) map[string]string {
	all := make(map[string]string, len(r.Headers))
	for _, h := range r.Headers {
		if strings.HasPrefix(h.Key, "pabal-") {
			all[h.Key] = string(h.Value)
		}
	}
	return all
}

// giverOf tells a relay's letter from a consumer's. A message that died twice has
// the headers of both: a consumer's letter lies in the consumer's topic.
func giverOf(headers map[string]string, topic string) giver {
	consumer, relay := headers[inbox.HeaderConsumer], headers[outbox.HeaderOutbox]
	if !validTopic(consumer) {
		consumer = ""
	}
	if uuid.MatchString(relay) && (consumer == "" || topic != consumer+suffix) {
		return giver{outbox: strings.ToLower(relay)}
	}
	return giver{consumer: consumer}
}

var (
	uuid  = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	names = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
)

func validTopic(name string) bool { return names.MatchString(name) && name != "." && name != ".." }

// givenUpAt is what the letter says, where that can be.
func givenUpAt(headers map[string]string, r *kgo.Record, now time.Time) time.Time {
	at, err := time.Parse(time.RFC3339Nano, headers[inbox.HeaderTime])
	if err != nil {
		at = r.Timestamp
	}
	if at.After(now) || at.Unix() < 0 {
		at = now
	}
	return at.UTC().Truncate(time.Microsecond)
}

// attributes of an event, bounded.
func attributes(e event.Event) event.Event {
	if e.Time.Year() < 1970 || e.Time.Year() > 9999 {
		e.Time = time.Unix(0, 0)
	}
	return event.Event{
		ID: clean(e.ID, maxName), Type: clean(e.Type, maxName), Source: clean(e.Source, maxName), Key: clean(e.Key, maxKey), Time: e.Time.UTC(),
		CorrelationID: clean(e.CorrelationID, maxName), CausationID: clean(e.CausationID, maxName), ContentType: clean(e.ContentType, maxName),
	}
}

func relayed(headers map[string]string) (row int64, obstacle string) {
	row, err := strconv.ParseInt(headers[outbox.HeaderRow], 10, 64)
	if err != nil || row <= 0 {
		return 0, "it does not name the row of its outbox"
	}
	return row, ""
}

func origin(headers map[string]string) (partition int32, offset int64) {
	n, err := strconv.ParseInt(headers[inbox.HeaderPartition], 10, 32)
	offset, err2 := strconv.ParseInt(headers[inbox.HeaderOffset], 10, 64)
	if err != nil || err2 != nil || n < 0 || offset < 0 {
		return 0, -1
	}
	return int32(n), offset
}

// consumed is why a consumer's letter cannot be sent again, "" where it can.
func consumed(e event.Event, malformed error, headers map[string]string) string {
	if malformed != nil {
		return clean("it is no event: "+malformed.Error(), maxError)
	}
	for name := range headers {
		if strings.HasPrefix(name, inbox.HeaderRaw) {
			return clean("the record had headers that are no text, which would be lost: "+name, maxError)
		}
	}
	m, err := inbox.Redrive(e)
	if err == nil && !validTopic(m.Topic) {
		err = fmt.Errorf("header %s names no topic", inbox.HeaderTopic)
	}
	if err == nil {
		err = m.Validate()
	}
	if err == nil {
		return ""
	}
	text := err.Error()
	if errors.Is(err, inbox.ErrNotRedrivable) {
		text = strings.TrimPrefix(text, inbox.ErrNotRedrivable.Error()+": ")
	}
	return clean(text, maxError)
}

// suffix ends the names of topics of dead letters.
const suffix = ".dead-letters"
