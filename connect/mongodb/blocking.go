package mongodb

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// errBlocking ends a stream that is to stop for a blocking snapshot, which its position asks for.
var errBlocking = errors.New("the stream stops for a blocking snapshot")

// blocking reads the collections that were asked for, from where it was interrupted. The stream goes
// on where it stopped: changes since then come after the documents that may have them already, as
// with the first snapshot. One that cannot be read is given up with a warning.
func (t *task) blocking(ctx context.Context, r *recorder) (*position, error) {
	from := *r.at
	from.stored, from.incremental, from.transaction = nil, r.incremental.State(), r.transactions.State()
	request := from.incremental.Blocking()
	s := &snapshotter{task: t, from: &from, since: from.blocked, blocking: true}
	if s.since == nil {
		s.since = &progress{}
	}
	t.log.Info("The stream stops for a blocking snapshot.", "id", request.ID)
	err := s.filters(ctx, request)
	var at *position
	if err == nil {
		at, err = s.run(ctx, func(ns namespace) bool { return ns != t.settings.signals && request.Wants(ns.String()) })
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, plugin.ErrRetry) || errors.Is(err, feed.ErrPanic) {
		return at, err
	}
	t.wanted.Store(t.read.Load())
	t.log.Warn("A blocking snapshot is given up.", "id", request.ID, "error", err)
	at = s.ended()
	if t.positions {
		err = s.put(ctx, []plugin.SourceRecord{{At: at, End: true, Bytes: recordOverhead}})
	} else {
		err = nil
	}
	t.at.Store(at)
	return at, err
}

// filters of the signal's, which are queries in JSON.
func (s *snapshotter) filters(ctx context.Context, request *incremental.Blocking) error {
	all, err := s.task.namespaces(ctx)
	s.queries = map[namespace]bson.Raw{}
	for _, ns := range all {
		filter := request.Filter(ns.String())
		if filter == "" {
			continue
		}
		var query bson.Raw
		if err := bson.UnmarshalExtJSON([]byte(filter), false, &query); err != nil {
			return fmt.Errorf("the filter of %s is no query: %w", ns, err)
		}
		s.queries[ns] = query
	}
	return err
}
