package outbox

import (
	"maps"
	"slices"
	"time"
)

// holds are topics that Kafka refuses as such (unknown, not allowed). Their rows
// wait without an attempt being counted.
type holds struct {
	backoff Backoff
	topics  map[string]hold
}

type hold struct {
	until time.Time
	tries int
	err   error
}

// hold makes a topic wait, longer each time, and says whether that is news.
func (h *holds) hold(topic string, now time.Time, err error) (first bool) {
	if h.topics == nil {
		h.topics = map[string]hold{}
	}
	was := h.topics[topic]
	h.topics[topic] = hold{until: now.Add(h.backoff.After(was.tries + 1)), tries: was.tries + 1, err: err}
	return was.tries == 0 || was.err.Error() != err.Error()
}

// release forgets the topic: it took a record.
func (h *holds) release(topic string) { delete(h.topics, topic) }

func (h *holds) held(topic string, now time.Time) bool { return now.Before(h.topics[topic].until) }

// names are the topics held now, sorted.
func (h *holds) names(now time.Time) []string {
	var out []string
	for topic, x := range h.topics {
		if now.Before(x.until) {
			out = append(out, topic)
		}
	}
	slices.Sort(out)
	return out
}

// next is when the first is tried again, zero without one.
func (h *holds) next(now time.Time) time.Time {
	var next time.Time
	for _, x := range h.topics {
		if x.until.After(now) && (next.IsZero() || x.until.Before(next)) {
			next = x.until
		}
	}
	return next
}

// err is the reason of one held topic, nil without one.
func (h *holds) err() error {
	for _, topic := range slices.Sorted(maps.Keys(h.topics)) {
		return h.topics[topic].err
	}
	return nil
}
