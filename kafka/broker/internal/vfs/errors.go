package vfs

import (
	"errors"
	"fmt"
)

var (
	// ErrLocked says that another process, or another part of this one, has the lock.
	ErrLocked = errors.New("in use by another process")
	// ErrTooLarge says that a file is longer than its reader takes.
	ErrTooLarge = errors.New("file too large")
)

func tooLarge(name string, size, limit int64) error {
	return fmt.Errorf("%s has %d bytes, more than %d: %w", name, size, limit, ErrTooLarge)
}
