package redrive

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// directory knows whose consumers and outboxes there are. What it was told is
// good for a while, so that lists ask nobody.
type directory struct {
	services api.Services // nil where there are none to ask
	index    *index

	asking sync.Mutex
	mu     sync.Mutex
	asked  time.Time
	err    error
	known  []api.Service
	names  map[string]string // of outboxes, also of services that are away
}

// askTimeout bounds one question to services.
const askTimeout = 5 * time.Second

// refresh asks the services, unless that was done lately.
func (d *directory) refresh(ctx context.Context, age time.Duration) {
	d.asking.Lock()
	defer d.asking.Unlock()
	d.mu.Lock()
	fresh := !d.asked.IsZero() && time.Since(d.asked) < age
	d.mu.Unlock()
	if fresh || d.services == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	list, err := d.services.Services(ctx)
	names := d.remember(ctx, list)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked, d.err = time.Now(), err
	if err == nil {
		d.known = list
	}
	if names != nil {
		d.names = names
	}
}

// remember stores the names of outboxes and returns all.
func (d *directory) remember(ctx context.Context, list []api.Service) map[string]string {
	d.mu.Lock()
	before := d.names
	d.mu.Unlock()
	fresh := map[string]string{}
	for _, s := range list {
		if s.Status != nil && s.Status.Outbox != nil && before[s.Status.Outbox.ID] != s.Name {
			fresh[s.Status.Outbox.ID] = s.Name
		}
	}
	if before != nil && len(fresh) == 0 {
		return nil
	}
	err := d.index.update(ctx, func(tx *sqlite.Tx) error {
		for id, name := range fresh {
			if _, err := tx.Exec(ctx, "INSERT INTO known_outbox (outbox, service) VALUES ($1, $2) ON CONFLICT (outbox) DO UPDATE SET service = excluded.service", id, name); err != nil {
				return err
			}
		}
		return nil
	})
	names := map[string]string{}
	if err == nil {
		err = d.index.db.View(ctx, func(q storage.Querier) error { return readNames(ctx, q, names) })
	}
	if err != nil {
		d.index.log.Warn("the names of outboxes cannot be stored", "error", err)
		return nil
	}
	return names
}

func readNames(ctx context.Context, q storage.Querier, names map[string]string) error {
	rows, err := q.Query(ctx, "SELECT outbox, service FROM known_outbox")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		names[id] = name
	}
	return rows.Err()
}

// deadLetterTopics are the topics (without the prefix) that services name.
func (d *directory) deadLetterTopics() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var topics []string
	for _, s := range d.known {
		if s.Status == nil {
			continue
		}
		if s.Status.Outbox != nil {
			topics = append(topics, s.Status.Outbox.DeadLetterTopic)
		}
		for _, c := range s.Status.Consumers {
			topics = append(topics, c.DeadLetterTopic)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// name of an outbox: its service's, or the UUID where nobody told.
func (d *directory) name(outbox string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name := d.names[outbox]; name != "" {
		return name
	}
	return outbox
}

// find is the service of a giver. Where there is none to ask, obstacle says why.
// topic, unless it is "", must be one that the consumer reads (without the prefix).
func (d *directory) find(g giver, topic string) (service, obstacle string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var away []string
	for _, s := range d.known {
		switch {
		case s.Status == nil:
			if !slices.Contains(away, s.Name) {
				away = append(away, s.Name)
			}
		case g.outbox != "":
			if s.Status.Outbox != nil && s.Status.Outbox.ID == g.outbox {
				return s.Name, ""
			}
		default:
			i := slices.IndexFunc(s.Status.Consumers, func(c admin.ConsumerStatus) bool { return c.Name == g.consumer })
			if i >= 0 && topic != "" && !slices.Contains(s.Status.Consumers[i].Topics, topic) {
				return s.Name, fmt.Sprintf("consumer %s does not read topic %s any more", g.consumer, topic)
			}
			if i >= 0 {
				return s.Name, ""
			}
		}
	}
	return "", d.missing(g, away)
}

// missing says who does not answer; mu is held.
func (d *directory) missing(g giver, away []string) string {
	what := "consumer " + g.consumer
	if g.outbox != "" {
		what = "outbox " + g.outbox
		if name := d.names[g.outbox]; name != "" {
			what = "the outbox of " + name
		}
	}
	switch {
	case d.services == nil:
		return "there are no services to ask about " + what
	case d.err != nil:
		return clean(fmt.Sprintf("the services cannot be asked about %s: %v", what, d.err), maxError)
	case len(away) > 0:
		return clean(fmt.Sprintf("%s is not known to any service that answers; away: %v", what, away), maxError)
	}
	return what + " is not known to any service"
}

// at is the service of a giver, to be asked.
func (d *directory) at(ctx context.Context, g giver) (admin.API, error) {
	name, obstacle := d.find(g, "")
	if obstacle != "" {
		return nil, fmt.Errorf("%w: %s", api.ErrUnavailable, obstacle)
	}
	return d.services.At(ctx, name)
}
