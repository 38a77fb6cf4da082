// Package sourcetest polls the tasks of sources in tests, and shows their records.
package sourcetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Deadline of a test's waits: a server may be busy with others' tests, and a new slot waits for their
// transactions.
const Deadline = 3 * time.Minute

// Reader polls a task.
type Reader struct {
	T    testing.TB
	Task plugin.SourceTask
	// At is the position of the last record that was polled.
	At plugin.Position

	// Pending are records that were polled and not taken yet.
	Pending []plugin.SourceRecord
	closed  bool
}

// Open a task at an offset, which goes through JSON as in Kafka. It is closed when the test ends.
func Open(t testing.TB, source plugin.Source, settings map[string]string, offset map[string]any, c plugin.SourceContext) *Reader {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	c.Connector, c.Config = "test", Values(t, source, settings)
	c.Offset = func(context.Context, map[string]any) (map[string]any, error) { return ThroughJSON(t, offset), nil }
	task, err := source.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	r := &Reader{T: t, Task: task}
	t.Cleanup(r.Close)
	return r
}

// Values of a source's settings.
func Values(t testing.TB, source plugin.Source, settings map[string]string) config.Values {
	t.Helper()
	v, problems := source.Info().Config.Parse(settings)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return v
}

// ThroughJSON is what is left of an offset that was stored.
func ThroughJSON(t testing.TB, m map[string]any) map[string]any {
	t.Helper()
	if m == nil {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Close the task, once.
func (r *Reader) Close() {
	if r.closed {
		return
	}
	r.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), Deadline)
	defer cancel()
	if err := r.Task.Close(ctx); err != nil {
		r.T.Error(err)
	}
}

// Poll until there are records, of which none is a mere position, or an error that does not pass.
func (r *Reader) Poll() ([]plugin.SourceRecord, error) {
	r.T.Helper()
	for end := time.Now().Add(Deadline); time.Now().Before(end); {
		records, err := r.Task.Poll(r.T.Context())
		if err != nil && !errors.Is(err, plugin.ErrRetry) {
			return nil, err
		}
		if err != nil {
			r.T.Log("it is tried again: ", err)
		}
		var out []plugin.SourceRecord
		for _, one := range records {
			if r.At = one.At; one.Topic != "" {
				out = append(out, one)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	r.T.Fatal("no records came")
	return nil, nil
}

// Glance at what comes within a time, which is kept for Take. An error ends the test.
func (r *Reader) Glance(within time.Duration) {
	r.T.Helper()
	r.Pending = append(r.Pending, r.glance(within)...)
}

func (r *Reader) glance(within time.Duration) (out []plugin.SourceRecord) {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(r.T.Context(), within)
	defer cancel()
	records, err := r.Task.Poll(ctx)
	if err != nil && ctx.Err() == nil {
		r.T.Fatal(err)
	}
	for _, one := range records {
		if r.At = one.At; one.Topic != "" {
			out = append(out, one)
		}
	}
	return out
}

// Take exactly n records.
func (r *Reader) Take(n int) []plugin.SourceRecord {
	r.T.Helper()
	for len(r.Pending) < n {
		records, err := r.Poll()
		if err != nil {
			r.T.Fatal(err)
		}
		r.Pending = append(r.Pending, records...)
	}
	out := r.Pending[:n:n]
	r.Pending = r.Pending[n:]
	return out
}

// Until a record of a table with an id comes; all up to it.
func (r *Reader) Until(topic string, id int) []plugin.SourceRecord {
	r.T.Helper()
	var out []plugin.SourceRecord
	for {
		one := r.Take(1)[0]
		out = append(out, one)
		if key, ok := one.Key.(*data.Struct); ok && one.Topic == topic && fmt.Sprint(key.Values[0]) == fmt.Sprint(id) {
			return out
		}
	}
}

// Quiet says that no records come for a while in which the server was asked several times.
func (r *Reader) Quiet() {
	r.T.Helper()
	const enough = 300 * time.Millisecond
	for start := time.Now(); time.Since(start) < enough; {
		for _, one := range r.glance(enough / 3) {
			r.T.Fatalf("a record came: %s", Show(one))
		}
	}
}
