package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

var (
	journalEvents     = statementFile("journal_events")
	journalEventsFast = statementFile("journal_events_fast")
)

// A page of events is read ahead. One event can be larger.
const (
	pageEvents = 2000
	pageBytes  = 1 << 20
	// fastBytes ends a fast page, whose statement is bounded in rows only.
	fastBytes = 8 << 20
)

// page is events of one entity in memory. Having the database add up their sizes
// takes three times as long as reading them: it is left out after a full page of
// small ones.
type page struct {
	loader
	id     string
	events []journal.Event
	last   int64
	fast   bool
}

func (p *page) read(ctx context.Context, from, to int64) error {
	clear(p.events)
	p.events = p.events[:0]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, args := journalEvents, []any{p.id, from, to, pageEvents, pageBytes}
	if p.fast {
		s, args = journalEventsFast, args[:4]
	}
	rows, err := p.q.Query(ctx, p.n.sql(s), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	bytes := 0
	for scanner := (eventScanner{}); rows.Next(); {
		e, err := scanner.scan(rows)
		if err != nil {
			return err
		}
		e.PersistenceID = p.id
		p.events, p.last = append(p.events, e), e.SeqNr
		if bytes += len(e.Payload.Data); p.fast && bytes > fastBytes {
			p.fast = false
			cancel() // drops the connection, which is better than reading on for nothing
			return nil
		}
	}
	p.fast = p.onPool && len(p.events) == pageEvents
	return errors.Join(rows.Err(), rows.Close())
}

// eventScanner keeps the texts that repeat from row to row.
type eventScanner struct {
	writer, manifest, adapter string
}

func (s *eventScanner) scan(row storage.Row) (journal.Event, error) {
	var e journal.Event
	var writer, manifest string
	var adapter, tags, metaManifest *string
	var metaSerializer *int32
	var meta []byte
	err := row.Scan(&e.SeqNr, &e.Time, &e.Payload.Serializer, &manifest, &e.Payload.Data, &writer, &adapter, &tags,
		&metaSerializer, &metaManifest, &meta)
	if err != nil {
		return e, err
	}
	e.Time = e.Time.UTC()
	e.Writer, e.Payload.Manifest = same(&s.writer, writer), same(&s.manifest, manifest)
	if adapter != nil {
		e.AdapterManifest = same(&s.adapter, *adapter)
	}
	e.Metadata = metadata(metaSerializer, metaManifest, meta)
	e.Tags, err = readTags(tags)
	return e, err
}

// same returns the last one where it is equal, which lets go of the copy.
func same(last *string, s string) string {
	if *last != s {
		*last = s
	}
	return *last
}

// metadata is nil where the payload is NULL, as Pekko has it.
func metadata(serializer *int32, manifest *string, data []byte) *journal.Payload {
	if data == nil {
		return nil
	}
	p := &journal.Payload{Data: data}
	if serializer != nil {
		p.Serializer = *serializer
	}
	if manifest != nil {
		p.Manifest = *manifest
	}
	return p
}

func readTags(text *string) (tags []string, err error) {
	if text == nil {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(*text), &tags); err != nil {
		return nil, fmt.Errorf("tags %s: %w", *text, err)
	}
	if len(tags) == 0 {
		return nil, nil
	}
	return tags, nil
}
