package mysql

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// act on a heartbeat as heartbeat.action.query says. What the server refuses is told and left.
func (s *stream) act() error {
	if s.options.action == "" {
		return nil
	}
	_, err := s.db.Execute(s.options.action)
	if err = cause(err); err != nil && refusal(err) == 0 {
		return fmt.Errorf("%w: heartbeat.action.query: %w", plugin.ErrRetry, err)
	}
	if err != nil {
		s.log.Warn("mysql: heartbeat.action.query failed", "error", err)
	}
	return nil
}
