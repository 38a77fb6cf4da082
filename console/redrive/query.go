package redrive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/storage"
)

const (
	defaultLimit = 50
	maxLimit     = 500
	maxSearch    = 500
)

// checked is the query with its defaults.
func checked(q api.PageQuery) (api.PageQuery, error) {
	switch {
	case q.Limit < 0 || q.Limit > maxLimit:
		return q, fmt.Errorf("%w: limit %d: it is from 1 to %d", api.ErrInvalid, q.Limit, maxLimit)
	case len(q.Search) > maxSearch:
		return q, fmt.Errorf("%w: search: at most %d bytes", api.ErrInvalid, maxSearch)
	case q.Limit == 0:
		q.Limit = defaultLimit
	}
	return q, nil
}

// before is where a list by time and id goes on.
func before(cursor string) (at int64, id string, err error) {
	if cursor == "" {
		return never, "", nil
	}
	digits, id, ok := strings.Cut(cursor, "-")
	at, err = strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || len(id) > 64 {
		return 0, "", fmt.Errorf("%w: cursor %q is not one of this list", api.ErrInvalid, clean(cursor, 80))
	}
	return at, id, nil
}

// like finds a part of a text in any case; "" finds all.
func like(search string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(clean(search, maxSearch)) + "%"
}

func (x *index) fingerprints(ctx context.Context, cluster string, q api.FingerprintQuery) (api.Page[api.Fingerprint], error) {
	page := api.Page[api.Fingerprint]{Items: []api.Fingerprint{}, Total: -1}
	at, id, err := before(q.Cursor)
	if err != nil {
		return page, err
	}
	where := ` FROM dead_fingerprint f LEFT JOIN known_outbox o ON o.outbox = f.outbox WHERE f.cluster = $1 AND ($2 OR f.open > 0)
		AND (f.id LIKE $3 ESCAPE '\' OR f.consumer LIKE $3 ESCAPE '\' OR coalesce(o.service, f.outbox) LIKE $3 ESCAPE '\' OR f.topic LIKE $3 ESCAPE '\' OR f.error LIKE $3 ESCAPE '\')`
	err = x.db.View(ctx, func(db storage.Querier) error {
		if err := db.QueryRow(ctx, "SELECT count(*)"+where, cluster, q.Closed, like(q.Search)).Scan(&page.Total); err != nil {
			return err
		}
		rows, err := db.Query(ctx, `SELECT f.id, f.consumer, coalesce(o.service, f.outbox), f.topic, f.error, f.first, f.last, f.open, f.redriven, f.handled, f.renewed`+where+
			` AND (f.last, f.id) < ($4, $5) ORDER BY f.last DESC, f.id DESC LIMIT $6`, cluster, q.Closed, like(q.Search), at, id, q.Limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f api.Fingerprint
			var first, last int64
			if err := rows.Scan(&f.ID, &f.Consumer, &f.Outbox, &f.Topic, &f.Error, &first, &last, &f.Open, &f.Redriven, &f.Handled, &f.Renewed); err != nil {
				return err
			}
			f.First, f.Last = timeOf(first), timeOf(last)
			page.Items = append(page.Items, f)
		}
		return rows.Err()
	})
	if len(page.Items) > q.Limit {
		page.Items = page.Items[:q.Limit]
		last := page.Items[q.Limit-1]
		page.Next = fmt.Sprintf("%d-%s", last.Last.UnixMicro(), last.ID)
	}
	return page, err
}

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// letterColumns are what scanLetter reads.
const letterColumns = `d.seq, d.cluster, d.topic_id, d.topic, d.part, d.place, d.fingerprint, d.consumer, d.outbox, d.outbox_row, d.from_topic, d.from_part,
	d.from_place, d.error, d.attempts, d.at, d.event_id, d.type, d.source, d.key, d.event_at, d.correlation, d.causation, d.content_type, d.obstacle, d.failures, d.state`

func scanLetter(r storage.Row, more ...any) (letter, error) {
	var l letter
	var at, eventAt int64
	err := r.Scan(append([]any{&l.seq, &l.cluster, &l.topicID, &l.topic, &l.partition, &l.offset, &l.fingerprint, &l.consumer, &l.outbox, &l.row, &l.fromTopic,
		&l.fromPart, &l.fromOffset, &l.reason, &l.attempts, &at, &l.event.ID, &l.event.Type, &l.event.Source, &l.event.Key, &eventAt,
		&l.event.CorrelationID, &l.event.CausationID, &l.event.ContentType, &l.obstacle, &l.failures, &l.state}, more...)...)
	l.at, l.event.Time = timeOf(at), timeOf(eventAt)
	return l, err
}

// scanLetters reads all rows and closes them.
func scanLetters(rows storage.Rows) ([]letter, error) {
	defer rows.Close()
	var all []letter
	for rows.Next() {
		l, err := scanLetter(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

func someLetters(ctx context.Context, q storage.Querier, query string, args ...any) ([]letter, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return scanLetters(rows)
}

// whole reads letters again, with all columns; those that are gone are left out.
func (x *index) whole(ctx context.Context, slim []letter) (all []letter, err error) {
	err = x.db.View(ctx, func(q storage.Querier) error {
		for _, l := range slim {
			some, err := someLetters(ctx, q, "SELECT "+letterColumns+" FROM dead_letter d WHERE d.seq = $1", l.seq)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	return all, err
}

// letters is a page, newest first, and where the next one begins.
func (x *index) letters(ctx context.Context, cluster string, q api.LetterQuery) (all []letter, next string, total int64, err error) {
	at, id, err := before(q.Cursor)
	if err != nil {
		return nil, "", 0, err
	}
	seq := int64(never)
	if id != "" {
		if seq, err = strconv.ParseInt(id, 10, 64); err != nil {
			return nil, "", 0, fmt.Errorf("%w: cursor %q is not one of this list", api.ErrInvalid, clean(q.Cursor, 80))
		}
	}
	query, args := `SELECT `+letterColumns+` FROM dead_letter d WHERE d.cluster = $1 AND (d.at, d.seq) < ($2, $3)`, []any{cluster, at, seq}
	also := func(condition string, arg any) {
		args = append(args, arg)
		query += " AND " + strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(args)))
	}
	if q.Fingerprint != "" {
		also("d.fingerprint = ?", q.Fingerprint)
	}
	if q.State != "" {
		also("d.state = ?", q.State)
	}
	if q.Search != "" {
		also(`(d.event_id LIKE ? ESCAPE '\' OR d.key LIKE ? ESCAPE '\' OR d.correlation LIKE ? ESCAPE '\' OR d.type LIKE ? ESCAPE '\'
			OR d.error LIKE ? ESCAPE '\' OR d.topic LIKE ? ESCAPE '\' OR d.from_topic LIKE ? ESCAPE '\')`, like(q.Search))
	}
	query += " ORDER BY d.at DESC, d.seq DESC LIMIT " + strconv.Itoa(q.Limit+1)
	err = x.db.View(ctx, func(db storage.Querier) error {
		if all, err = someLetters(ctx, db, query, args...); err != nil {
			return err
		}
		total, err = countLetters(ctx, db, cluster, q)
		return err
	})
	if len(all) > q.Limit {
		all = all[:q.Limit]
		last := all[q.Limit-1]
		next = fmt.Sprintf("%d-%d", last.at.UnixMicro(), last.seq)
	}
	return all, next, total, err
}

// countLetters takes the figures of the fingerprints; a search is not counted.
func countLetters(ctx context.Context, db storage.Querier, cluster string, q api.LetterQuery) (total int64, err error) {
	if q.Search != "" {
		return -1, nil
	}
	figure := "open + redriven + handled + renewed"
	if q.State != "" {
		figure = q.State // one of the four columns: it was checked
	}
	err = db.QueryRow(ctx, "SELECT coalesce(sum("+figure+"), 0) FROM dead_fingerprint WHERE cluster = $1 AND ($2 = '' OR id = $2)", cluster, q.Fingerprint).Scan(&total)
	return total, err
}

// byPlace finds a letter by its topic's name, partition and offset.
func byPlace(ctx context.Context, db storage.Querier, cluster string, p place) (letter, error) {
	l, err := scanLetter(db.QueryRow(ctx, `SELECT `+letterColumns+` FROM dead_letter d WHERE d.topic = $1 AND d.part = $2 AND d.place = $3 AND d.cluster = $4
		ORDER BY d.seq DESC LIMIT 1`, p.topic, p.partition, p.offset, cluster))
	if errors.Is(err, sql.ErrNoRows) {
		return l, fmt.Errorf("%w: dead letter %s", api.ErrNotFound, p)
	}
	return l, err
}

// parsePlace reads "topic/partition/offset".
func parsePlace(id string) (place, error) {
	parts := strings.Split(id, "/")
	if len(id) <= 300 && len(parts) == 3 && validTopic(parts[0]) {
		partition, err := strconv.ParseInt(parts[1], 10, 32)
		offset, err2 := strconv.ParseInt(parts[2], 10, 64)
		if err == nil && err2 == nil && partition >= 0 && offset >= 0 {
			return place{topic: parts[0], partition: int32(partition), offset: offset}, nil
		}
	}
	return place{}, fmt.Errorf("%w: dead letter %q: an id is topic/partition/offset, as %s", api.ErrInvalid, clean(id, 80), "payment.dead-letters/0/42")
}

// shown is l as the API shows it.
func (l letter) shown(service string) api.DeadLetter {
	return api.DeadLetter{
		ID: l.place.String(), Fingerprint: l.fingerprint, Consumer: l.consumer, Outbox: service, Row: l.row,
		Topic: l.fromTopic, Partition: l.fromPart, Offset: l.fromOffset, Error: l.reason, Attempts: l.attempts, At: l.at,
		Event: eventOf(l.event), State: l.state, Failures: l.failures, Obstacle: l.obstacle,
	}
}

func eventOf(e event.Event) api.Event {
	return api.Event{ID: e.ID, Type: e.Type, Source: e.Source, Key: e.Key, Time: e.Time, CorrelationID: e.CorrelationID, CausationID: e.CausationID}
}
