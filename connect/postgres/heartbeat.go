package postgres

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// act on a heartbeat as heartbeat.action.query says. What fails of it is told and left, unless the
// connection is gone.
func (s *stream) act(ctx context.Context) error {
	query := s.options.Values.String("heartbeat.action.query")
	if query == "" {
		return nil
	}
	bounded, cancel := s.bounded(ctx)
	defer cancel()
	_, err := s.db.Exec(bounded, query)
	if err != nil && s.db.IsClosed() {
		return fmt.Errorf("%w: heartbeat.action.query: %w", plugin.ErrRetry, err)
	}
	if err != nil {
		s.log.Warn("postgres: heartbeat.action.query failed", "error", err)
	}
	return nil
}

// bounded is for a query that the stream waits for.
func (s *stream) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.options.query <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.options.query)
}
