package saga

import "context"

// FireDue fires all timers that are due by the Clock, in the caller's goroutine. The
// manager's Service does so by itself; this is for programs that have a moment of
// their own for it, and for tests with a clock of their own. Its error is the
// database's: what was committed before it stays, the rest is still due.
func (m *Manager[T, S]) FireDue(ctx context.Context) error {
	batch := newTimerBatch(m.cfg.TimerBatch)
	for more := true; more; {
		full, err := m.fireBatch(ctx, batch)
		if err != nil {
			return err
		}
		more = full
	}
	return ctx.Err()
}
