package redrive

import (
	"context"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Fingerprints implements api.DeadLetters.
func (c *Center) Fingerprints(ctx context.Context, q api.FingerprintQuery) (api.Page[api.Fingerprint], error) {
	r, err := c.running()
	if err != nil {
		return api.Page[api.Fingerprint]{}, err
	}
	if q.PageQuery, err = checked(q.PageQuery); err != nil {
		return api.Page[api.Fingerprint]{}, err
	}
	return r.index.fingerprints(ctx, r.clusterID(), q)
}

// Letters implements api.DeadLetters. Search looks into ids, keys, types, topics
// and errors.
func (c *Center) Letters(ctx context.Context, q api.LetterQuery) (api.Page[api.DeadLetter], error) {
	page := api.Page[api.DeadLetter]{Items: []api.DeadLetter{}}
	r, err := c.running()
	if err != nil {
		return page, err
	}
	if q.PageQuery, err = checked(q.PageQuery); err != nil {
		return page, err
	}
	switch q.State {
	case "", stateOpen, stateRedriven, stateHandled, stateRenewed:
	default:
		return page, fmt.Errorf("%w: state %q: it is open, redriven, handled or renewed", api.ErrInvalid, clean(q.State, 40))
	}
	letters, next, total, err := r.index.letters(ctx, r.clusterID(), q)
	if err != nil {
		return page, err
	}
	page.Next, page.Total = next, total
	for _, l := range letters {
		if shown := r.show(ctx, l); q.Search == "" || visible(shown, q.Search) {
			page.Items = append(page.Items, shown)
		}
	}
	return page, nil
}

// visible keeps a search from telling what is masked.
func visible(l api.DeadLetter, search string) bool {
	search = strings.ToLower(search)
	for _, text := range []string{l.Event.ID, l.Event.Key, l.Event.CorrelationID, l.Event.Type, l.Error, l.ID, l.Topic} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return false
}

// show is l as the user of ctx sees it.
func (r *run) show(ctx context.Context, l letter) api.DeadLetter {
	name := ""
	if l.outbox != "" {
		name = r.directory.name(l.outbox)
	}
	shown := l.shown(name)
	shown.Obstacle = r.obstacle(l)
	r.config.Mask.Event(ctx, l.topic, &shown.Event)
	r.config.Mask.Event(ctx, l.fromTopic, &shown.Event)
	return shown
}

// obstacle is why l cannot be sent now, "" where it can.
func (r *run) obstacle(l letter) string {
	switch {
	case l.state == stateHandled:
		return "it was handled"
	case l.state == stateRenewed:
		return "it was given up again: a later dead letter of the same event stands for it"
	case l.obstacle != "":
		return l.obstacle
	}
	_, obstacle := r.directory.find(l.giver, r.kafka.Local(l.fromTopic))
	return obstacle
}

// Letter implements api.DeadLetters.
func (c *Center) Letter(ctx context.Context, id string) (api.DeadLetter, error) {
	r, err := c.running()
	if err != nil {
		return api.DeadLetter{}, err
	}
	p, err := parsePlace(id)
	if err != nil {
		return api.DeadLetter{}, err
	}
	var l letter
	err = r.index.db.View(ctx, func(q storage.Querier) error {
		l, err = byPlace(ctx, q, r.clusterID(), p)
		return err
	})
	if err != nil {
		return api.DeadLetter{}, err
	}
	shown := r.show(ctx, l)
	found, _, err := fetchRecords(ctx, r.client, []place{l.place})
	if err != nil {
		return api.DeadLetter{}, err
	}
	if rec := found[l.place]; rec != nil {
		shown.Message = r.message(ctx, rec)
		return shown, nil
	}
	if shown.Obstacle == "" && l.outbox == "" {
		shown.Obstacle = gone
	}
	return shown, nil
}

const gone = "the log does not have it any more"

// message is a record as the user of ctx sees it.
func (r *run) message(ctx context.Context, rec *kgo.Record) *api.Message {
	m := record.DecodeWith(ctx, r.config.Schemas, rec)
	r.config.Mask.Message(ctx, &m)
	record.Cut(&m, true)
	return &m
}

// hides says whether the user of ctx sees messages like l in part only.
func (r *run) hides(ctx context.Context, l letter) bool {
	return r.config.Mask.Hides(ctx, l.topic) || r.config.Mask.Hides(ctx, l.fromTopic)
}
