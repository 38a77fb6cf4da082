package redrive

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Bounds of a request.
const (
	maxIDs     = 10_000
	maxValue   = 1 << 20 // bytes
	maxReasons = 1000    // bytes
	maxRate    = 10_000  // letters a second
	// defaultRate is the rate where none is given.
	defaultRate = 100
	// previewed is how many letters a dry run shows.
	previewed = 20
)

// checkRequest returns the request with its defaults.
func checkRequest(q api.RedriveRequest) (api.RedriveRequest, error) {
	invalid := func(format string, args ...any) (api.RedriveRequest, error) {
		return q, fmt.Errorf("%w: "+format, append([]any{api.ErrInvalid}, args...)...)
	}
	switch {
	case len(q.IDs) == 0 && q.Fingerprint == "":
		return invalid("name letters by ids, or a fingerprint")
	case len(q.IDs) > 0 && q.Fingerprint != "":
		return invalid("name letters by ids or by fingerprint, not both")
	case len(q.IDs) > maxIDs:
		return q, fmt.Errorf("%w: %d ids: at most %d, or a fingerprint", api.ErrTooLarge, len(q.IDs), maxIDs)
	case len(q.Fingerprint) > 64:
		return invalid("fingerprint: it has 20 characters")
	case !(q.PerSecond >= 0 && q.PerSecond <= maxRate): // not a number, too
		return invalid("perSecond %v: it is from above 0 to %d", q.PerSecond, maxRate)
	case q.PerSecond > 0 && q.PerSecond < 0.001:
		return invalid("perSecond %v: at least 0.001", q.PerSecond)
	case q.StopAfter < 0:
		return invalid("stopAfter %d: it is not negative", q.StopAfter)
	case len(q.Reason) > maxReasons:
		return invalid("reason: at most %d bytes", maxReasons)
	case q.Value != nil && len(*q.Value) > maxValue:
		return q, fmt.Errorf("%w: value of %d bytes: at most %d", api.ErrTooLarge, len(*q.Value), maxValue)
	}
	q.Reason = clean(q.Reason, maxReasons)
	q.IDs = slices.Clone(q.IDs)
	slices.Sort(q.IDs)
	q.IDs = slices.Compact(q.IDs)
	if q.Value != nil && len(q.IDs) != 1 {
		return invalid("value: it replaces the payload of one letter; name that one by its id")
	}
	if q.PerSecond == 0 {
		q.PerSecond = defaultRate
	}
	return q, nil
}

// chosen are the letters a request names, in the order they were given up.
func (r *run) chosen(ctx context.Context, q api.RedriveRequest) (all []letter, err error) {
	places := make([]place, len(q.IDs))
	for i, id := range q.IDs {
		if places[i], err = parsePlace(id); err != nil {
			return nil, err
		}
	}
	cluster := r.clusterID()
	err = r.index.db.View(ctx, func(db storage.Querier) error {
		if q.Fingerprint != "" {
			all, err = openOnes(ctx, db, cluster, q.Fingerprint)
			return err
		}
		for _, p := range places {
			l, err := byPlace(ctx, db, cluster, p)
			if err != nil {
				return err
			}
			all = append(all, l)
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b letter) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return compare(a.seq, b.seq)
	})
	return all, err
}

func openOnes(ctx context.Context, db storage.Querier, cluster, fingerprint string) ([]letter, error) {
	var one int
	err := db.QueryRow(ctx, "SELECT 1 FROM dead_fingerprint WHERE id = $1 AND cluster = $2", fingerprint, cluster).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: fingerprint %q in this cluster", api.ErrNotFound, clean(fingerprint, 64))
	}
	if err != nil {
		return nil, err
	}
	return someLetters(ctx, db, `SELECT `+slimColumns+` FROM dead_letter d WHERE d.fingerprint = $1 AND d.state = 'open' ORDER BY d.at, d.seq`, fingerprint)
}

// slimColumns are letterColumns without what a redrive of very many does not need.
var slimColumns = strings.NewReplacer("d.error", "''", "d.type", "''", "d.source", "''", "d.key", "''", "d.correlation", "''", "d.causation", "''").Replace(letterColumns)

// checkEdit says whether the user of ctx may replace the payload of l.
func (r *run) checkEdit(ctx context.Context, q api.RedriveRequest, l letter) error {
	switch {
	case q.Value == nil:
		return nil
	case r.hides(ctx, l):
		return fmt.Errorf("%w: messages of topic %s are masked for your role; a payload can be edited only by who sees all of it", api.ErrForbidden, l.fromTopic)
	case l.outbox != "":
		return fmt.Errorf("%w: value: a relay's letter stands for a row of the outbox, which is published as it is", api.ErrInvalid)
	}
	if media, _, err := mime.ParseMediaType(l.event.ContentType); err == nil && (media == "application/json" || strings.HasSuffix(media, "+json")) {
		var any json.RawMessage
		if err := json.Unmarshal([]byte(*q.Value), &any); err != nil {
			return fmt.Errorf("%w: value: the message is %s, and this is no JSON: %w", api.ErrInvalid, media, err)
		}
	}
	return nil
}

// stopAfter is how many renewed failures a redrive of n letters bears.
func stopAfter(q api.RedriveRequest, n int) int {
	if q.StopAfter > 0 {
		return q.StopAfter
	}
	return max(10, n/10)
}

// plan is what a dry run answers.
func (r *run) plan(ctx context.Context, q api.RedriveRequest, letters []letter) (api.Redrive, error) {
	out := api.Redrive{State: "planned", Request: q, User: api.UserOf(ctx).Name, Begun: r.config.Clock.Now().UTC(), Total: int64(len(letters))}
	for _, l := range letters {
		if r.obstacle(l) != "" {
			out.Skipped++
		}
	}
	whole, err := r.index.whole(ctx, letters[:min(len(letters), previewed)])
	if err != nil {
		return out, err
	}
	for _, l := range whole {
		out.Preview = append(out.Preview, r.show(ctx, l))
	}
	if len(whole) != 1 || out.Skipped > 0 || letters[0].outbox != "" {
		return out, nil
	}
	found, _, err := fetchRecords(ctx, r.client, []place{letters[0].place})
	if err != nil {
		return out, err
	}
	m, obstacle := r.revive(found[letters[0].place], letters[0], valueOf(q))
	if obstacle != "" {
		out.Skipped, out.Preview[0].Obstacle = 1, obstacle
		return out, nil
	}
	out.Preview[0].Message = r.message(ctx, &kgo.Record{Topic: m.Topic, Key: m.Key, Value: m.Value, Headers: m.Headers, Timestamp: m.Timestamp})
	return out, nil
}

func valueOf(q api.RedriveRequest) []byte {
	if q.Value == nil {
		return nil
	}
	return []byte(*q.Value)
}
