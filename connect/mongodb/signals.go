package mongodb

import (
	"context"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/mongodb/internal/extjson"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// signaller carries out what documents of the collection of signals ask for, and reads incremental
// snapshots. Where there is no such collection it does nothing.
type signaller struct {
	task          *task
	recorder      *recorder
	worker        *incremental.Worker
	reading       bool
	notifications *debezium.Notifications
	wait          time.Time // no chunk before
}

func newSignaller(t *task, r *recorder) *signaller {
	s := &signaller{task: t, recorder: r, notifications: debezium.NewNotifications(t.settings.Settings, t.log)}
	if t.settings.signals != (namespace{}) {
		s.worker = incremental.NewWorker(&chunkReader{task: t})
	}
	return s
}

func (s *signaller) close() {
	if s.worker != nil {
		s.worker.Close()
	}
}

// event looks at what the stream brought; its records are in out already. Documents that a chunk
// had read are appended where its end came by.
func (s *signaller) event(ctx context.Context, out []plugin.SourceRecord, e *event) ([]plugin.SourceRecord, error) {
	if s.worker == nil {
		return out, nil
	}
	if e.ns == s.task.settings.signals {
		if signal, ok := signalOf(e); ok {
			var err error
			if out, err = s.signal(ctx, out, signal); err != nil {
				return out, err
			}
		}
	} else if s.recorder.incremental.Running() {
		if id, err := e.key.LookupErr(idField); err == nil {
			text, _ := keyFormat.AppendValue(nil, id)
			s.recorder.incremental.Changed(e.ns.table(), string(text))
		}
	}
	return s.chunk(ctx, out, s.recorder.incremental.Waiting())
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
		return out, nil
	}
	snapshot := s.recorder.incremental
	switch a := action.(type) {
	case debezium.OpenWindow:
		snapshot.Open(a.ID)
	case debezium.CloseWindow:
		return s.emit(out, snapshot.Close(a.ID)), nil
	case debezium.ExecuteSnapshot:
		if a.Blocking || a.SurrogateKey != "" {
			s.task.log.Warn("A signal is left: this connector takes neither blocking snapshots nor a surrogate-key.", "id", signal.ID)
			return out, nil
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
	return s.notify(out), nil
}

func plainOffset(at *position) string {
	text, _ := bson.MarshalExtJSON(at.Offset(), false, false)
	return string(text)
}

func (s *signaller) known(ctx context.Context) (all []debezium.TableID, err error) {
	names, err := s.task.namespaces(ctx)
	for _, ns := range names {
		if ns != s.task.settings.signals {
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
	at := *r.at
	at.incremental = r.incremental.State()
	r.at = &at
	return s.notify(out)
}

func (s *signaller) notify(out []plugin.SourceRecord) []plugin.SourceRecord {
	return s.notifications.Append(out, time.Now(), s.recorder.at, s.recorder.incremental.Notes()...)
}
