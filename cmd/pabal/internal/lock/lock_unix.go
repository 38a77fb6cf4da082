//go:build unix && !aix && !solaris && !illumos

// Package lock keeps two processes from using one folder.
package lock

import (
	"errors"
	"os"
	"syscall"
)

// ErrHeld: another process has the file.
var ErrHeld = errors.New("locked")

// File locks a file until it is closed or the process ends; ErrHeld where
// another process has it.
func File(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrHeld
		}
		return nil, err
	}
	return f, nil
}
