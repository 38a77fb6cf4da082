package postgres

import (
	"errors"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	err := guard(func() error { panic("out of place") })
	if !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "out of place") || passing(err) {
		t.Errorf("the error is %v", err)
	}
	broken := errors.New("broken")
	if err := guard(func() error { return broken }); err != broken {
		t.Errorf("the error is %v", err)
	}
}
