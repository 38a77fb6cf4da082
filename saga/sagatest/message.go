package sagatest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// message is one that was sent, with the model's id.
type message struct {
	outbox.Message
	receivers []uint8
	queues    []int32 // one for each receiver
}

var errNoReceiver = errors.New("nobody handles it")

// renaming puts the model's ids in the place of random ones, so that schedules that do
// the same lead to the same state.
type renaming []string

func (r renaming) in(text string) string {
	if len(r) == 0 {
		return text
	}
	return strings.NewReplacer(r...).Replace(text)
}

// name gives messages their ids: by is what they follow from. The saga's are called
// after step and attempt.
func name(sent []outbox.Message, by string, saga bool) (names renaming, ids []string) {
	taken := map[string]int{}
	for i, m := range sent {
		id := by
		if step := stepOf(m.Event); saga && step != "" {
			id = step
		}
		taken[id]++
		if n := taken[id]; n > 1 {
			id += "." + strconv.Itoa(n)
		}
		ids = append(ids, id)
		if sent[i].ID != "" {
			names = append(names, sent[i].ID, id)
		}
	}
	return names, ids
}

// stepOf is the end of a command's idempotency key: its step and attempt.
func stepOf(e event.Event) string {
	parts := strings.Split(e.Headers[saga.HeaderKey], "/")
	if len(parts) < 2 {
		return ""
	}
	return strings.Join(parts[len(parts)-2:], "/")
}

// sender is who sends, and when.
type sender struct {
	by, correlation string
	saga            bool
	now             time.Time
}

// send adds messages to an outcome, without those that nobody handles.
func (s *system[W, S]) send(o *outcome, sent []outbox.Message, from sender) error {
	names, ids := name(sent, from.by, from.saga)
	for i, m := range sent {
		if m.CorrelationID == "" || m.CorrelationID == m.ID {
			m.CorrelationID = from.correlation
		}
		if m.Topic == "" {
			m.Topic = m.Type
		}
		if err := m.Validate(); err != nil {
			return fmt.Errorf("message %s to topic %q cannot be sent: %w", ids[i], m.Topic, err)
		}
		n, err := s.addMessage(renamed(m, ids[i], names, from.now))
		if err != nil {
			return err
		}
		if len(s.messages.values[n].receivers) > 0 {
			o.sent = append(o.sent, n)
		}
	}
	return nil
}

func renamed(m outbox.Message, id string, names renaming, now time.Time) outbox.Message {
	m.ID, m.CausationID, m.Traceparent, m.Time = id, "", "", now
	m.Key, m.CorrelationID = names.in(m.Key), names.in(m.CorrelationID)
	if m.Payload != nil {
		m.Payload = []byte(names.in(string(m.Payload)))
	}
	headers := make(map[string]string, len(m.Headers))
	for key, value := range m.Headers {
		headers[key] = names.in(value)
	}
	m.Headers = headers
	return m
}

func (s *system[W, S]) addMessage(m outbox.Message) (int32, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	return s.messages.add(string(text), func() (message, error) {
		added := message{Message: m, receivers: s.receivers(m.Topic)}
		if len(added.receivers) == 0 && !slices.Contains(s.model.Ignored, m.Topic) {
			return message{}, fmt.Errorf("message %s to topic %q: %w: give the topic to a participant, or to Ignored", m.ID, m.Topic, errNoReceiver)
		}
		for _, to := range added.receivers {
			added.queues = append(added.queues, s.queue(added, to))
		}
		return added, nil
	})
}
