package vfs

import (
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the file for this process; the system releases it, also after a
// crash. The range lies past the content, so that others can read who has it.
func lockFile(f *os.File) error {
	const exclusiveNow = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	past := &windows.Overlapped{OffsetHigh: math.MaxInt32}
	return windows.LockFileEx(windows.Handle(f.Fd()), exclusiveNow, 0, 1, 0, past)
}

// syncDir does nothing: NTFS journals names itself, and folders cannot be synced.
func syncDir(string) error { return nil }
