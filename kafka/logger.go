package kafka

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// clientLogger passes franz-go's warnings and errors on. Its information
// messages are debug ones for us: they tell of every fetch session.
type clientLogger struct{ to *slog.Logger }

func newClientLogger(to *slog.Logger) kgo.Logger {
	if to == nil {
		to = slog.Default()
	}
	return clientLogger{to.With("component", "kafka client")}
}

func (l clientLogger) Level() kgo.LogLevel {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

func (l clientLogger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	to := slog.LevelDebug
	switch level {
	case kgo.LogLevelError:
		to = slog.LevelError
	case kgo.LogLevelWarn:
		to = slog.LevelWarn
	}
	l.to.Log(context.Background(), to, msg, keyvals...)
}
