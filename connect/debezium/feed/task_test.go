package feed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// place is a position: the number of a record.
type place struct{ n int }

func (*place) Partition() map[string]any { return map[string]any{"server": "p"} }
func (p *place) Offset() map[string]any  { return map[string]any{"n": p.n} }

// numbers makes records of the numbers after a position, and then does something.
type numbers struct {
	upTo int
	then func(ctx context.Context, run int) error
	runs int
}

func (*numbers) Restore(offset map[string]any) (*place, error) {
	if offset == nil {
		return nil, nil
	}
	return &place{n: offset["n"].(int)}, nil
}

func (s *numbers) Run(ctx context.Context, to *feed.Records, from *place) error {
	s.runs++
	first := 1
	if from != nil {
		first = from.n + 1
	}
	for n := first; n <= s.upTo; n++ {
		r := plugin.SourceRecord{At: &place{n: n}, Record: plugin.Record{Topic: fmt.Sprint(n)}}
		if err := to.Put(ctx, []plugin.SourceRecord{r}); err != nil {
			return err
		}
	}
	return s.then(ctx, s.runs)
}

func (*numbers) Failure(_ context.Context, err error) error {
	if errors.Is(err, feed.ErrPanic) {
		return err
	}
	return fmt.Errorf("%w: %w", plugin.ErrRetry, err)
}

func open(s *numbers, offset map[string]any) *feed.Task[*place] {
	c := plugin.SourceContext{Offset: func(context.Context, map[string]any) (map[string]any, error) { return offset, nil }}
	return feed.NewTask(s, &debezium.Settings{MaxBatch: 2, MaxQueue: 3}, c, map[string]any{"server": "p"})
}

// polled are the topics of records until an error.
func polled(t *testing.T, task *feed.Task[*place], n int) (topics string, err error) {
	t.Helper()
	for len(strings.Fields(topics)) < n {
		records, err := task.Poll(t.Context())
		if err != nil {
			return topics, err
		}
		for _, r := range records {
			topics += r.Topic + " "
		}
	}
	return topics, nil
}

func wait(ctx context.Context, _ int) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestTask begins at the stored offset, and goes on after an error where it was.
func TestTask(t *testing.T) {
	s := &numbers{upTo: 5}
	s.then = func(ctx context.Context, run int) error {
		if s.upTo++; run == 1 {
			return errors.New("away")
		}
		return wait(ctx, run)
	}
	task := open(s, map[string]any{"n": 2})
	got, err := polled(t, task, 4)
	if got != "3 4 5 " || !errors.Is(err, plugin.ErrRetry) {
		t.Errorf("%s: %v", got, err)
	}
	if got, err = polled(t, task, 1); got != "6 " || err != nil {
		t.Errorf("goes on with %s: %v", got, err)
	}
	if err := task.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := task.Poll(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("a closed task says %v", err)
	}
}

// TestTaskPanics: a defect of a source ends its task, and not the process.
func TestTaskPanics(t *testing.T) {
	task := open(&numbers{upTo: 1, then: func(context.Context, int) error { panic("out of place") }}, nil)
	got, err := polled(t, task, 2)
	if got != "1 " || !errors.Is(err, feed.ErrPanic) || errors.Is(err, plugin.ErrRetry) || !strings.Contains(err.Error(), "out of place") {
		t.Errorf("%s: %v", got, err)
	}
}

// TestOffsetIsReadAgain after it could not be.
func TestOffsetIsReadAgain(t *testing.T) {
	away, calls := errors.New("away"), 0
	c := plugin.SourceContext{Offset: func(context.Context, map[string]any) (map[string]any, error) {
		if calls++; calls == 1 {
			return nil, away
		}
		return map[string]any{"n": 7}, nil
	}}
	task := feed.NewTask(&numbers{upTo: 8, then: wait}, &debezium.Settings{MaxBatch: 2, MaxQueue: 3}, c, nil)
	defer func() { _ = task.Close(t.Context()) }()
	if _, err := task.Poll(t.Context()); !errors.Is(err, away) {
		t.Errorf("the error is %v", err)
	}
	if got, err := polled(t, task, 1); got != "8 " || err != nil {
		t.Errorf("goes on with %s: %v", got, err)
	}
}

func TestMemory(t *testing.T) {
	for _, c := range []struct{ setting, given, want int64 }{{0, 5, 5}, {3, 5, 3}, {9, 5, 5}, {0, 0, 64 << 20}, {7, 0, 7}} {
		if got := feed.Memory(&debezium.Settings{MaxQueueBytes: c.setting}, c.given); got != c.want {
			t.Errorf("of %d and %d there are %d bytes", c.setting, c.given, got)
		}
	}
}
