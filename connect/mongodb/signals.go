package mongodb

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/mongodb/internal/extjson"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// signaller carries out what documents of the collection of signals and records of the topic of
// signals ask for, and reads incremental snapshots.
type signaller struct {
	task          *task
	recorder      *recorder
	topic         *debezium.SignalTopic // nil without one
	worker        *incremental.Worker   // nil without a collection
	reading       bool
	notifications *debezium.Notifications
	wait          time.Time // no chunk before
}

func newSignaller(t *task, r *recorder) (*signaller, error) {
	s := &signaller{task: t, recorder: r, notifications: debezium.NewNotifications(t.settings.Settings, t.log)}
	var err error
	if s.topic, err = debezium.OpenSignalTopic(t.settings.Settings, t.kafka, t.log, r.incremental.State().SignalOffset()); err != nil {
		return nil, fmt.Errorf("mongodb: %w", err)
	}
	t.topic.Store(s.topic)
	if t.settings.signals != (namespace{}) {
		s.worker = incremental.NewWorker(&chunkReader{task: t})
	}
	return s, nil
}

func (s *signaller) close() {
	s.topic.Close()
	if s.worker != nil {
		s.worker.Close()
	}
}

// topics are the signals that came by the topic since. Where the stream is quiet, a position of
// their own says that they were acted on.
func (s *signaller) topics(ctx context.Context, out []plugin.SourceRecord) ([]plugin.SourceRecord, error) {
	acted := false
	for {
		signal, ok := s.topic.Next()
		if !ok {
			break
		}
		s.recorder.incremental.Signalled(signal.Offset)
		var err error
		if out, err = s.signal(ctx, out, signal.Signal); err != nil {
			return out, err
		}
		acted = true
	}
	if acted && s.task.positions && s.recorder.at.token != nil {
		out = append(out, plugin.SourceRecord{At: s.recorder.at, End: true, Bytes: recordOverhead})
	}
	return out, nil
}

// event looks at what the stream brought; its records are in out already. Documents that a chunk
// had read are appended where its end came by.
func (s *signaller) event(ctx context.Context, out []plugin.SourceRecord, e *event) ([]plugin.SourceRecord, error) {
	if s.worker == nil {
		return out, nil
	}
	if e.ns == s.task.settings.signals {
		if signal, ok := signalOf(e); ok && (signal.Mark() || s.task.settings.SignalsFrom(debezium.SourceChannel)) {
			own := len(out)
			var err error
			if out, err = s.signal(ctx, out, signal); err != nil {
				return out, err
			}
			s.decided(out, own)
		}
	} else if s.recorder.incremental.Running() {
		if id, err := e.key.LookupErr(idField); err == nil {
			text, _ := keyFormat.AppendValue(nil, id)
			s.recorder.incremental.Changed(e.ns.table(), string(text))
		}
	}
	return s.chunk(ctx, out, s.recorder.incremental.Waiting())
}

// decided is that the signal's own record, the one before n, has what the signal brought about in
// its position: a signal is done with once its record is stored.
func (s *signaller) decided(out []plugin.SourceRecord, n int) {
	if n == 0 {
		return
	}
	own, ok := out[n-1].At.(*position)
	if ok && own.sent == 0 && bytes.Equal(own.token, s.recorder.at.token) {
		out[n-1].At = s.recorder.at
	}
}

// signalOf a document {_id, type, payload}.
func signalOf(e *event) (debezium.Signal, bool) {
	switch e.operation {
	case "insert":
		kind, _ := e.full.Lookup("type").StringValueOK()
		return debezium.SignalOfRow(debezium.Create, nil, []any{plainText(e.full.Lookup(idField)), kind, plainText(payload(e.full))})
	case "delete":
		return debezium.SignalOfRow(debezium.Delete, []any{plainText(e.key.Lookup(idField))}, nil)
	}
	return debezium.Signal{}, false
}

func payload(doc bson.Raw) bson.RawValue {
	if v, err := doc.LookupErr("payload"); err == nil {
		return v
	}
	return doc.Lookup("data")
}

func plainText(v bson.RawValue) string {
	if text, ok := v.StringValueOK(); ok || v.IsZero() {
		return text
	}
	text, _ := extjson.Format{Mode: extjson.Relaxed}.AppendValue(nil, v)
	return string(text)
}

func (s *signaller) signal(ctx context.Context, out []plugin.SourceRecord, signal debezium.Signal) ([]plugin.SourceRecord, error) {
	action, err := signal.Action()
	if err != nil {
		s.task.log.Warn("A signal is left.", "error", err)
		return s.moved(out), nil
	}
	snapshot := s.recorder.incremental
	switch a := action.(type) {
	case debezium.OpenWindow:
		snapshot.Open(a.ID)
	case debezium.CloseWindow:
		return s.emit(out, snapshot.Close(a.ID)), nil
	case debezium.ExecuteSnapshot:
		if a.Blocking {
			snapshot.Apply(signal.ID, a, nil)
			break
		}
		if why := s.refused(a); why != "" {
			s.task.log.Warn("A signal is left.", "id", signal.ID, "type", signal.Type, "error", why)
			break
		}
		known, err := s.known(ctx)
		if err != nil {
			return out, err
		}
		snapshot.Execute(signal.ID, a, known, tableID)
	case debezium.StopSnapshot:
		known, err := s.known(ctx)
		if err != nil {
			return out, err
		}
		snapshot.Stop(a, known)
	case debezium.PauseSnapshot:
		snapshot.Pause()
	case debezium.ResumeSnapshot:
		snapshot.Resume()
	case debezium.LogMessage:
		s.task.log.Info(strings.ReplaceAll(a.Message, "{}", plainOffset(s.recorder.at)))
	default:
		s.task.log.Warn("A signal is left: collections have no schemas.", "id", signal.ID, "type", signal.Type)
	}
	return s.notify(s.moved(out)), nil
}

// refused says why a snapshot is not taken; "" is that it is.
func (s *signaller) refused(a debezium.ExecuteSnapshot) string {
	switch {
	case a.SurrogateKey != "":
		return "this connector takes no surrogate-key: documents are read by _id"
	case s.worker == nil:
		return "incremental snapshots need signal.data.collection"
	}
	return ""
}

// moved has the position say what signals brought about.
func (s *signaller) moved(out []plugin.SourceRecord) []plugin.SourceRecord {
	at := *s.recorder.at
	at.incremental = s.recorder.incremental.State()
	s.recorder.at = &at
	return out
}

func plainOffset(at *position) string {
	text, _ := bson.MarshalExtJSON(at.Offset(), false, false)
	return string(text)
}

func (s *signaller) known(ctx context.Context) (all []debezium.TableID, err error) {
	names, err := s.task.namespaces(ctx)
	for _, ns := range names {
		if ns != s.task.settings.signals && (s.task.settings.selected == nil || s.task.settings.selected.Match(ns.String())) {
			all = append(all, ns.table())
		}
	}
	return all, err
}

// retryChunk is how long to wait after a chunk that could not be read.
const retryChunk = 2 * time.Second

// chunk takes what was read, waiting for it where the stream must, and has the next one read.
func (s *signaller) chunk(ctx context.Context, out []plugin.SourceRecord, wait bool) ([]plugin.SourceRecord, error) {
	if s.worker == nil {
		return out, nil
	}
	snapshot := s.recorder.incremental
	if s.reading {
		outcome, ok := s.outcome(ctx, wait)
		switch {
		case !ok:
			return out, ctx.Err()
		case outcome.Err != nil:
			s.task.log.Warn("A chunk of an incremental snapshot cannot be read for now.", "error", outcome.Err)
			snapshot.Failed(outcome.Result.ID)
			s.wait = time.Now().Add(retryChunk)
		default:
			out = s.emit(out, snapshot.Read(outcome.Result))
		}
		s.reading = false
	}
	if time.Now().Before(s.wait) {
		return out, nil
	}
	if c, ok := snapshot.Next(); ok {
		s.worker.Start(c)
		s.reading = true
	}
	return out, nil
}

func (s *signaller) outcome(ctx context.Context, wait bool) (o incremental.Outcome, ok bool) {
	if wait {
		select {
		case o = <-s.worker.Done():
			return o, true
		case <-ctx.Done():
			return o, false
		}
	}
	select {
	case o = <-s.worker.Done():
		return o, true
	default:
		return o, false
	}
}

// emit the documents of a chunk where the stream is.
func (s *signaller) emit(out []plugin.SourceRecord, rows []incremental.Emission) []plugin.SourceRecord {
	r := s.recorder
	when := time.Now()
	if r.at.sec >= 0 {
		when = time.Unix(r.at.sec, 0)
	}
	for _, e := range rows {
		at := *r.at
		at.incremental = e.State
		c := r.collection(namespace{e.Table.Catalog, e.Table.Table})
		out = append(out, r.read(c, e.Row.Values[0].(*row), &at, debezium.IncrementalSnapshot, when, r.at.ord))
	}
	return s.notify(s.moved(out))
}

func (s *signaller) notify(out []plugin.SourceRecord) []plugin.SourceRecord {
	return s.notifications.Append(out, time.Now(), s.recorder.at, s.recorder.incremental.Notes()...)
}
