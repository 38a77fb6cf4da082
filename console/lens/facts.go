package lens

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// facts are all that is known of one transaction; draw and diagnose are functions of
// them.
type facts struct {
	query       string
	correlation string
	prefix      string // the tenant's
	stallAfter  time.Duration

	entries   []entry
	rows      []rowFact
	services  []serviceFact
	consumers []consumerFact
	sagas     []sagaFact
	// unasked are services whose outbox could not be asked.
	unasked map[string]bool

	gaps    []gap
	behind  int64     // records the index has not read yet
	oldest  time.Time // the oldest event the index has
	problem string    // why the index cannot read on
	indexes func(topic string) bool
	notes   []string
}

// gap is one, and from when on its records may be.
type gap struct {
	api.Gap
	Since time.Time `json:"since,omitzero"`
}

// rowFact is a row of a service's outbox.
type rowFact struct {
	service string
	outbox.StoredRow
}

// addRow adds one that is not there yet: a row may match several questions.
func (f *facts) addRow(r rowFact) {
	for _, other := range f.rows {
		if other.service == r.service && other.ID == r.ID {
			return
		}
	}
	f.rows = append(f.rows, r)
}

// consumerFact is a consumer and what its inbox says of the transaction.
type consumerFact struct {
	service string
	membership
	// unasked says why the inbox could not be asked; "" where it could.
	unasked   string
	problem   string
	positions []inbox.Position
	marks     map[string]inbox.StoredMark
	waiting   map[partitionOffset]inbox.StoredWaiting
	// heads are the first waiting messages, by topic and key.
	heads map[[2]string]inbox.StoredWaiting
}

// partitionOffset is a place in the log, by the topic's full name.
type partitionOffset struct {
	partitionKey
	offset int64
}

func placeOf(e *entry) partitionOffset {
	return partitionOffset{partitionKey{e.topic, e.partition}, e.offset}
}

// local is a topic's name without the prefix, full the one with it.
func (f *facts) local(topic string) string { return strings.TrimPrefix(topic, f.prefix) }

func (f *facts) full(topic string) string { return f.prefix + topic }

func (f *facts) service(name string) *serviceFact {
	for i := range f.services {
		if f.services[i].Name == name {
			return &f.services[i]
		}
	}
	return nil
}

// bySource is the service whose outbox writes events of that source; "" for none.
func (f *facts) bySource(source string) string {
	for i := range f.services {
		if source != "" && f.services[i].Source == source {
			return f.services[i].Name
		}
	}
	return ""
}

func (f *facts) consumer(name string) *consumerFact {
	for i := range f.consumers {
		if f.consumers[i].Name == name {
			return &f.consumers[i]
		}
	}
	return nil
}

// position of a partition; nil where the consumer has none.
func (c *consumerFact) position(topic string, partition int32) *inbox.Position {
	for i := range c.positions {
		if p := &c.positions[i]; p.Topic == topic && p.Partition.Partition == partition {
			return p
		}
	}
	return nil
}

func (m membership) reads(topic string) bool {
	for _, t := range m.Topics {
		if t == topic {
			return true
		}
	}
	return false
}

// relay is what the outbox's relays are doing, over all instances.
func (s *serviceFact) relay() (active []relayFact, paused *relayFact, held *relayFact) {
	for i, r := range s.relays {
		switch {
		case r.Paused:
			paused = &s.relays[i]
		case r.State == outbox.Active:
			active = append(active, r)
		case r.State == outbox.Held:
			held = &s.relays[i]
		}
	}
	return active, paused, held
}

// backlog of its outbox, nil where it has none or is away.
func (s *serviceFact) backlog() *outbox.Backlog {
	if s == nil || s.outbox == nil {
		return nil
	}
	return &s.outbox.Backlog
}
