package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
)

// published is what the publication has: its own number in the catalogs and, by its table or schema,
// that of each entry. What is taken out and put in again has another number. Positions store it as text, as
// the server does not tell of changes while a table is not in the publication.
type published struct {
	number  string
	all     bool
	entries map[string]string // of tables' numbers, and of those of schemas with an n before
	text    string
}

//go:embed published.sql
var publishedSQL string

// readPublished is nil where there is no such publication.
func (r *run) readPublished(ctx context.Context) (*published, error) {
	var number uint32
	var all bool
	var entries string
	err := r.db.QueryRow(ctx, publishedSQL, r.options.publication).Scan(&number, &all, &entries)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the publication %q: %w", r.options.publication, err)
	}
	schemas, err := r.publishedSchemas(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("read the schemas of the publication %q: %w", r.options.publication, err)
	}
	p := parsePublished(strings.Join(strings.Fields(strconv.FormatUint(uint64(number), 10)+" "+entries+" "+schemas), " "))
	p.all = all
	return p, nil
}

//go:embed publishedschemas.sql
var publishedSchemasSQL string

// publishedSchemas are those of all whose tables the publication has, which PostgreSQL 15 brought.
func (r *run) publishedSchemas(ctx context.Context, publication uint32) (entries string, err error) {
	var known bool
	if err := r.db.QueryRow(ctx, "SELECT to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL").Scan(&known); err != nil || !known {
		return "", err
	}
	return entries, r.db.QueryRow(ctx, publishedSchemasSQL, publication).Scan(&entries)
}

func parsePublished(text string) *published {
	p := &published{text: text, entries: map[string]string{}}
	for i, field := range strings.Fields(text) {
		if table, entry, ok := strings.Cut(field, ":"); ok {
			p.entries[table] = entry
		} else if i == 0 {
			p.number = field
		}
	}
	return p
}

// unpublished says of which captured tables changes were not told since the stored position; "" is
// of none. now is the publication, nil where there is none.
func (p *published) unpublished(name string, now *published, captured []catalog.Table) string {
	switch {
	case p == nil:
		return ""
	case now == nil:
		return fmt.Sprintf("the publication %q is not there any more, and what changed without it is not told", name)
	case p.number != now.number:
		return fmt.Sprintf("the publication %q was dropped and made again, and what changed meanwhile is not told", name)
	}
	var gone []string
	for _, t := range captured {
		there, kept := false, false
		for _, of := range []string{strconv.FormatUint(uint64(t.OID), 10), "n" + strconv.FormatUint(uint64(t.SchemaOID), 10)} {
			entry, ok := p.entries[of]
			there, kept = there || ok, kept || ok && now.entries[of] == entry
		}
		if there && !kept {
			gone = append(gone, t.Schema+"."+t.Name)
		}
	}
	if len(gone) == 0 {
		return ""
	}
	slices.Sort(gone)
	return fmt.Sprintf("the publication %q had tables taken out, and what changed in them meanwhile is not told: %s", name, strings.Join(gone, ", "))
}

// missed compares the publication with that of the stored position.
func (r *run) missed(ctx context.Context, stored *published) (string, error) {
	if stored == nil {
		return "", nil
	}
	now, err := r.readPublished(ctx)
	if err != nil {
		return "", err
	}
	if now != nil && now.text == stored.text {
		return "", nil
	}
	captured, err := r.captured(ctx)
	if err != nil {
		return "", err
	}
	return stored.unpublished(r.options.publication, now, captured), nil
}

// publicationInterval is how often a stream looks whether its publication is as it was.
const publicationInterval = 10 * time.Second

// stillPublished says whether tables were taken out of the publication while we stream.
func (s *stream) stillPublished(ctx context.Context, now time.Time) error {
	if now.Before(s.nextPublished) {
		return nil
	}
	s.nextPublished = now.Add(max(s.interval, min(publicationInterval, 20*s.interval)))
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	why, err := s.missed(ctx, s.published)
	if err != nil {
		return fmt.Errorf("%w: %w", plugin.ErrRetry, err)
	}
	if why != "" {
		return fmt.Errorf("%w: %s: set snapshot.mode=when_needed and restart the task to read all tables again, or delete the connector's offsets", ErrLost, why)
	}
	return nil
}
