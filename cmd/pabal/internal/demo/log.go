package demo

import (
	"io"
	"log/slog"
	"os"
	"sync"
)

// logFile takes at most so many bytes, so that a demo left alone does not fill
// the disk.
type logFile struct {
	mu   sync.Mutex
	file *os.File
	left int64
}

const (
	mostLog   = 64 << 20
	logIsFull = "the log is full, nothing more is written\n"
)

func openLog(path string) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &logFile{file: f, left: mostLog}, nil
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left <= 0 {
		return len(p), nil
	}
	if l.left -= int64(len(p)); l.left <= 0 {
		_, err := io.WriteString(l.file, logIsFull)
		return len(p), err
	}
	return l.file.Write(p)
}

func (l *logFile) Close() error { return l.file.Close() }

func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
