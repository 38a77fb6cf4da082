//go:build unix

package broker

import (
	"os"
	"syscall"
)

// lockFile takes the file for this process; the kernel releases it, also after
// a crash.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
