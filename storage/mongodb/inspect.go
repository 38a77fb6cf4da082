package mongodb

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Rows implements outbox.Inspector. Sizes come first, and then the payloads of the rows
// that fit. Rows that have no id yet get one, so that they can be named.
func (db *DB) Rows(ctx context.Context, q outbox.RowQuery) ([]outbox.StoredRow, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, failed("read outbox rows", err)
	}
	page := []outbox.StoredRow{}
	err = db.inspect(ctx, "read outbox rows", func(ctx context.Context) error {
		if err := db.number(ctx, math.MaxInt); err != nil {
			return err
		}
		var found []outbox.StoredRow
		if q.Status != outbox.Completed {
			if found, err = storedRows(ctx, found, db.outbox, 0, q); err != nil {
				return err
			}
		}
		if q.Status == "" || q.Status == outbox.Completed {
			reach, err := db.historyReach(ctx)
			if err == nil {
				found, err = storedRows(ctx, found, db.history, reach, q)
			}
			if err != nil {
				return err
			}
		}
		page = append(page, q.Page(found...)...)
		if !q.Payload {
			return nil
		}
		return db.addPayloads(ctx, page)
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// historyReach is the id below which the history is not searched.
func (db *DB) historyReach(ctx context.Context) (int64, error) {
	var row outboxRow
	err := db.history.FindOne(ctx, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "id", Value: -1}}).
		SetSkip(outbox.HistoryReach).SetProjection(byIDs)).Decode(&row)
	return row.ID, absent(err)
}

func storedRows(ctx context.Context, found []outbox.StoredRow, from *mongo.Collection, reach int64, q outbox.RowQuery) ([]outbox.StoredRow, error) {
	cursor, err := from.Find(ctx, rowFilter(q, reach), options.Find().SetSort(byIDs).SetLimit(int64(q.Limit)).
		SetProjection(bson.D{{Key: "payload", Value: 0}, {Key: "headers", Value: 0}}))
	if err != nil {
		return nil, err
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		var r outboxRow
		if err := cursor.Decode(&r); err != nil {
			return nil, err
		}
		found = append(found, r.stored())
	}
	return found, cursor.Err()
}

func rowFilter(q outbox.RowQuery, reach int64) bson.D {
	filter := bson.D{{Key: "id", Value: bson.D{{Key: "$gt", Value: max(q.After, reach)}}}}
	for _, field := range []struct{ name, want string }{
		{"status", string(q.Status)}, {"topic", q.Topic}, {"key", q.Key}, {"correlationId", q.Correlation},
	} {
		if field.want != "" {
			filter = append(filter, bson.E{Key: field.name, Value: field.want})
		}
	}
	if len(q.EventIDs) > 0 {
		filter = append(filter, bson.E{Key: "eventId", Value: bson.D{{Key: "$in", Value: q.EventIDs}}})
	}
	return filter
}

func (r *outboxRow) stored() outbox.StoredRow {
	s := outbox.StoredRow{
		ID: r.ID, Status: r.Status, Topic: r.Topic, Key: r.EventKey, EventID: r.EventID, Type: r.Type, CorrelationID: r.CorrelationID,
		CausationID: r.CausationID, ContentType: r.ContentType, EnqueuedAt: r.EnqueuedAt.UTC(), Attempts: r.Attempts,
		NextAttempt: fromMicros(r.NextAttempt), Reason: r.Reason, Size: r.Size,
	}
	if r.PublishedAt != nil {
		s.PublishedAt = r.PublishedAt.UTC()
	}
	return s
}

// addPayloads fills in payload and headers; rows that went meanwhile have none.
func (db *DB) addPayloads(ctx context.Context, page []outbox.StoredRow) error {
	places, ids := map[int64]int{}, make([]int64, len(page))
	for i, r := range page {
		places[r.ID], ids[i] = i, r.ID
	}
	for _, from := range []*mongo.Collection{db.outbox, db.history} {
		cursor, err := from.Find(ctx, bson.D{{Key: "id", Value: bson.D{{Key: "$in", Value: ids}}}},
			options.Find().SetProjection(bson.D{{Key: "id", Value: 1}, {Key: "payload", Value: 1}, {Key: "headers", Value: 1}}))
		var rows []outboxRow
		if err == nil {
			err = cursor.All(ctx, &rows)
		}
		if err != nil {
			return err
		}
		for _, r := range rows {
			s := &page[places[r.ID]]
			s.Payload, s.Headers = orNil(r.Payload), nil
			for _, h := range r.Headers {
				s.Headers = append(s.Headers, event.Header{Key: h.Name, Value: []byte(h.Value)})
			}
		}
	}
	return nil
}

// inspect reads for InspectTimeout at most.
func (db *DB) inspect(ctx context.Context, what string, fn func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, outbox.InspectTimeout)
	defer cancel()
	err := db.ask(bounded, what, fn)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), err)
	case bounded.Err() != nil:
		return fmt.Errorf("%w: it took longer than %s: %w", err, outbox.InspectTimeout, context.DeadlineExceeded)
	}
	return err
}
