package connect

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// observedTask says that one of three tables is read.
type observedTask struct{ plugin.SourceTask }

func (observedTask) Observe() plugin.Observation {
	return plugin.Observation{Tables: 3, TablesDone: 1, QueueBytes: 5, QueueLimit: 10}
}

var (
	sourceBlock = data.StructOf("source", data.Field{Name: "ts_ms", Schema: data.Of(data.Int64)}, data.Field{Name: "snapshot", Schema: data.OptionalOf(data.String)},
		data.Field{Name: "db", Schema: data.Of(data.String)}, data.Field{Name: "schema", Schema: data.Of(data.String)}, data.Field{Name: "table", Schema: data.Of(data.String)})
	changeBlock = data.StructOf("e.Envelope", data.Field{Name: "source", Schema: sourceBlock})
)

func change(snapshot string, at time.Time) plugin.SourceRecord {
	source, envelope := data.NewStruct(sourceBlock), data.NewStruct(changeBlock)
	for name, value := range map[string]any{"ts_ms": at.UnixMilli(), "snapshot": snapshot, "db": "shop", "schema": "public", "table": "orders"} {
		_ = source.Set(name, value)
	}
	_ = envelope.Set("source", source)
	return plugin.SourceRecord{Record: plugin.Record{Topic: "t", Value: envelope}}
}

// TestMeter: a snapshot with its rows and tables, the stream after it, an incremental one.
func TestMeter(t *testing.T) {
	m := newMeter(observedTask{})
	if p := m.progress(); p.Snapshot == nil || !p.Snapshot.Running || p.BehindMillis != -1 || p.QueueBytes != 5 {
		t.Errorf("before the first row: %+v", p)
	}
	long := time.Now().Add(-time.Hour)
	m.saw([]plugin.SourceRecord{change("first", long), change("true", long), {}}) // the last one is a position only
	p := m.progress()
	if s := p.Snapshot; s == nil || !s.Running || s.Rows != 2 || s.Table != "public.orders" || s.Tables != 3 || s.TablesDone != 1 {
		t.Errorf("%+v %+v", p, s)
	}
	m.saw([]plugin.SourceRecord{change("last", time.Now())})
	if s := m.progress().Snapshot; s.Running || s.Rows != 3 || s.Ended.IsZero() {
		t.Errorf("%+v", s)
	}
	m.saw([]plugin.SourceRecord{change("false", time.Now().Add(-5*time.Second)), {Record: plugin.Record{Topic: "t"}}})
	if p := m.progress(); p.Events != 5 || p.LastEvent.IsZero() {
		t.Errorf("%+v", p)
	}
	m.saw([]plugin.SourceRecord{change("false", time.Now().Add(-5*time.Second))})
	m.saw([]plugin.SourceRecord{change("incremental", time.Now().Add(-5*time.Second))})
	m.saw(nil)
	if p := m.progress(); p.Events != 7 || p.BehindMillis < 5000 || p.IncrementalRows != 1 || p.Snapshot.Rows != 3 {
		t.Errorf("%+v", p)
	}
}
