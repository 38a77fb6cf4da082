package lock

import (
	"errors"
	"os"
	"syscall"
)

// ErrHeld: another process has the file.
var ErrHeld = errors.New("locked")

const sharingViolation = syscall.Errno(32)

// File opens a file that nobody else can open until it is closed or the
// process ends; ErrHeld where another process has it.
func File(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, ErrHeld
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
