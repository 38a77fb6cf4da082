package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/journal"
)

// Entities implements Journal.
func (l *Local) Entities(ctx context.Context, q EntityQuery) (EntityPage, error) {
	page := EntityPage{Entities: []EntityLine{}}
	if l.cfg.Journal == nil {
		return page, l.noJournal()
	}
	q, err := q.withDefaults()
	if err != nil {
		return page, err
	}
	err = l.look(ctx, func() error {
		if q.Kind == Durable {
			return durableEntities(ctx, l.cfg.Journal.Store, q, &page)
		}
		return sourcedEntities(ctx, l.cfg.Journal.Store, q, &page)
	})
	return page, err
}

// sourcedEntities goes through the ids in their order, from the prefix on.
func sourcedEntities(ctx context.Context, store journal.Store, q EntityQuery, page *EntityPage) error {
	prefix, after, ids := q.ownPrefix(), q.After, []string{}
	if after == "" && q.Prefix != "" {
		after = prefix
		if n, err := highest(ctx, store, prefix); err != nil {
			return err
		} else if n > 0 {
			ids = append(ids, prefix)
		}
	}
	found, err := store.PersistenceIDs(ctx, q.Type, after, q.Limit)
	if err != nil {
		return err
	}
	matching := slices.DeleteFunc(slices.Clone(found), func(id string) bool { return q.Prefix != "" && !strings.HasPrefix(id, prefix) })
	if ids = append(ids, matching...); len(ids) == 0 {
		return nil
	}
	numbers, err := store.HighestSeqNrs(ctx, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		page.Entities = append(page.Entities, EntityLine{PersistenceID: id, SeqNr: numbers[i]})
	}
	if len(found) == q.Limit && len(matching) == len(found) { // those that do not match come after those that do
		page.Next = found[len(found)-1]
	}
	return nil
}

// highest is 0 for what is no persistence id, too.
func highest(ctx context.Context, store journal.Store, persistenceID string) (int64, error) {
	if journal.CheckPersistenceID(persistenceID) != nil {
		return 0, nil
	}
	numbers, err := store.HighestSeqNrs(ctx, []string{persistenceID})
	if err != nil {
		return 0, err
	}
	return numbers[0], nil
}

// maxStatePages are read for a page of entities whose ids begin with something.
const maxStatePages = 20

// durableEntities goes through the states in the order of their changes.
func durableEntities(ctx context.Context, store journal.Store, q EntityQuery, page *EntityPage) error {
	read := journal.Query{Kind: journal.States, EntityType: q.Type, Slices: journal.AllSlices(), Limit: q.Limit}
	if q.After != "" {
		read.After = journal.Cursor(q.After)
	}
	for range maxStatePages {
		part, err := store.Page(ctx, read)
		if err != nil {
			return err
		}
		for _, e := range part.Events {
			if strings.HasPrefix(e.PersistenceID, q.ownPrefix()) {
				page.Entities = append(page.Entities, EntityLine{PersistenceID: e.PersistenceID, SeqNr: e.SeqNr, Time: e.Time.UTC()})
			}
		}
		if page.Next = ""; !part.More {
			return nil
		}
		page.Next, read.After = string(part.Cursor), part.Cursor
		if len(page.Entities) >= q.Limit {
			return nil
		}
	}
	return nil
}
