package incremental_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
)

// fake database that writes down what it is asked; fail is an error for calls that begin with at.
type fake struct {
	calls []string
	last  incremental.Key
	rows  []incremental.Row
	at    string
	fail  error
}

var timestamps = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"`)

func (f *fake) call(ctx context.Context, name string, args ...any) error {
	f.calls = append(f.calls, timestamps.ReplaceAllString(fmt.Sprintln(append([]any{name}, args...)...), "T"))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if name == f.at {
		return f.fail
	}
	return nil
}

func (f *fake) Mark(ctx context.Context, id, kind, text string) error {
	return f.call(ctx, "mark", id, kind, text)
}
func (f *fake) Unmark(ctx context.Context, id string) error { return f.call(ctx, "unmark", id) }
func (f *fake) Last(ctx context.Context, t incremental.Table) (incremental.Key, error) {
	return f.last, f.call(ctx, "last", t.ID)
}
func (f *fake) Rows(ctx context.Context, t incremental.Table, after, until incremental.Key, limit int) ([]incremental.Row, error) {
	return f.rows, f.call(ctx, "rows", t.ID, after, until, limit)
}

func TestPerform(t *testing.T) {
	broken := errors.New("broken")
	begin := incremental.Chunk{ID: "c", Table: incremental.Table{ID: tables[0]}, Limit: 2, OpenType: "snapshot-window-open", CloseType: "snapshot-window-close"}
	later, deleting := begin, begin
	later.After, later.Until = incremental.Key{"3"}, incremental.Key{"9"}
	deleting.Strategy = incremental.DeleteStrategy
	const open, closed = "mark c-open snapshot-window-open {\"openWindowTimestamp\": T}\n", "mark c-close snapshot-window-close {\"openWindowTimestamp\": T, \"closeWindowTimestamp\": T}\n"
	for _, c := range []struct {
		name  string
		chunk incremental.Chunk
		db    fake
		calls []string
		skip  incremental.Reason
		err   error
	}{
		{"the first chunk", begin, fake{last: incremental.Key{"9"}}, []string{open, "last a.one\n", "rows a.one [] [9] 2\n", closed}, "", nil},
		{"a later one", later, fake{}, []string{open, "rows a.one [3] [9] 2\n", closed}, "", nil},
		{"an empty table", begin, fake{}, []string{open, "last a.one\n", closed}, "", nil},
		{"by deletion", deleting, fake{}, []string{open, "last a.one\n", "unmark c-open\n"}, "", nil},
		{"no key", begin, fake{at: "last", fail: incremental.ErrNoKey}, []string{open, "last a.one\n", closed}, incremental.NoPrimaryKey, nil},
		{"no table", later, fake{at: "rows", fail: fmt.Errorf("x: %w", incremental.ErrUnknownTable)}, []string{open, "rows a.one [3] [9] 2\n", closed}, incremental.UnknownSchema, nil},
		{"a failing mark", begin, fake{at: "mark", fail: broken}, []string{open}, "", broken},
		{"failing rows", later, fake{at: "rows", fail: broken}, []string{open, "rows a.one [3] [9] 2\n"}, "", broken},
	} {
		r, err := incremental.Perform(t.Context(), &c.db, c.chunk)
		if !slices.Equal(c.db.calls, c.calls) || r.ID != "c" || r.Skip != c.skip || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %+v, %v", c.name, c.db.calls, r, err)
		}
	}
}

func TestWorker(t *testing.T) {
	w := incremental.NewWorker(&fake{last: incremental.Key{"9"}, rows: []incremental.Row{{ID: "1"}}})
	s := incremental.New(incremental.Config{Limit: 2})
	s.Execute("1", debezium.ExecuteSnapshot{Tables: []string{"a.one"}}, nil, parse)
	c, _ := s.Next()
	w.Start(c)
	if o := <-w.Done(); o.Err != nil || o.Result.ID != c.ID || len(o.Result.Rows) != 1 {
		t.Errorf("got %+v", o)
	}
	w.Start(c) // received by nobody
	w.Close()
}

type panicking struct{ fake }

func (*panicking) Mark(context.Context, string, string, string) error { panic("out of place") }

func TestWorkerPanics(t *testing.T) {
	w := incremental.NewWorker(&panicking{})
	defer w.Close()
	w.Start(incremental.Chunk{ID: "c"})
	select {
	case o := <-w.Done():
		if !errors.Is(o.Err, incremental.ErrPanic) || o.Result.ID != "c" {
			t.Errorf("the outcome is %+v", o)
		}
	case <-t.Context().Done():
	}
}
