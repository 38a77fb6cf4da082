package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pabal-dev/pabal/batch"
)

func TestFullBatchesAndTheRest(t *testing.T) {
	var out strings.Builder
	lines := linesOf(t.Context(), strings.NewReader("a\nb\nc\nd\ne\n"))
	if err := run(t.Context(), batch.Config[string]{MaxItems: 2, Linger: time.Hour}, lines, &out); err != nil {
		t.Fatal(err)
	}
	want := "2 lines, from \"a\" to \"b\"\n2 lines, from \"c\" to \"d\"\n1 lines, from \"e\" to \"e\"\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestAnInterruptFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		var out strings.Builder
		if err := run(ctx, batch.Config[string]{MaxItems: 100, Linger: time.Hour}, greetings(ctx, time.Second), &out); err != nil {
			t.Fatal(err)
		}
		if want := "3 lines, from \"Hello 1\" to \"Hello 3\"\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}

func TestABrokenInputIsReported(t *testing.T) {
	broken := errors.New("broken pipe")
	r, w := io.Pipe()
	w.CloseWithError(broken)
	var out strings.Builder
	if err := run(t.Context(), batch.Config[string]{}, linesOf(t.Context(), r), &out); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestABrokenOutputIsReported(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	lines := linesOf(t.Context(), strings.NewReader("a\n"))
	if err := run(t.Context(), batch.Config[string]{}, lines, w); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want %v", err, io.ErrClosedPipe)
	}
}
