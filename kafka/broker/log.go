package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kfakeLogger passes warnings and errors on. It keeps errors while the broker
// stops: that is the only place where kfake says that it could not write.
type kfakeLogger struct {
	to *slog.Logger

	mu     sync.Mutex
	keep   bool
	errors []error
}

func (l *kfakeLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.to.Error(fmt.Sprintf(format, args...))
		l.note(fmt.Errorf(format, args...))
	case kfake.LogLevelWarn:
		l.to.Warn(fmt.Sprintf(format, args...))
	}
}

func (l *kfakeLogger) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keep {
		l.errors = append(l.errors, err)
	}
}

func (l *kfakeLogger) keepErrors() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep = true
}

func (l *kfakeLogger) kept() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errors...)
}
