package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// file is what is appended to.
type file interface {
	io.WriteCloser
	Sync() error
}

func openFile(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// append writes a line and waits for the disk.
func (l *Log) append(line []byte) error {
	if l.file == nil {
		if err := l.begin(); err != nil {
			return err
		}
	}
	if l.size > 0 && l.size+int64(len(line)) > l.config.MaxBytes {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	whole := make([]byte, 0, len(line)+2)
	if l.torn {
		whole = append(whole, '\n')
	}
	whole = append(append(whole, line...), '\n')
	n, err := l.file.Write(whole)
	l.size += int64(n)
	if n > 0 {
		l.torn = n < len(whole)
	}
	if err != nil {
		return err
	}
	return l.file.Sync()
}

// begin opens the current file and looks at its end.
func (l *Log) begin() error {
	f, err := l.open(l.config.Path)
	if err != nil {
		return err
	}
	size, torn, err := ending(l.config.Path)
	if err == nil && size == 0 {
		err = syncFolder(l.config.Path)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.size, l.torn = f, size, torn
	return nil
}

// ending is a file's size, and whether its last line is without an end.
func ending(path string) (size int64, torn bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, false, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return 0, false, err
	}
	return info.Size(), last[0] != '\n', nil
}

// rotate sets the file aside. Where that fails, the old one goes on: an entry
// matters more than the size.
func (l *Log) rotate() error {
	if err := l.file.Close(); err != nil {
		l.file = nil
		return err
	}
	l.file = nil
	if err := l.shift(); err != nil {
		l.config.Logger.Warn("the audit log cannot be rotated; it goes on growing", "file", l.config.Path, "error", err)
	}
	return l.begin()
}

// shift renames Path.n to Path.n+1, from the oldest kept one on, which is
// overwritten, and Path to Path.1.
func (l *Log) shift() error {
	for n := l.config.Keep - 1; n >= 0; n-- {
		if err := os.Rename(l.name(n), l.name(n+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return syncFolder(l.config.Path)
}

// name of the n-th file; 0 is the current one.
func (l *Log) name(n int) string {
	if n == 0 {
		return l.config.Path
	}
	return l.config.Path + "." + strconv.Itoa(n)
}

// syncFolder makes a new name survive a crash of the machine.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("the folder: %w", err)
	}
	defer folder.Close()
	_ = folder.Sync() // Windows has none
	return nil
}
