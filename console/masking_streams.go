package console

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
)

// Stores are masked like messages of a topic that has the store's name, and like those of
// every topic that the application reads: what came from there may be in them. Problems may
// quote records.

type maskedStreams struct {
	api.Streams
	rules *mask.Rules
}

func (s maskedStreams) StreamsApps(ctx context.Context) (api.StreamsList, error) {
	list, err := s.Streams.StreamsApps(ctx)
	for i := range list.Items {
		list.Items[i].Problems = hideAll(s.rules.HidesAny(ctx), list.Items[i].Problems)
	}
	return list, err
}

func (s maskedStreams) StreamsApp(ctx context.Context, application string) (api.StreamsApp, error) {
	app, err := s.Streams.StreamsApp(ctx, application)
	hide := s.rules.HidesAny(ctx)
	app.Problems = hideAll(hide, app.Problems)
	for i := range app.Parts {
		p := &app.Parts[i]
		hideWords(hide, &p.Problem)
		p.Restores = maskedRestores(hide, p.Restores)
	}
	return app, err
}

// maskedApplications are copies without what their problems quote.
func maskedApplications(all []admin.StreamsStatus) []admin.StreamsStatus {
	all = slices.Clone(all)
	for i := range all {
		hideWords(true, &all[i].Problem)
		all[i].Restores = maskedRestores(true, all[i].Restores)
	}
	return all
}

func maskedRestores(hide bool, all []admin.StreamsRestore) []admin.StreamsRestore {
	if !hide {
		return all
	}
	all = slices.Clone(all)
	for i := range all {
		hideWords(true, &all[i].Problem)
	}
	return all
}

func hideAll(hide bool, words []string) []string {
	if !hide || len(words) == 0 {
		return words
	}
	return []string{hiddenWords}
}

func (s maskedStreams) QueryStore(ctx context.Context, q api.StoreQuery) (admin.StorePage, error) {
	if !s.rules.HidesAny(ctx) {
		return s.Streams.QueryStore(ctx, q)
	}
	topics, err := s.topicsOf(ctx, q)
	if err != nil {
		return admin.StorePage{}, err
	}
	if s.rules.HidesKeysOfAny(ctx, topics...) { // where a page ends tells a key, too
		return admin.StorePage{}, fmt.Errorf("%w: the keys of store %q are hidden from your role", api.ErrForbidden, q.Store)
	}
	page, err := s.Streams.QueryStore(ctx, q)
	for i := range page.Entries {
		e := &page.Entries[i]
		hideWords(slices.ContainsFunc(topics, func(t string) bool { return s.rules.Hides(ctx, t) }), &e.Error) // it may quote the value
		masked := maskEntry(ctx, s.rules, e, topics)
		for _, what := range masked {
			if !slices.Contains(page.Masked, what) {
				page.Masked = append(page.Masked, what)
			}
		}
	}
	return page, err
}

// topicsOf are the names that rules about a store go by.
func (s maskedStreams) topicsOf(ctx context.Context, q api.StoreQuery) ([]string, error) {
	app, err := s.Streams.StreamsApp(ctx, q.Application)
	if err != nil {
		return nil, err
	}
	if app.Topology == nil {
		return nil, fmt.Errorf("%w: whether something in the store is to be hidden is not known: %s", api.ErrUnavailable, app.TopologyProblem)
	}
	topics := []string{q.Store}
	for _, t := range app.Topology.Graph.Topics {
		if !t.Internal {
			topics = append(topics, t.Name)
		}
	}
	return topics, nil
}

func maskEntry(ctx context.Context, rules *mask.Rules, e *admin.StoreEntry, topics []string) []string {
	m := api.Message{Key: api.Data{Format: "null"}, Value: api.Data{Format: "json", Text: string(e.Value), Size: len(e.Value)}}
	rules.MessageOf(ctx, &m, topics...)
	if len(m.Masked) == 0 {
		return nil
	}
	if e.Value = json.RawMessage(m.Value.Text); m.Value.Format != "json" {
		e.Value, _ = json.Marshal(m.Value.Text) // a string: cannot fail
	}
	return m.Masked
}
