//go:build unix

package vfs

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the file for this process; the kernel releases it, also after a crash.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
