package mongodb

import (
	"bytes"
	"context"
	"sync"

	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
)

// chunk is a range of a collection's _id, which one goroutine reads into its rows.
type chunk struct {
	ns namespace
	// from is where it begins, to where it ends, which is not in it; zero values are the
	// collection's ends. after says that from is not in it either.
	from, to bson.RawValue
	after    bool
	rows     *feed.Queue[row]
}

// row is a document as it is shown.
type row struct {
	id    bson.RawValue
	key   string
	text  any
	bytes int
}

// rowBytes of a row that waits.
func rowBytes(r *row) int { return r.bytes + recordOverhead }

// chunks reads ahead of who takes them in order.
type chunks struct {
	task    *task
	time    bson.Timestamp // no reading is older
	queries map[namespace]bson.Raw
	threads int
	order   chan *chunk
	err     error // once order is closed
	done    chan struct{}
	readers sync.WaitGroup
}

func newChunks(t *task, time bson.Timestamp, queries map[namespace]bson.Raw) *chunks {
	threads := max(int(t.settings.values.Int("snapshot.max.threads")), 1)
	return &chunks{task: t, time: time, queries: queries, threads: threads, order: make(chan *chunk, threads-1), done: make(chan struct{})}
}

// run starts a reader for each chunk once it is among the next ones.
func (c *chunks) run(ctx context.Context, all []namespace, from *progress) {
	defer close(c.done)
	defer c.readers.Wait()
	defer close(c.order)
	for _, ns := range all {
		after := bson.RawValue{}
		if ns == from.ns {
			after = from.id
		}
		if c.err = feed.Guard(func() error { return c.collection(ctx, ns, after) }); c.err != nil {
			return
		}
	}
}

func (c *chunks) collection(ctx context.Context, ns namespace, after bson.RawValue) error {
	from, exclusive := after, !after.IsZero()
	size := c.rowsPerChunk(ctx, ns)
	for {
		to, err := c.boundary(ctx, ns, from, size)
		if err != nil {
			return err
		}
		next := &chunk{ns: ns, from: from, to: to, after: exclusive, rows: feed.NewQueue(c.memory(), 1<<20, rowBytes)}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c.order <- next:
		}
		c.readers.Go(func() { next.rows.End(feed.Guard(func() error { return c.read(ctx, next) })) })
		if to.IsZero() {
			return nil
		}
		from, exclusive = to, false
	}
}

// memory of each reader: all together have half of the task's.
func (c *chunks) memory() int64 { return c.task.memory / 2 / int64(c.threads+1) }

// rowsPerChunk is as many as a reader has memory for; 0 is all, where there is only one reader.
func (c *chunks) rowsPerChunk(ctx context.Context, ns namespace) int64 {
	if c.threads == 1 {
		return 0
	}
	const assumed, least, most = 1024, 500, 100_000
	var stats []struct {
		Storage struct {
			Average float64 `bson:"avgObjSize"`
		} `bson:"storageStats"`
	}
	average := float64(assumed)
	cursor, err := c.task.client.Database(ns.db).Collection(ns.coll).Aggregate(ctx,
		bson.A{bson.D{{Key: "$collStats", Value: bson.D{{Key: "storageStats", Value: bson.D{}}}}}})
	if err == nil && cursor.All(ctx, &stats) == nil && len(stats) > 0 && stats[0].Storage.Average > 0 {
		average = stats[0].Storage.Average
	}
	return min(max(c.memory()/int64(2*average+recordOverhead), least), most)
}

// boundary is the _id so many documents after one; the zero value where there is none.
func (c *chunks) boundary(ctx context.Context, ns namespace, from bson.RawValue, size int64) (id bson.RawValue, err error) {
	if size == 0 {
		return id, nil
	}
	o := options.FindOne().SetSort(byID).SetHint(byID).SetSkip(size).SetProjection(byID)
	if !from.IsZero() {
		o.SetMin(bson.D{{Key: idField, Value: from}})
	}
	session, err := causal(c.task.client, c.time)
	if err != nil {
		return id, failed(ctx, "start a session", err)
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	doc, err := c.source(ns).FindOne(mongo.NewSessionContext(ctx, session), bson.D{}, o).Raw()
	switch {
	case err == mongo.ErrNoDocuments: //nolint:errorlint // the driver returns it as it is
		return id, nil
	case err != nil:
		return id, failed(ctx, "find a chunk of "+ns.String(), err)
	}
	return doc.Lookup(idField), nil
}

var byID = bson.D{{Key: idField, Value: 1}}

func (c *chunks) source(ns namespace) *mongo.Collection {
	return c.task.client.Database(ns.db).Collection(ns.coll, options.Collection().SetReadConcern(readconcern.Majority()))
}

// read a chunk into its rows.
func (c *chunks) read(ctx context.Context, chunk *chunk) error {
	session, err := causal(c.task.client, c.time)
	if err != nil {
		return failed(ctx, "start a session", err)
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	cursor, err := c.find(mongo.NewSessionContext(ctx, session), chunk)
	if err != nil {
		return failed(ctx, "read "+chunk.ns.String(), err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = cursor.Close(ctx)
	}()
	err = c.rows(ctx, cursor, chunk)
	if err == nil {
		err = cursor.Err()
	}
	return failed(ctx, "read "+chunk.ns.String(), err)
}

func (c *chunks) find(ctx context.Context, chunk *chunk) (*mongo.Cursor, error) {
	const atOnce = 1000
	o := options.Find().SetSort(byID).SetHint(byID).SetBatchSize(atOnce)
	if size := c.task.settings.values.Int("snapshot.fetch.size"); size > 0 {
		o.SetBatchSize(int32(size)) //nolint:gosec // an INT of the configuration
	}
	if !chunk.from.IsZero() {
		o.SetMin(bson.D{{Key: idField, Value: chunk.from}})
	}
	if !chunk.to.IsZero() {
		o.SetMax(bson.D{{Key: idField, Value: chunk.to}})
	}
	var query any = bson.D{}
	if own, ok := c.queries[chunk.ns]; ok {
		query = own
	}
	return c.source(chunk.ns).Find(ctx, query, o)
}

// piece of rows that are handed on together.
const pieceRows, pieceBytes = 512, 1 << 20

func (c *chunks) rows(ctx context.Context, cursor *mongo.Cursor, chunk *chunk) error {
	w := rowWriter{settings: c.task.settings, fields: c.task.settings.fields.of(chunk.ns)}
	var rows []row
	size := 0
	for cursor.Next(ctx) {
		id, err := cursor.Current.LookupErr(idField)
		if err != nil {
			return err
		}
		if chunk.after && bytes.Equal(id.Value, chunk.from.Value) && id.Type == chunk.from.Type {
			continue
		}
		row, err := w.row(id, cursor.Current)
		if err != nil {
			return err
		}
		rows, size = append(rows, row), size+rowBytes(&row)
		if len(rows) >= pieceRows || size >= pieceBytes || cursor.RemainingBatchLength() == 0 {
			if err := chunk.rows.Put(ctx, rows); err != nil {
				return err
			}
			rows, size = nil, 0
		}
	}
	return chunk.rows.Put(ctx, rows)
}

// rowWriter shows documents.
type rowWriter struct {
	settings *settings
	fields   fieldRules
	buffer   []byte
}

func (w *rowWriter) row(id bson.RawValue, doc bson.Raw) (r row, err error) {
	if w.buffer, err = keyFormat.AppendValue(w.buffer[:0], id); err != nil {
		return r, err
	}
	r.key, r.id = string(w.buffer), bson.RawValue{Type: id.Type, Value: bytes.Clone(id.Value)}
	shown, err := w.fields.document(doc)
	if err != nil {
		return r, err
	}
	if w.buffer, err = w.settings.document.Append(w.buffer[:0], shown); err != nil {
		return r, err
	}
	r.text, r.bytes = string(w.buffer), len(w.buffer)+len(r.key)
	return r, nil
}
