package feed

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrPanic is wrapped by errors about a defect of a connector itself.
var ErrPanic = errors.New("the connector panicked")

// Guard makes errors of panics, which wrap ErrPanic, so that one task does not end the process. Each
// goroutine of a connector needs its own.
func Guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return do()
}
