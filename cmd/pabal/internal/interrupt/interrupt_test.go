package interrupt

import (
	"context"
	"errors"
	"testing"
)

func TestFirstInterruptFinishesSecondAborts(t *testing.T) {
	ctx, abort := context.WithCancelCause(t.Context())
	interrupts := make(chan struct{})
	finish := Twice(ctx, interrupts, abort)
	interrupts <- struct{}{}
	<-finish
	if ctx.Err() != nil {
		t.Fatal("the first interrupt aborted")
	}
	interrupts <- struct{}{}
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), ErrAborted) {
		t.Fatal(context.Cause(ctx))
	}
}
