package inbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestForeignRecords: records without our headers are messages by their reader, handled
// once by the id it gives, retried like others, and dead letters where it refuses them.
func TestForeignRecords(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("captured", 1)
		failures := 0
		record := e.record("payment")
		c := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if m.Type != "captured" || m.Source != "/captured" || !strings.HasPrefix(string(m.Payload), "doc-") {
				t.Errorf("the message is %+v", m.Event)
			}
			if string(m.Payload) == "doc-2" && m.Attempt < 3 {
				failures++
				return errBoom
			}
			if string(m.Payload) == "doc-bad" {
				return errBoom
			}
			return record(ctx, tx, m)
		})
		c.Foreign = map[string]inbox.Reader{topic: func(read event.Event) (event.Event, error) {
			if string(read.Payload) == "unreadable" {
				return read, errors.New("it has no id")
			}
			read.ID, read.Type = string(read.Payload), "captured"
			return read, nil
		}}
		var records []*kgo.Record
		for _, value := range []string{"doc-1", "doc-2", "unreadable", "doc-1", "doc-bad", "doc-3", "doc-2"} {
			records = append(records, &kgo.Record{Topic: e.cluster.Topic(topic), Key: []byte("k-" + value), Value: []byte(value), Timestamp: time.Now()})
		}
		e.sendRecords(records...)
		running := e.start(e.db, c)
		e.waitEffects("payment", 3)
		e.waitIdle(running, 1)
		ids := map[string]int{}
		for _, one := range e.effects("payment") {
			ids[one.id]++
		}
		if len(ids) != 3 || ids["doc-1"] != 1 || ids["doc-2"] != 1 || ids["doc-3"] != 1 || failures < 2 {
			t.Errorf("effects: %v, %d failures", ids, failures)
		}
		letters := e.deadLetters("payment")
		if len(letters) != 2 {
			t.Fatalf("dead letters: %+v", letters)
		}
		for _, l := range letters {
			switch string(l.Payload) {
			case "unreadable":
				if !strings.Contains(l.Headers[inbox.HeaderError], "it has no id") {
					t.Errorf("the unreadable record's dead letter: %+v", l)
				}
			case "doc-bad":
				if l.ID != "doc-bad" || l.Headers[inbox.HeaderAttempts] != "5" {
					t.Errorf("the dead letter: %+v", l)
				}
			default:
				t.Errorf("dead letter: %+v", l)
			}
		}
	})
}
