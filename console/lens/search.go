package lens

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// Bounds of a search through the index.
const (
	defaultPage = 50
	mostPage    = 500
	searchTime  = 1200 * time.Millisecond
)

// Search implements api.Lens. The newest events decide the order; a transaction's
// figures are of its whole time in the index. Total is not known.
func (l *Lens) Search(ctx context.Context, q api.TraceQuery) (api.Page[api.TraceSummary], error) {
	page := api.Page[api.TraceSummary]{Items: []api.TraceSummary{}, Total: -1}
	limit, skip, err := bounded(q.PageQuery)
	if err != nil {
		return page, err
	}
	ix, _, err := l.reading()
	if err != nil {
		return page, err
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	ids, err := ix.latest(ctx, strings.TrimSpace(q.Search), skip+limit+1)
	if err != nil {
		return page, fmt.Errorf("read the index: %w", err)
	}
	if len(ids) > skip+limit {
		page.Next = cursorOf(skip + limit)
		ids = ids[:skip+limit]
	}
	ids = ids[min(skip, len(ids)):]
	if page.Items, err = ix.summaries(ctx, ids); err != nil {
		return page, fmt.Errorf("read the index: %w", err)
	}
	return page, nil
}

func bounded(q api.PageQuery) (limit, skip int, err error) {
	limit = cmp.Or(q.Limit, defaultPage)
	if limit < 1 || limit > mostPage {
		return 0, 0, api.BadField("limit", "1 to %d are allowed", mostPage)
	}
	if len(q.Search) > mostID {
		return 0, 0, api.BadField("search", "has %d bytes, at most %d are allowed", len(q.Search), mostID)
	}
	if q.Cursor == "" {
		return limit, 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err == nil {
		skip, err = strconv.Atoi(string(text))
	}
	if err != nil || skip < 0 || skip > mostSkip {
		return 0, 0, api.BadField("cursor", "is none of a page before")
	}
	return limit, skip, nil
}

// mostSkip bounds how far one can page: search for something instead.
const mostSkip = 20_000

func cursorOf(skip int) string {
	if skip > mostSkip {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(skip)))
}

// latest returns transactions of which an event has a name that begins with that
// text, those with the newest events first, at most that many. An exact name is
// found by the filters alone, wherever it is; for a beginning the blocks are read,
// for as long as ctx lasts.
func (ix *index) latest(ctx context.Context, text string, limit int) ([]string, error) {
	if text != "" {
		found, err := ix.find(ctx, text)
		if err != nil || len(found) > 0 {
			return distinct(found, limit), err
		}
	}
	var ids []string
	seen := map[string]bool{}
	err := ix.scan(ctx, nil, func(entries []entry) bool {
		for i := len(entries) - 1; i >= 0 && len(ids) < limit; i-- {
			e := &entries[i]
			if id := e.transaction(); !seen[id] && e.begins(text) {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		return len(ids) < limit
	})
	if ctx.Err() != nil {
		err = nil // as far as it came
	}
	return ids, err
}

func distinct(found []entry, limit int) (ids []string) {
	seen := map[string]bool{}
	for i := range found {
		if id := found[i].transaction(); !seen[id] && len(ids) < limit {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

func (e *entry) begins(text string) bool {
	names := e.names()
	return text == "" || slices.ContainsFunc(names[:], func(name string) bool { return strings.HasPrefix(name, text) })
}

// summaries of transactions, in that order.
func (ix *index) summaries(ctx context.Context, ids []string) ([]api.TraceSummary, error) {
	found := make(map[string]*summary, len(ids))
	for _, id := range ids {
		found[id] = &summary{}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), searchTime)
	defer cancel()
	err := ix.scan(ctx,
		func(f filter) bool { return slices.ContainsFunc(ids, f.has) },
		func(entries []entry) bool {
			for i := range entries {
				if s := found[entries[i].transaction()]; s != nil {
					s.add(&entries[i])
				}
			}
			return true
		})
	if ctx.Err() != nil {
		err = nil // as far as it came
	}
	out := make([]api.TraceSummary, 0, len(ids))
	for _, id := range ids {
		if s := found[id]; s.first != nil {
			out = append(out, s.of(id))
		}
	}
	return out, err
}

// summary gathers a transaction's events.
type summary struct {
	first, last *entry
	events      int
	end         int64
}

func (s *summary) add(e *entry) {
	if s.first == nil || e.time < s.first.time || e.time == s.first.time && e.causation == "" {
		s.first = e
	}
	if s.last == nil || e.time > s.last.time {
		s.last = e
	}
	s.end = max(s.end, e.first())
	s.events++
}

func (s *summary) of(id string) api.TraceSummary {
	return api.TraceSummary{
		CorrelationID: id, Key: s.first.key, First: s.first.typ, Last: s.last.typ,
		Begin: timeOf(s.first.time), End: timeOf(s.end), Events: s.events,
	}
}
