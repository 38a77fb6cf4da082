package debezium

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// late is what that mode does here.
func (w *mongoWorkload) late(t testing.TB) lateDatabase {
	const filter = `{\"_id\": {\"$gt\": 500}}`
	return lateDatabase{
		topic: w.topic(late, snapped),
		names: strings.NewReplacer("$TABLE", w.db.Name()+"."+snapped, "$STOPPED", w.db.Name()+"."+stopped, "$MORE", filter, "$SELECT", filter),
		fill: func() {
			w.insert(t, snapped, numbered(snappedRows)...)
			w.insert(t, stopped, numbered(snappedRows)...)
		},
		signal: func(all []signal) {
			w.together(t, func(ctx context.Context) {
				for side := range w.sides {
					for _, s := range all {
						var data bson.D
						must(t, bson.UnmarshalExtJSON([]byte(s.data), false, &data))
						w.insertIn(ctx, t, "signals_"+side, bson.D{{Key: "_id", Value: s.id}, {Key: "type", Value: s.kind}, {Key: "payload", Value: data}})
					}
				}
			})
		},
		large: func(rows int) {
			const most = 100_000 // the server has a limit on the time of transactions
			w.together(t, func(ctx context.Context) {
				w.insertIn(ctx, t, "big", numbered(min(rows, most))...)
				must(t, second(w.db.Collection("big").UpdateMany(ctx, bson.M{"_id": bson.M{"$mod": bson.A{100, 0}}}, bson.M{"$set": bson.M{"v": nil}})))
			})
		},
		barrier: func(patience time.Duration) { w.wait(t, patience) },
	}
}

// numbered documents.
func numbered(n int) (all []any) {
	for i := range n {
		all = append(all, bson.D{{Key: "_id", Value: i + 1}, {Key: "v", Value: fmt.Sprint("document ", i+1)}})
	}
	return all
}

// together makes changes in one transaction.
func (w *mongoWorkload) together(t testing.TB, change func(context.Context)) {
	t.Helper()
	must(t, w.db.Client().UseSession(t.Context(), func(ctx context.Context) error {
		_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, func(ctx context.Context) (any, error) {
			change(ctx)
			return nil, nil
		})
		return err
	}))
}

// chunksInOrder has the documents of incremental snapshots by their keys: the reference sends those of
// a chunk in the order of a hash.
func (w *mongoWorkload) chunksInOrder(topics Topics) Topics {
	all := topics[w.topic(late, snapped)]
	of := func(r Record) bool { return bytes.Contains(r.Value, []byte(`"snapshot":"incremental"`)) }
	for begin := 0; begin < len(all); begin++ {
		end := begin
		for end < len(all) && of(all[end]) {
			end++
		}
		slices.SortStableFunc(all[begin:end], func(a, b Record) int { return bytes.Compare(a.Key, b.Key) })
		begin = end
	}
	return topics
}
