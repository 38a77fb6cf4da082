//go:build unix && !aix && !solaris && !illumos

package demo

import (
	"errors"
	"os"
	"syscall"
)

var errLocked = errors.New("locked")

// lockFile locks a file until it is closed or the process ends; errLocked where
// another process has it.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, err
	}
	return f, nil
}
